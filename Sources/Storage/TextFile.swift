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
    try lossyLines(of: path).map { number, text, isUTF8 throws(FileFault) in
      guard isUTF8 else {
        throw FileFault.malformedLine(
          path: path, line: number, expected: "UTF-8 text", found: "other bytes")
      }
      return (number, text)
    }
  }

  /// The same, where bytes that are not UTF-8 are replaced by U+FFFD and the line says so.
  package static func lossyLines(
    of path: String
  ) throws(FileFault) -> [(number: Int, text: Substring, isUTF8: Bool)] {
    // By bytes, since CR LF is one character of Swift's.
    let lines = try bytes(of: path).split(
      separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    return lines.enumerated().compactMap { index, line in
      let line = line.last == UInt8(ascii: "\r") ? line.dropLast() : line
      let text = String(decoding: line, as: UTF8.self)
      guard !text.allSatisfy(\.isWhitespace) else { return nil }
      return (index + 1, text[...], text.utf8.elementsEqual(line))
    }
  }
}

extension Substring {
  /// The parts of a line between blanks.
  package var fields: [Substring] { utf8.split(whereSeparator: isBlank).map { Substring($0) } }

  /// The first field of a line and the rest of it, trimmed; the rest may be empty.
  package var keyAndRest: (key: Substring, rest: Substring) {
    let line = utf8.drop(while: isBlank)
    let key = line.prefix { !isBlank($0) }
    var rest = line[key.endIndex...].drop(while: isBlank)
    while let last = rest.last, isBlank(last) { rest = rest.dropLast() }
    return (Substring(key), Substring(rest))
  }
}

/// Whether a byte is a blank, a tab or a carriage return.
///
/// By bytes, since Swift takes a blank and an accent behind it for one character.
private func isBlank(_ byte: UInt8) -> Bool {
  byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") || byte == UInt8(ascii: "\r")
}
