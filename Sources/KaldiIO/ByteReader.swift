import Foundation
import Storage

/// A cursor over the bytes of an archive, which are read on demand.
///
/// Every fault names the file, the offset, and the key of the entry.
struct ByteReader: ~Copyable {
  let origin: Origin
  /// The offset of the next byte.
  private(set) var offset: Int
  /// The key of the entry being read; empty between entries.
  var key = ""

  private let stream: ByteStream
  /// The size of the file; nil when it is unknown in advance.
  private let end: Int?
  /// Bytes read from the stream; those from `cursor` on are not consumed yet.
  private var window: [UInt8]
  private var cursor = 0

  /// - Parameters:
  ///   - stream: a stream at the first byte to read.
  ///   - offset: the offset of that byte.
  init(_ stream: ByteStream, at offset: Int = 0) {
    (self.stream, self.offset, origin, window) = (stream, offset, stream.origin, [])
    end = stream.size
  }

  /// Reads until at least `count` bytes follow the cursor.
  ///
  /// - Returns: false when the stream ends before that.
  private mutating func fill(_ count: Int) throws(FileFault) -> Bool {
    while window.count - cursor < count {
      let block = try stream.read()
      if block.isEmpty { return false }
      if cursor == window.count {
        window = block
      } else {
        window.removeFirst(cursor)
        window += block
      }
      cursor = 0
    }
    return true
  }

  private mutating func advance(_ count: Int) {
    cursor += count
    offset += count
  }

  /// The byte `distance` bytes ahead, or nil beyond the end.
  mutating func peek(_ distance: Int = 0) throws(FileFault) -> UInt8? {
    try fill(distance + 1) ? window[cursor + distance] : nil
  }

  /// A fault at the cursor, or at another offset.
  func fault(_ expected: String, found: String, at place: Int? = nil) -> FileFault {
    .malformedBytes(
      path: origin, offset: place ?? offset,
      expected: key.isEmpty ? expected : "\(expected) for \(key)", found: found)
  }

  /// Whether `count` items of `size` bytes each may follow; false only when they cannot.
  func hasRoom(for count: Int, of size: Int) -> Bool {
    let (bytes, isTooMuch) = count.multipliedReportingOverflow(by: size)
    guard !isTooMuch, count >= 0 else { return false }
    return end.map { bytes <= $0 - offset } ?? true
  }

  /// Consumes the next `count` bytes.
  mutating func take(_ count: Int, _ what: String) throws(FileFault) -> ArraySlice<UInt8> {
    guard hasRoom(for: count, of: 1), try fill(count) else {
      let left = max(window.count - cursor, (end ?? 0) - offset)
      throw fault("\(what), \(count) bytes", found: "\(left) bytes to the end of the file")
    }
    defer { advance(count) }
    return window[cursor..<cursor + count]
  }

  /// Consumes the bytes before the next byte for which `isEnd` is true.
  ///
  /// - Parameters:
  ///   - isEnd: whether a byte ends them.
  ///   - what: what the bytes are, for the fault.
  ///   - limit: roughly the maximum number of bytes.
  /// - Returns: the bytes, possibly none.
  /// - Throws: `FileFault` when there is no such byte.
  mutating func take(
    until isEnd: (UInt8) -> Bool, _ what: String, atMost limit: Int = .max
  ) throws(FileFault) -> ArraySlice<UInt8> {
    var seen = 0
    while true {
      if let place = window[(cursor + seen)...].firstIndex(where: isEnd) {
        let count = place - cursor
        defer { advance(count) }
        return window[cursor..<place]
      }
      seen = window.count - cursor
      guard seen <= limit else { throw fault(what, found: "none in \(seen) bytes") }
      guard try fill(seen + 1) else { throw fault(what, found: "the end of the file") }
    }
  }

  /// Consumes the next line, and returns it without its newline; nil at the end of the file.
  ///
  /// The last line may lack the newline.
  mutating func takeLine() throws(FileFault) -> ArraySlice<UInt8>? {
    var seen = 0
    while true {
      let rest = window[(cursor + seen)...]
      let place = rest.firstIndex(of: UInt8(ascii: "\n"))
      seen = window.count - cursor
      if place == nil, try fill(seen + 1) { continue }
      guard seen > 0 else { return nil }
      let end = place ?? window.count
      let start = cursor
      advance(end - start + (place == nil ? 0 : 1))
      return window[start..<end]
    }
  }

  /// Skips the bytes for which `isSkipped` is true.
  mutating func skip(while isSkipped: (UInt8) -> Bool) throws(FileFault) {
    while let byte = try peek(), isSkipped(byte) { advance(1) }
  }

  /// Skips `count` bytes, or to the end of the file.
  mutating func skip(_ count: Int) throws(FileFault) {
    _ = try fill(count)
    advance(min(count, window.count - cursor))
  }

  /// Consumes Kaldi's binary form of a 32-bit integer: a byte with value 4, then four bytes.
  mutating func takeInteger(_ what: String) throws(FileFault) -> Int {
    let start = offset
    let field = try take(5, what)
    guard field.first == 4 else {
      throw fault(
        "\(what) of 4 bytes", found: "a size byte of \(field.first ?? 0)", at: start)
    }
    return Int(littleEndian(field.dropFirst(), of: Int32.self)[0])
  }

  /// Consumes the count of items of at least `size` bytes each that follow, and checks that they
  /// fit.
  mutating func takeCount(of what: String, size: Int) throws(FileFault) -> Int {
    let start = offset
    let count = try takeInteger("the number of \(what)")
    guard hasRoom(for: count, of: size) else {
      throw fault("a number of \(what) that fits the file", found: "\(count)", at: start)
    }
    return count
  }
}

/// Throws when a key is repeated, since one of its entries would be lost.
func requireUnique(_ keys: [String], in origin: Origin) throws(FileFault) {
  var seen: Set<String> = []
  for key in keys where !seen.insert(key).inserted { throw keyTwice(key, in: origin) }
}

func keyTwice(_ key: String, in origin: Origin) -> FileFault {
  .malformed(path: origin, expected: "each key once", found: "\(key) again")
}

/// The little-endian values in some bytes; the machine must be little-endian too.
func littleEndian<Value: BitwiseCopyable & ExpressibleByIntegerLiteral>(
  _ bytes: ArraySlice<UInt8>, of type: Value.Type
) -> [Value] {
  var values = [Value](repeating: 0, count: bytes.count / MemoryLayout<Value>.size)
  unsafe values.withUnsafeMutableBytes { target in
    unsafe bytes.withUnsafeBytes { source in
      unsafe target.copyMemory(from: UnsafeRawBufferPointer(rebasing: source.prefix(target.count)))
    }
  }
  return values
}

extension Data {
  /// Appends the bytes of a value in little-endian order.
  mutating func append(value: some BitwiseCopyable) {
    unsafe Swift.withUnsafeBytes(of: value) { unsafe append(contentsOf: $0) }
  }

  /// Appends the bytes of values in little-endian order.
  mutating func append(values: [some BitwiseCopyable]) {
    unsafe values.withUnsafeBytes { unsafe append(contentsOf: $0) }
  }

  /// Appends Kaldi's binary form of a 32-bit integer.
  mutating func append(integer: Int) {
    append(4)
    append(value: Int32(integer))
  }
}
