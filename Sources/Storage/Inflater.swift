import CZlib
import Foundation

/// Decompresses gzip data (RFC 1952) of one or more members, using zlib.
@safe final class Inflater {
  private let origin: Origin
  /// At a fixed address, since zlib keeps a pointer to it.
  private let stream: UnsafeMutablePointer<z_stream>
  private var isBegun = false
  /// Compressed bytes; those from `place` on are next.
  private var input: [UInt8]
  private var place = 0
  /// The number of compressed bytes before `input`.
  private var earlier = 0
  private var isInputAtEnd = false
  /// Whether zlib may have more output from input it has consumed.
  private var hasOutput = false
  private var isBetweenMembers = false

  /// Whether bytes begin with gzip's magic number.
  static func isPacked(_ bytes: ArraySlice<UInt8>) -> Bool { bytes.starts(with: [0x1F, 0x8B]) }

  /// - Parameters:
  ///   - origin: the source of the bytes, for faults.
  ///   - input: the first bytes.
  init(origin: Origin, input: [UInt8] = []) {
    (self.origin, self.input) = (origin, input)
    unsafe stream = .allocate(capacity: 1)
    unsafe stream.initialize(to: z_stream())
  }

  deinit {
    if isBegun { unsafe _ = inflateEnd(stream) }
    unsafe stream.deallocate()
  }

  /// The next decompressed bytes.
  ///
  /// - Parameter next: returns the compressed bytes that follow; none at their end.
  /// - Returns: at least one, or none at the end of the last member.
  /// - Throws: `FileFault.malformedBytes` with the offset at which the compressed bytes are truncated or corrupt.
  func unpacked(from next: () throws(FileFault) -> [UInt8]) throws(FileFault) -> [UInt8] {
    try begin()
    while true {
      if place == input.count, !hasOutput, !isInputAtEnd {
        earlier += input.count
        (input, place) = (try next(), 0)
        isInputAtEnd = input.isEmpty
      }
      if isBetweenMembers {
        // Zeros after a member are padding.
        while place < input.count, input[place] == 0 { place += 1 }
        if place == input.count {
          if isInputAtEnd { return [] }
          continue
        }
        unsafe inflateReset(stream)
        isBetweenMembers = false
      }
      if isInputAtEnd, !hasOutput { throw fault("the end of the data") }
      let bytes = try step()
      if !bytes.isEmpty { return bytes }
    }
  }

  /// Makes one call to zlib.
  private func step() throws(FileFault) -> [UInt8] {
    var code = Z_OK
    var used = 0
    let bytes = unsafe [UInt8](unsafeUninitializedCapacity: Inflater.blockSize) { target, made in
      unsafe input.withUnsafeMutableBufferPointer { source in
        unsafe stream.pointee.next_in = source.baseAddress.map { unsafe $0 + place }
        unsafe stream.pointee.avail_in = UInt32(source.count - place)
        unsafe stream.pointee.next_out = target.baseAddress
        unsafe stream.pointee.avail_out = UInt32(target.count)
        code = unsafe inflate(stream, Z_NO_FLUSH)
        unsafe used = source.count - place - Int(stream.pointee.avail_in)
        unsafe made = target.count - Int(stream.pointee.avail_out)
      }
    }
    place += used
    hasOutput = code == Z_OK && bytes.count == Inflater.blockSize
    switch code {
    case Z_OK: break
    case Z_STREAM_END: isBetweenMembers = true
    // zlib has no output left.
    case Z_BUF_ERROR where place == input.count: break
    case Z_MEM_ERROR: throw .unreadable(path: origin, reason: FileFault.words(for: ENOMEM))
    default: throw fault("corrupt data")
    }
    return bytes
  }

  private func begin() throws(FileFault) {
    guard !isBegun else { return }
    // 16 selects the gzip header; 15 is the largest window.
    let code = unsafe inflateInit2_(
      stream, 16 + 15, zlibVersion(), Int32(MemoryLayout<z_stream>.size))
    guard code == Z_OK else { throw .unreadable(path: origin, reason: "zlib error \(code)") }
    isBegun = true
  }

  private func fault(_ found: String) -> FileFault {
    .malformedBytes(
      path: origin, offset: earlier + place, expected: "a complete gzip file", found: found)
  }

  private static let blockSize = 1 << 18
}
