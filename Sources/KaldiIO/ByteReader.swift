import Foundation
import Storage

/// A cursor over the bytes of an archive; every fault names the file and the offset.
struct ByteReader {
  let path: String
  let bytes: Data
  private(set) var offset: Int

  init(path: String, bytes: Data, offset: Int = 0) {
    (self.path, self.bytes, self.offset) = (path, bytes, offset)
  }

  var isAtEnd: Bool { offset >= bytes.count }

  /// The next `count` bytes.
  mutating func take(_ count: Int, _ what: String) throws(FileFault) -> Data {
    guard count >= 0, count <= bytes.count - offset else {
      throw .malformedBytes(
        path: path, offset: offset, expected: "\(what), \(count) bytes",
        found: "\(bytes.count - offset) bytes to the end of the file")
    }
    let start = bytes.startIndex + offset
    offset += count
    return bytes[start..<start + count]
  }

  /// The bytes up to and without the next `separator`, which is passed over.
  mutating func take(until separator: UInt8, _ what: String) throws(FileFault) -> Data {
    let start = bytes.startIndex + offset
    guard let end = bytes[start...].firstIndex(of: separator) else {
      throw .malformedBytes(
        path: path, offset: offset, expected: what, found: "the end of the file")
    }
    offset = end - bytes.startIndex + 1
    return bytes[start..<end]
  }

  /// Kaldi's binary form of a 32-bit integer: a byte that holds 4, then four bytes.
  mutating func takeInteger(_ what: String) throws(FileFault) -> Int {
    let start = offset
    let field = try take(5, what)
    guard field.first == 4 else {
      throw .malformedBytes(
        path: path, offset: start, expected: "\(what) of 4 bytes",
        found: "a size byte of \(field.first ?? 0)")
    }
    return Int(littleEndianIntegers(Data(field.dropFirst()))[0])
  }
}

/// Throws when a key stands twice, since one of its entries would be lost.
func requireUnique(_ keys: [String], in path: String) throws(FileFault) {
  var seen: Set<String> = []
  for key in keys where !seen.insert(key).inserted {
    throw .malformed(path: path, expected: "each key once", found: "\(key) again")
  }
}

/// The little-endian 32-bit integers that some bytes hold.
func littleEndianIntegers(_ bytes: Data) -> [Int32] {
  var values = [Int32](repeating: 0, count: bytes.count / 4)
  unsafe values.withUnsafeMutableBytes { unsafe _ = bytes.copyBytes(to: $0) }
  return values.map { Int32(littleEndian: $0) }
}

/// The little-endian single-precision numbers that some bytes hold.
func littleEndianFloats(_ bytes: Data) -> [Float] {
  var values = [Float](repeating: 0, count: bytes.count / 4)
  unsafe values.withUnsafeMutableBytes { unsafe _ = bytes.copyBytes(to: $0) }
  return values
}
