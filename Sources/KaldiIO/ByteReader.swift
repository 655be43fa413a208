import Foundation
import Storage

/// A cursor over the bytes of an archive; every fault names the file, the offset, and the key that is
/// being read.
struct ByteReader {
  let path: String
  let bytes: Data
  private(set) var offset: Int
  /// The key of the entry that is being read; empty outside of one.
  var key = ""

  init(path: String, bytes: Data, offset: Int = 0) {
    (self.path, self.bytes, self.offset) = (path, bytes, offset)
  }

  var isAtEnd: Bool { offset >= bytes.count }

  /// The byte `distance` places on, or nil beyond the end.
  func peek(_ distance: Int = 0) -> UInt8? {
    offset + distance < bytes.count ? bytes[bytes.startIndex + offset + distance] : nil
  }

  /// What is wrong at the cursor, or at another place.
  func fault(_ expected: String, found: String, at place: Int? = nil) -> FileFault {
    .malformedBytes(
      path: path, offset: place ?? offset,
      expected: key.isEmpty ? expected : "\(expected) for \(key)", found: found)
  }

  /// The next `count` bytes.
  mutating func take(_ count: Int, _ what: String) throws(FileFault) -> Data {
    guard count >= 0, count <= bytes.count - offset else {
      throw fault(
        "\(what), \(count) bytes", found: "\(bytes.count - offset) bytes to the end of the file")
    }
    let start = bytes.startIndex + offset
    offset += count
    return bytes[start..<start + count]
  }

  /// The bytes up to and without the next one that `isEnd` holds for, which stays.
  mutating func take(until isEnd: (UInt8) -> Bool, _ what: String) throws(FileFault) -> Data {
    let start = bytes.startIndex + offset
    guard let end = bytes[start...].firstIndex(where: isEnd) else {
      throw fault(what, found: "the end of the file")
    }
    offset = end - bytes.startIndex
    return bytes[start..<end]
  }

  /// Passes over the bytes that `isSkipped` holds for.
  mutating func skip(while isSkipped: (UInt8) -> Bool) {
    while let byte = peek(), isSkipped(byte) { offset += 1 }
  }

  /// Goes `count` bytes on, or to the end of the file.
  mutating func skip(_ count: Int) {
    offset = min(bytes.count, offset + count)
  }

  /// Kaldi's binary form of a 32-bit integer: a byte that holds 4, then four bytes.
  mutating func takeInteger(_ what: String) throws(FileFault) -> Int {
    let start = offset
    let field = try take(5, what)
    guard field.first == 4 else {
      throw fault(
        "\(what) of 4 bytes", found: "a size byte of \(field.first ?? 0)", at: start)
    }
    return Int(littleEndian(field.dropFirst(), of: Int32.self)[0])
  }

  /// A count that `takeInteger` gives, of things of at least `size` bytes each that follow.
  mutating func takeCount(of what: String, size: Int) throws(FileFault) -> Int {
    let start = offset
    let count = try takeInteger("the number of \(what)")
    guard count >= 0, count <= (bytes.count - offset) / size else {
      throw fault("a number of \(what) that fits the file", found: "\(count)", at: start)
    }
    return count
  }
}

/// Throws when a key stands twice, since one of its entries would be lost.
func requireUnique(_ keys: [String], in path: String) throws(FileFault) {
  var seen: Set<String> = []
  for key in keys where !seen.insert(key).inserted { throw keyTwice(key, in: path) }
}

func keyTwice(_ key: String, in path: String) -> FileFault {
  .malformed(path: path, expected: "each key once", found: "\(key) again")
}

/// The little-endian values that some bytes hold; the machine is little-endian too.
func littleEndian<Value: BitwiseCopyable & ExpressibleByIntegerLiteral>(
  _ bytes: Data, of type: Value.Type
) -> [Value] {
  var values = [Value](repeating: 0, count: bytes.count / MemoryLayout<Value>.size)
  unsafe values.withUnsafeMutableBytes { unsafe _ = bytes.copyBytes(to: $0) }
  return values
}

extension Data {
  /// Appends a value's bytes, little-endian.
  mutating func append(value: some BitwiseCopyable) {
    unsafe Swift.withUnsafeBytes(of: value) { unsafe append(contentsOf: $0) }
  }

  /// Appends the bytes of values, little-endian.
  mutating func append(values: [some BitwiseCopyable]) {
    unsafe values.withUnsafeBytes { unsafe append(contentsOf: $0) }
  }

  /// Appends Kaldi's binary form of a 32-bit integer.
  mutating func append(integer: Int) {
    append(4)
    append(value: Int32(integer))
  }
}
