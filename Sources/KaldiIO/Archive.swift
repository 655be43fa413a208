import Foundation
package import LinearAlgebra
package import Storage

/// Reading Kaldi archives: entries of a key, a blank, and a value in binary or text
/// (`util/kaldi-table-inl.h`).
package enum Archive {
  /// One entry.
  package typealias Entry = (key: String, value: KaldiValue)

  /// Gives `body` each entry of an archive in turn; only one is in memory at a time.
  ///
  /// A key that stands twice is a fault, since one of its entries would be lost.
  ///
  /// - Parameters:
  ///   - path: the archive.
  ///   - kind: what to take values for that do not say what they are; nil guesses.
  ///   - body: called with each entry.
  /// - Throws: `FileFault` with the file, the key and the offset for an archive that is cut short or
  ///   corrupt; and what `body` throws.
  package static func forEach(
    in path: String, as kind: KaldiValue.Kind? = nil,
    _ body: (_ key: String, _ value: KaldiValue) throws(FileFault) -> Void
  ) throws(FileFault) {
    var reader = ByteReader(path: path, bytes: try TextFile.bytes(of: path))
    var keys: Set<String> = []
    while let key = try takeKey(&reader) {
      guard keys.insert(key).inserted else { throw keyTwice(key, in: path) }
      try body(key, try takeValue(&reader, as: kind))
      reader.key = ""
    }
  }

  /// Reads a whole archive, in its order.
  package static func read(
    _ path: String, as kind: KaldiValue.Kind? = nil
  ) throws(FileFault) -> [Entry] {
    var entries: [Entry] = []
    try forEach(in: path, as: kind) { key, value in entries.append((key, value)) }
    return entries
  }

  /// Reads all matrices of an archive, in single precision, whatever form they are stored in.
  package static func readMatrices(
    _ path: String
  ) throws(FileFault) -> [(key: String, matrix: Matrix)] {
    try read(path, as: .matrix).map { entry throws(FileFault) in
      guard case .matrix(let matrix)? = entry.value.converted(to: .matrix) else {
        throw otherKind(entry, than: "a matrix", in: path)
      }
      return (entry.key, matrix)
    }
  }

  /// Reads all integer vectors of an archive.
  package static func readIntegers(
    _ path: String
  ) throws(FileFault) -> [(key: String, values: [Int32])] {
    try read(path, as: .integers).map { entry throws(FileFault) in
      guard case .integers(let values) = entry.value else {
        throw otherKind(entry, than: "integers", in: path)
      }
      return (entry.key, values)
    }
  }

  /// The integer vectors of an archive as far as they can be read.
  package struct ReadableIntegers: Sendable {
    /// The vector of each key, or what is wrong with it.
    package internal(set) var vectors: [String: Result<[Int32], FileFault>] = [:]
    /// What a binary archive cannot be read any further for; nil when all of it was read.
    package internal(set) var end: FileFault?
  }

  /// Reads the integer vectors of an archive as far as they can be read.
  ///
  /// In text an utterance is a line, so that a bad one leaves the others as they are. Of a binary archive that
  /// is cut short or corrupt it is what stands before that place.
  ///
  /// - Parameter path: the archive.
  /// - Returns: of a binary archive, at least one vector that could be read.
  /// - Throws: `FileFault` for a file that cannot be read, or a binary archive of which nothing can.
  package static func readReadableIntegers(_ path: String) throws(FileFault) -> ReadableIntegers {
    let reader = ByteReader(path: path, bytes: try TextFile.bytes(of: path))
    // By the mark alone: the first key may be what is wrong.
    var start = reader
    start.skip { !isBlank($0) && $0 != UInt8(ascii: "\n") }
    return start.peek(1) == 0
      ? try readBinaryIntegers(reader)
      : ReadableIntegers(vectors: try readIntegerLines(path))
  }

  private static func readBinaryIntegers(
    _ start: consuming ByteReader
  ) throws(FileFault) -> ReadableIntegers {
    var reader = start
    var found = ReadableIntegers()
    do throws(FileFault) {
      while let key = try takeKey(&reader) {
        let isAgain = found.vectors[key] != nil
        let value = try takeValue(&reader, as: .integers)
        guard case .integers(let values) = value else {
          throw otherKind((key, value), than: "integers", in: reader.path)
        }
        found.vectors[key] = isAgain ? .failure(keyTwice(key, in: reader.path)) : .success(values)
        reader.key = ""
      }
    } catch {
      guard found.vectors.values.contains(where: { (try? $0.get()) != nil }) else { throw error }
      found.end = error
    }
    return found
  }

  /// The integers of an archive in text, by key.
  private static func readIntegerLines(
    _ path: String
  ) throws(FileFault) -> [String: Result<[Int32], FileFault>] {
    var vectors: [String: Result<[Int32], FileFault>] = [:]
    try TextFile.forEachLine(of: path) { number, line, isUTF8 in
      func fault(_ expected: String, _ found: String) -> Result<[Int32], FileFault> {
        .failure(.malformedLine(path: path, line: number, expected: expected, found: found))
      }
      let (key, rest) = line.keyAndRest
      var fields = rest.fields
      // As kaldiio writes integers.
      if fields.first == "[", fields.last == "]" { fields = Array(fields.dropFirst().dropLast()) }
      let values = fields.compactMap { Int32($0) }
      if vectors[String(key)] != nil {
        vectors[String(key)] = fault("each key once", "\(key) again")
      } else if isUTF8, values.count == fields.count {
        vectors[String(key)] = .success(values)
      } else {
        let bad = fields.first { Int32($0) == nil } ?? "other bytes"
        vectors[String(key)] = fault(
          "a key and integers of 32 bits", isUTF8 ? "\"\(bad)\"" : "no UTF-8")
      }
    }
    return vectors
  }

  /// Reads a file that holds one value without a key, or the value that stands at an offset of an
  /// archive.
  package static func readValue(
    _ path: String, at offset: Int = 0, as kind: KaldiValue.Kind? = nil, key: String = ""
  ) throws(FileFault) -> KaldiValue {
    let bytes = try TextFile.bytes(of: path)
    guard offset < bytes.count else {
      throw .malformedBytes(
        path: path, offset: offset, expected: "a value" + (key.isEmpty ? "" : " for \(key)"),
        found: "the end of the file")
    }
    var reader = ByteReader(path: path, bytes: bytes, offset: offset)
    reader.key = key
    return try takeValue(&reader, as: kind)
  }

  private static func otherKind(_ entry: Entry, than expected: String, in path: String) -> FileFault
  {
    .malformed(
      path: path, expected: "\(expected) for \(entry.key)", found: "\(entry.value.kind.rawValue)")
  }

  /// The next key, or nil at the end of the archive; the blank behind it is passed over.
  static func takeKey(_ reader: inout ByteReader) throws(FileFault) -> String? {
    guard !reader.isAtEnd else { return nil }
    let start = reader.offset
    let key = try reader.take(
      until: { isBlank($0) || $0 == UInt8(ascii: "\n") }, "a key and a blank")
    guard !key.isEmpty, let text = String(data: key, encoding: .utf8) else {
      throw reader.fault(
        "a key in UTF-8 and a blank", found: key.isEmpty ? "a blank" : "other bytes", at: start)
    }
    if reader.peek() != UInt8(ascii: "\n") { reader.skip(1) }
    reader.key = text
    return text
  }

  private static func takeValue(
    _ reader: inout ByteReader, as kind: KaldiValue.Kind?
  ) throws(FileFault) -> KaldiValue {
    guard reader.peek() == 0 else { return try KaldiValue.takeText(&reader, as: kind) }
    let start = reader.offset
    guard try reader.take(2, "a binary mark").elementsEqual("\0B".utf8) else {
      throw reader.fault("a binary mark", found: "other bytes", at: start)
    }
    return try KaldiValue.takeBinary(&reader, as: kind)
  }
}
