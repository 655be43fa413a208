package import SystemPackage

/// Where bytes come from or go to, as faults call it.
package enum Origin: Hashable, Sendable, CustomStringConvertible {
  case file(FilePath)
  /// What has no path, by what messages call it, as the standard input.
  case named(String)

  /// A command of a Kaldi list, whose text is no path: `//` stays in it.
  package static func output(of command: String) -> Origin { .named("\(command) |") }

  package var description: String {
    switch self {
    case .file(let path): path.text
    case .named(let name): name
    }
  }
}
