import CXXHash
package import Foundation
package import SystemPackage

/// A 128-bit XXH3 digest that shows whether inputs have changed.
///
/// It guards against accidental changes, not against an adversary.
package struct Fingerprint: Hashable, Sendable, CustomStringConvertible {
  /// 32 hexadecimal digits.
  package let description: String

  /// The digest of some bytes.
  package init(of bytes: Data) {
    let digest = unsafe bytes.withUnsafeBytes { buffer in
      unsafe XXH3_128bits(buffer.baseAddress, buffer.count)
    }
    self.init(digest)
  }

  /// The digest of a text in UTF-8.
  package init(of text: String) {
    self.init(of: Data(text.utf8))
  }

  /// The digest of a file's bytes, read one megabyte at a time.
  package init(ofFile path: FilePath) throws(FileFault) {
    let file = try RandomAccessFile(path)
    guard let state = unsafe XXH3_createState() else {
      preconditionFailure("Fingerprint: no memory for a state of XXH3")
    }
    defer { unsafe _ = XXH3_freeState(state) }
    unsafe XXH3_128bits_reset(state)
    for offset in stride(from: 0, to: file.size, by: 1 << 20) {
      let block = try file.bytes(at: offset, count: 1 << 20)
      unsafe XXH3_128bits_update(state, block, block.count)
    }
    self.init(unsafe XXH3_128bits_digest(state))
  }

  private init(_ digest: XXH128_hash_t) {
    description = String(format: "%016llx%016llx", digest.high64, digest.low64)
  }
}
