package import Foundation
package import SystemPackage

/// Whole files, read in one call, with faults that name the path.
package enum TextFile {
  /// All bytes of a file or pipe; gzip data is decompressed.
  ///
  /// - Parameter path: `-` for standard input.
  /// - Returns: the decompressed bytes.
  /// - Throws: `FileFault` when it cannot be read, or is corrupt gzip data.
  package static func bytes(of path: FilePath) throws(FileFault) -> Data {
    let stream = try ByteStream(path)
    if path != "-", let size = stream.size, size > largestCopy { return try mapped(path, size) }
    var bytes = Data(capacity: stream.size ?? 0)
    while case let block = try stream.read(), !block.isEmpty { bytes.append(contentsOf: block) }
    return bytes
  }

  /// The bytes of a file that is too large to copy into memory.
  private static func mapped(_ path: FilePath, _ count: Int) throws(FileFault) -> Data {
    let file = try OpenFile(path, for: .reading)
    let start = unsafe mmap(nil, count, PROT_READ, MAP_PRIVATE, file.descriptor, 0)
    guard let start = unsafe start, unsafe start != MAP_FAILED else { throw .reading(path) }
    return unsafe Data(
      bytesNoCopy: start, count: count, deallocator: .custom { unsafe _ = munmap($0, $1) })
  }

  /// The file size, in bytes, above which a file is memory-mapped.
  private static let largestCopy = 64 << 20

  /// The text of a file in UTF-8.
  package static func text(of path: FilePath) throws(FileFault) -> String {
    guard let text = String(data: try bytes(of: path), encoding: .utf8) else {
      throw .malformed(path: path, expected: "UTF-8 text", found: "other bytes")
    }
    return text
  }

  /// The text of a file in UTF-8 or UTF-16, with or without a byte order mark, as Praat and Windows programs write it.
  package static func markedText(of path: FilePath) throws(FileFault) -> String {
    let bytes = try bytes(of: path)
    let encoding: String.Encoding =
      if bytes.starts(with: [0xFE, 0xFF]) {
        .utf16BigEndian
      } else if bytes.starts(with: [0xFF, 0xFE]) {
        .utf16LittleEndian
      } else {
        // Text begins with ASCII characters, whose other byte is 0 in UTF-16.
        switch (bytes.first, bytes.dropFirst().first) {
        case (0, .some(1...0x7F)): .utf16BigEndian
        case (.some(1...0x7F), 0): .utf16LittleEndian
        default: .utf8
        }
      }
    let isMarked = bytes.starts(with: [0xFE, 0xFF]) || bytes.starts(with: [0xFF, 0xFE])
    let mark = bytes.starts(with: utf8Mark) ? 3 : isMarked ? 2 : 0
    guard let text = String(data: bytes.dropFirst(mark), encoding: encoding) else {
      throw .malformed(
        path: path, expected: "text in UTF-8 or UTF-16", found: "other bytes")
    }
    return text
  }

  /// The non-blank lines of a file with their numbers from one; a byte order mark is skipped.
  package static func lines(of path: FilePath) throws(FileFault) -> [(number: Int, text: Substring)]
  {
    try lossyLines(of: path).map { number, text, isUTF8 throws(FileFault) in
      guard isUTF8 else {
        throw FileFault.malformedLine(
          path: path, line: number, expected: "UTF-8 text", found: "other bytes")
      }
      return (number, text)
    }
  }

  /// The non-blank lines of a file, with invalid UTF-8 replaced by U+FFFD and flagged.
  package static func lossyLines(
    of path: FilePath
  ) throws(FileFault) -> [(number: Int, text: Substring, isUTF8: Bool)] {
    var lines: [(number: Int, text: Substring, isUTF8: Bool)] = []
    try forEachLine(of: path) { number, text, isUTF8 in lines.append((number, text, isUTF8)) }
    return lines
  }

  /// Calls `body` with each non-blank line of a file, its number from one, and whether it is valid UTF-8.
  package static func forEachLine(
    of path: FilePath, _ body: (_ number: Int, _ text: Substring, _ isUTF8: Bool) -> Void
  ) throws(FileFault) {
    let bytes = try bytes(of: path)
    var rest = bytes.dropFirst(bytes.starts(with: utf8Mark) ? 3 : 0)
    var number = 0
    // By bytes, since CR LF is a single Swift character.
    while !rest.isEmpty {
      number += 1
      let end = rest.firstIndex(of: UInt8(ascii: "\n")) ?? rest.endIndex
      var line = rest[..<end]
      rest = end < rest.endIndex ? rest[rest.index(after: end)...] : rest[end...]
      if line.last == UInt8(ascii: "\r") { line = line.dropLast() }
      guard !line.allSatisfy(isBlank) else { continue }
      if let text = String(validating: line, as: UTF8.self) {
        body(number, text[...], true)
      } else {
        body(number, String(decoding: line, as: UTF8.self)[...], false)
      }
    }
  }
}

/// The byte order mark of UTF-8.
private let utf8Mark: [UInt8] = [0xEF, 0xBB, 0xBF]

extension Substring {
  /// The blank-separated fields of a line.
  package var fields: [Substring] { utf8.split(whereSeparator: isBlank).map { Substring($0) } }

  /// A decimal number; nil for other forms that Swift accepts, such as `inf` and `0x1p1`.
  package var decimal: Double? {
    utf8.allSatisfy { (0x30...0x39).contains($0) || "+-.eE".utf8.contains($0) }
      ? Double(self) : nil
  }

  /// The line without leading and trailing blanks.
  package var trimmed: Substring {
    var text = utf8.drop(while: isBlank)
    while let last = text.last, isBlank(last) { text = text.dropLast() }
    return Substring(text)
  }

  /// The first field of a line and the rest of it, trimmed; the rest may be empty.
  package var keyAndRest: (key: Substring, rest: Substring) {
    let line = utf8.drop(while: isBlank)
    let key = line.prefix { !isBlank($0) }
    return (Substring(key), Substring(line[key.endIndex...]).trimmed)
  }
}

/// Whether a byte is a blank, a tab or a carriage return.
///
/// By bytes, since Swift treats a blank and a combining accent after it as one character.
private func isBlank(_ byte: UInt8) -> Bool {
  byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") || byte == UInt8(ascii: "\r")
}

/// Whether a text precedes another in byte order, which is Kaldi's order (`LC_ALL=C`).
package func inByteOrder(_ first: String, _ second: String) -> Bool {
  first.utf8.lexicographicallyPrecedes(second.utf8)
}
