package import Foundation

/// Whole files, read in one call, with faults that name the path.
package enum TextFile {
  /// The bytes of a file, mapped rather than copied where the system allows it.
  package static func bytes(of path: String) throws(FileFault) -> Data {
    var isFolder: ObjCBool = false
    guard unsafe FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
      throw .missing(path: path)
    }
    guard !isFolder.boolValue else {
      throw .malformed(path: path, expected: "a file", found: "a folder")
    }
    do {
      return try Data(contentsOf: URL(fileURLWithPath: path), options: .mappedIfSafe)
    } catch {
      throw .unreadable(path: path, reason: error.localizedDescription)
    }
  }

  /// The text of a file in UTF-8.
  package static func text(of path: String) throws(FileFault) -> String {
    guard let text = String(data: try bytes(of: path), encoding: .utf8) else {
      throw .malformed(path: path, expected: "UTF-8 text", found: "other bytes")
    }
    return text
  }

  /// The lines of a file that are not blank, with their numbers from one.
  package static func lines(of path: String) throws(FileFault) -> [(number: Int, text: Substring)] {
    // By bytes, since CR LF is one character of Swift's.
    try text(of: path).utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
      .enumerated()
      .map { line in
        let text = Substring(line.element)
        return (line.offset + 1, text.hasSuffix("\r") ? text.dropLast() : text)
      }
      .filter { !$0.1.allSatisfy(\.isWhitespace) }
  }
}

extension Substring {
  /// The parts of a line between blanks and tabs.
  package var fields: [Substring] { split { $0 == " " || $0 == "\t" } }

  /// The first field of a line and the rest of it, trimmed; the rest may be empty.
  package var keyAndRest: (key: Substring, rest: Substring) {
    let line = drop { $0 == " " || $0 == "\t" }
    let key = line.prefix { $0 != " " && $0 != "\t" }
    var rest = line[key.endIndex...].drop { $0 == " " || $0 == "\t" }
    while let last = rest.last, last == " " || last == "\t" { rest = rest.dropLast() }
    return (key, rest)
  }
}
