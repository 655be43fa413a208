import CZlib
import Foundation

/// Bytes that gzip has packed (RFC 1952), by zlib.
enum Gzip {
  /// Whether bytes begin as gzip's do.
  static func isPacked(_ bytes: Data) -> Bool { bytes.starts(with: [0x1F, 0x8B]) }

  /// Unpacks bytes, of several members one after the other.
  ///
  /// - Parameters:
  ///   - packed: begins with a gzip header.
  ///   - path: where it is from, for faults.
  /// - Returns: what was packed.
  /// - Throws: `FileFault.malformedBytes` with the place in the packed bytes where they are cut short or corrupt.
  static func unpacked(_ packed: Data, path: String) throws(FileFault) -> Data {
    var input = [UInt8](packed)
    var output = Data()
    var block = [UInt8](repeating: 0, count: 1 << 18)
    var stream = unsafe z_stream()
    // 16 asks for gzip's header; 15 is the largest window.
    var code = unsafe inflateInit2_(
      &stream, 16 + 15, zlibVersion(), Int32(MemoryLayout<z_stream>.size))
    guard code == Z_OK else { throw .unreadable(path: path, reason: "zlib's error \(code)") }
    defer { unsafe _ = inflateEnd(&stream) }
    var place = 0
    while place < input.count {
      let wanted = min(input.count - place, 1 << 30)
      let (used, made) = unsafe input.withUnsafeMutableBufferPointer { source in
        unsafe block.withUnsafeMutableBufferPointer { target -> (Int, Int) in
          unsafe stream.next_in = source.baseAddress.map { unsafe $0 + place }
          unsafe stream.avail_in = UInt32(wanted)
          unsafe stream.next_out = target.baseAddress
          unsafe stream.avail_out = UInt32(target.count)
          code = unsafe inflate(&stream, Z_NO_FLUSH)
          return unsafe (wanted - Int(stream.avail_in), target.count - Int(stream.avail_out))
        }
      }
      place += used
      output.append(contentsOf: block[..<made])
      switch code {
      case Z_STREAM_END:
        // Another member may follow; zeros behind the last are padding.
        if input[place...].allSatisfy({ $0 == 0 }) { return output }
        unsafe inflateReset(&stream)
      case Z_OK where used > 0 || made > 0: continue
      default:
        throw .malformedBytes(
          path: path, offset: place, expected: "a whole gzip file",
          found: code == Z_BUF_ERROR || code == Z_OK ? "its end" : "corrupt data")
      }
    }
    throw .malformedBytes(
      path: path, offset: place, expected: "a whole gzip file", found: "its end")
  }
}
