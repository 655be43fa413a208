package import SystemPackage

/// Where bytes come from or go to, as named in faults.
package enum Origin: Hashable, Sendable, CustomStringConvertible {
  case file(FilePath)
  /// A source without a path, by its name in messages, such as `standard input`.
  case named(String)

  /// A command of a Kaldi list; its text is not a path, so `//` is kept.
  package static func output(of command: String) -> Origin { .named("\(command) |") }

  /// The path as visible text, or the name.
  package var description: String {
    switch self {
    case .file(let path): path.text
    case .named(let name): name
    }
  }
}
