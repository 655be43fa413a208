import Foundation
package import Storage

/// Kaldi archives of 32-bit integer vectors: text, a line `KEY 1 2 3` (or `KEY [ 1 2 3 ]`, as
/// kaldiio writes it), or binary,
/// `KEY \0B\4COUNT` and then each integer as `\4` and four bytes (`util/kaldi-holder-inl.h`).
package enum IntegerVectorArchive {
  /// One entry.
  package typealias Entry = (key: String, values: [Int32])

  /// Writes a binary archive, which appears when it is whole.
  package struct Writer: ~Copyable {
    private var archive: AtomicFile

    package init(path: String) throws(FileFault) {
      archive = try AtomicFile(path: path)
    }

    /// Appends a vector, whose key has no blanks.
    package mutating func write(_ key: String, _ values: [Int32]) throws(FileFault) {
      precondition(
        !key.contains(where: { " \t\n".contains($0) }),
        "IntegerVectorArchive: a blank in the key \(key)")
      var bytes = Data("\(key) \0B".utf8)
      bytes.reserveCapacity(bytes.count + 5 + 5 * values.count)
      appendInteger(Int32(values.count), to: &bytes)
      for value in values { appendInteger(value, to: &bytes) }
      try archive.write(bytes)
    }

    /// Gives the file its name.
    package consuming func commit() throws(FileFault) {
      try archive.commit()
    }
  }

  /// Reads all vectors of an archive, text or binary, in its order; a key that stands twice is a
  /// fault.
  package static func read(_ path: String) throws(FileFault) -> [Entry] {
    let entries = try readEntries(path)
    try requireUnique(entries.map(\.key), in: path)
    return entries
  }

  private static func readEntries(_ path: String) throws(FileFault) -> [Entry] {
    let bytes = try TextFile.bytes(of: path)
    guard let blank = bytes.firstIndex(of: UInt8(ascii: " ")), bytes[blank...].count > 1,
      bytes[blank + 1] == 0
    else {
      guard bytes.isEmpty || bytes.last == UInt8(ascii: "\n") else {
        throw .malformed(
          path: path, expected: "a text archive whose last line ends", found: "a file cut short")
      }
      return try readText(path)
    }
    return try readBinary(ByteReader(path: path, bytes: bytes))
  }

  private static func readBinary(_ bytes: ByteReader) throws(FileFault) -> [Entry] {
    var reader = bytes
    var entries: [Entry] = []
    while !reader.isAtEnd {
      let key = try reader.take(until: UInt8(ascii: " "), "a key and a blank")
      let start = reader.offset
      let mark = try reader.take(2, "a binary mark")
      guard mark.elementsEqual("\0B".utf8) else {
        throw .malformedBytes(
          path: reader.path, offset: start, expected: "a binary integer vector",
          found: "no binary mark")
      }
      let count = try reader.takeInteger("the number of integers")
      guard (0...reader.bytes.count / 5).contains(count) else {
        throw .malformedBytes(
          path: reader.path, offset: start, expected: "a number of integers that fits the file",
          found: "\(count)")
      }
      var values: [Int32] = []
      values.reserveCapacity(count)
      for _ in 0..<count { values.append(Int32(try reader.takeInteger("an integer"))) }
      entries.append((String(decoding: key, as: UTF8.self), values))
    }
    return entries
  }

  private static func readText(_ path: String) throws(FileFault) -> [Entry] {
    try TextFile.lines(of: path).map { line throws(FileFault) in
      let fields = line.text.fields
      let numbers = fields.dropFirst().filter { $0 != "[" && $0 != "]" }
      let values = try numbers.map { field throws(FileFault) in
        guard let value = Int32(field) else {
          throw FileFault.malformedLine(
            path: path, line: line.number, expected: "integers after the key",
            found: "\"\(field)\"")
        }
        return value
      }
      return (String(fields[0]), values)
    }
  }
}
