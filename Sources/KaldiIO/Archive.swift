import Foundation
package import LinearAlgebra
package import Storage
package import SystemPackage

/// Reads Kaldi archives: entries of a key, a blank and a value in binary or text form
/// (`util/kaldi-table-inl.h`).
package enum Archive {
  /// A key and its value.
  package typealias Entry = (key: String, value: KaldiValue)

  /// Passes each entry of an archive to `body` in turn; only one is in memory at a time.
  ///
  /// A repeated key is a fault, since one of its entries would be lost.
  ///
  /// - Parameters:
  ///   - path: the archive.
  ///   - kind: the kind of values whose form does not say it; nil guesses.
  ///   - body: called with each entry.
  /// - Throws: `FileFault` with the file, the key and the offset when the archive is cut short or
  ///   corrupt; and what `body` throws.
  package static func forEach(
    in path: FilePath, as kind: KaldiValue.Kind? = nil,
    _ body: (_ key: String, _ value: KaldiValue) throws(FileFault) -> Void
  ) throws(FileFault) {
    try forEach(of: ByteStream(path), as: kind, body)
  }

  /// Passes each entry of an archive that is read from a stream to `body`.
  package static func forEach(
    of stream: ByteStream, as kind: KaldiValue.Kind? = nil,
    _ body: (_ key: String, _ value: KaldiValue) throws(FileFault) -> Void
  ) throws(FileFault) {
    try forEachPlaced(of: stream, as: kind) { key, value, _ throws(FileFault) in
      try body(key, value)
    }
  }

  /// The same, with the offset of each value from the start of the stream, in bytes.
  static func forEachPlaced(
    of stream: ByteStream, as kind: KaldiValue.Kind?,
    _ body: (_ key: String, _ value: KaldiValue, _ offset: Int) throws(FileFault) -> Void
  ) throws(FileFault) {
    var reader = ByteReader(stream)
    var keys: Set<String> = []
    while let key = try takeKey(&reader) {
      guard keys.insert(key).inserted else { throw keyTwice(key, in: reader.origin) }
      let offset = reader.offset
      try body(key, try takeValue(&reader, as: kind), offset)
      reader.key = ""
    }
  }

  /// Whether the next value has no key, as when a Kaldi program writes a single value.
  package static func isWithoutKey(_ stream: ByteStream) throws(FileFault) -> Bool {
    guard let first = try stream.peek(1).first else { return false }
    return [0, UInt8(ascii: " "), UInt8(ascii: "[")].contains(first)
  }

  /// Reads the entries of an archive, or a single value without a key.
  ///
  /// - Parameters:
  ///   - stream: the bytes.
  ///   - kind: the kind of values whose form does not say it; nil guesses.
  ///   - name: the key for a value that has none.
  /// - Returns: the entries in their order.
  /// - Throws: `FileFault` when the bytes are neither.
  package static func entries(
    of stream: ByteStream, as kind: KaldiValue.Kind? = nil, withoutKey name: String
  ) throws(FileFault) -> [Entry] {
    if try isWithoutKey(stream) { return [(name, try readValue(of: stream, as: kind))] }
    var entries: [Entry] = []
    try forEach(of: stream, as: kind) { key, value in entries.append((key, value)) }
    return entries
  }

  /// Reads all entries of an archive, in their order.
  package static func read(
    _ path: FilePath, as kind: KaldiValue.Kind? = nil
  ) throws(FileFault) -> [Entry] {
    var entries: [Entry] = []
    try forEach(in: path, as: kind) { key, value in entries.append((key, value)) }
    return entries
  }

  /// Reads all matrices of an archive in single precision, whatever their stored form.
  ///
  /// - Throws: `FileFault` when the archive is unreadable or has a value that is not a matrix.
  package static func readMatrices(
    _ path: FilePath
  ) throws(FileFault) -> [(key: String, matrix: Matrix)] {
    try read(path, as: .matrix).map { entry throws(FileFault) in
      guard case .matrix(let matrix)? = entry.value.converted(to: .matrix) else {
        throw otherKind(entry, than: "a matrix", in: .file(path))
      }
      return (entry.key, matrix)
    }
  }

  /// Reads all integer vectors of an archive.
  ///
  /// - Throws: `FileFault` when the archive is unreadable or has a value of another kind.
  package static func readIntegers(
    _ path: FilePath
  ) throws(FileFault) -> [(key: String, values: [Int32])] {
    try read(path, as: .integers).map { entry throws(FileFault) in
      guard case .integers(let values) = entry.value else {
        throw otherKind(entry, than: "integers", in: .file(path))
      }
      return (entry.key, values)
    }
  }

  /// The integer vectors of an archive, as far as they are readable.
  package struct ReadableIntegers: Sendable {
    /// The vector of each key, or its fault.
    package internal(set) var vectors: [String: Result<[Int32], FileFault>] = [:]
    /// The fault that ended the reading of a binary archive; nil when all of it was read.
    package internal(set) var end: FileFault?
  }

  /// Reads the integer vectors of an archive as far as they are readable.
  ///
  /// In text form an utterance is a line, and a malformed line does not affect the others. A binary
  /// archive that is cut short or corrupt is read up to that place.
  ///
  /// - Parameter stream: the bytes.
  /// - Returns: the vectors; for a binary archive, at least one of them is readable.
  /// - Throws: `FileFault` when the file, or every vector of a binary archive, is unreadable.
  static func readReadableIntegers(
    of stream: ByteStream
  ) throws(FileFault) -> ReadableIntegers {
    var reader = ByteReader(stream)
    // Only the binary mark decides, since the first key may be malformed.
    var length = 0
    while length < longestKey, let byte = try reader.peek(length), !isBlank(byte),
      byte != UInt8(ascii: "\n")
    {
      length += 1
    }
    return try reader.peek(length + 1) == 0
      ? try readBinaryIntegers(&reader)
      : ReadableIntegers(vectors: try readIntegerLines(&reader))
  }

  private static func readBinaryIntegers(
    _ reader: inout ByteReader
  ) throws(FileFault) -> ReadableIntegers {
    var found = ReadableIntegers()
    do throws(FileFault) {
      while let key = try takeKey(&reader) {
        let isAgain = found.vectors[key] != nil
        let value = try takeValue(&reader, as: .integers)
        guard case .integers(let values) = value else {
          throw otherKind((key, value), than: "integers", in: reader.origin)
        }
        found.vectors[key] = isAgain ? .failure(keyTwice(key, in: reader.origin)) : .success(values)
        reader.key = ""
      }
    } catch {
      guard !error.isOfMachine,
        found.vectors.values.contains(where: { (try? $0.get()) != nil })
      else { throw error }
      found.end = error
    }
    return found
  }

  /// Reads the integers of a text archive, by key.
  private static func readIntegerLines(
    _ reader: inout ByteReader
  ) throws(FileFault) -> [String: Result<[Int32], FileFault>] {
    var vectors: [String: Result<[Int32], FileFault>] = [:]
    var number = 0
    while let bytes = try reader.takeLine() {
      number += 1
      let own = number == 1 && bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? bytes.dropFirst(3) : bytes
      let (key, vector) = integers(ofLine: own, number, origin: reader.origin)
      guard let key else { continue }
      vectors[key] =
        vectors[key] == nil
        ? vector
        : .failure(
          .malformedLine(
            path: reader.origin, line: number, expected: "each key once", found: "\(key) again"))
    }
    return vectors
  }

  /// The key of a line and its integers; a blank line has no key.
  private static func integers(
    ofLine bytes: ArraySlice<UInt8>, _ number: Int, origin: Origin
  ) -> (key: String?, vector: Result<[Int32], FileFault>) {
    let isUTF8 = String(validating: bytes, as: UTF8.self) != nil
    let line = Substring(String(decoding: bytes, as: UTF8.self))
    let (key, rest) = line.keyAndRest
    if key.isEmpty { return (nil, .success([])) }
    var fields = rest.fields
    // As kaldiio writes integers.
    if fields.first == "[", fields.last == "]" { fields = Array(fields.dropFirst().dropLast()) }
    let values = fields.compactMap { Int32($0) }
    if isUTF8, values.count == fields.count { return (String(key), .success(values)) }
    let bad = fields.first { Int32($0) == nil } ?? "other bytes"
    return (
      String(key),
      .failure(
        .malformedLine(
          path: origin, line: number, expected: "a key and integers of 32 bits",
          found: isUTF8 ? "\"\(bad)\"" : "invalid UTF-8"))
    )
  }

  /// Reads the value at an offset of an archive, or a file that is a single value without a key.
  ///
  /// - Complexity: linear in the size of the value, unless the archive is compressed with gzip.
  package static func readValue(
    _ path: FilePath, at offset: Int = 0, as kind: KaldiValue.Kind? = nil, key: String = ""
  ) throws(FileFault) -> KaldiValue {
    try readValue(of: ByteStream(path), at: offset, as: kind, key: key)
  }

  /// Reads the value at an offset of a stream.
  package static func readValue(
    of stream: ByteStream, at offset: Int = 0, as kind: KaldiValue.Kind?, key: String = ""
  ) throws(FileFault) -> KaldiValue {
    var isWithin = true
    if let size = stream.size { isWithin = offset < size }
    if isWithin {
      try stream.skip(offset)
      isWithin = try !stream.peek(1).isEmpty
    }
    guard isWithin else {
      throw .malformedBytes(
        path: stream.origin, offset: offset,
        expected: "a value" + (key.isEmpty ? "" : " for \(key)"),
        found: "the end of the file")
    }
    var reader = ByteReader(stream, at: offset)
    reader.key = key
    return try takeValue(&reader, as: kind)
  }

  private static func otherKind(_ entry: Entry, than expected: String, in origin: Origin)
    -> FileFault
  {
    .malformed(
      path: origin, expected: "\(expected) for \(entry.key)", found: "\(entry.value.kind.rawValue)")
  }

  /// Reads the next key and the blank after it; nil at the end of the archive.
  static func takeKey(_ reader: inout ByteReader) throws(FileFault) -> String? {
    guard try reader.peek() != nil else { return nil }
    let start = reader.offset
    let key = try reader.take(
      until: { isBlank($0) || $0 == UInt8(ascii: "\n") }, "a key and a blank", atMost: longestKey)
    guard !key.isEmpty, let text = String(validating: key, as: UTF8.self) else {
      throw reader.fault(
        "a key in UTF-8 and a blank", found: key.isEmpty ? "a blank" : "other bytes", at: start)
    }
    if try reader.peek() != UInt8(ascii: "\n") { try reader.skip(1) }
    reader.key = text
    return text
  }

  /// The maximum length of a key, in bytes; longer ones mean that the file is not an archive.
  private static let longestKey = 1 << 16

  private static func takeValue(
    _ reader: inout ByteReader, as kind: KaldiValue.Kind?
  ) throws(FileFault) -> KaldiValue {
    guard try reader.peek() == 0 else { return try KaldiValue.takeText(&reader, as: kind) }
    let start = reader.offset
    guard try reader.take(2, "a binary mark").elementsEqual("\0B".utf8) else {
      throw reader.fault("a binary mark", found: "other bytes", at: start)
    }
    return try KaldiValue.takeBinary(&reader, as: kind)
  }
}
