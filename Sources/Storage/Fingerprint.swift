import CXXHash
package import Foundation

/// A 128-bit XXH3 digest, which tells whether inputs are the same as before.
///
/// It guards against change by accident, not against an adversary.
package struct Fingerprint: Hashable, Sendable, CustomStringConvertible {
  /// 32 hexadecimal digits.
  package let description: String

  /// The digest of some bytes.
  package init(of bytes: Data) {
    let digest = unsafe bytes.withUnsafeBytes { buffer in
      unsafe XXH3_128bits(buffer.baseAddress, buffer.count)
    }
    description = String(format: "%016llx%016llx", digest.high64, digest.low64)
  }

  /// The digest of a text in UTF-8.
  package init(of text: String) {
    self.init(of: Data(text.utf8))
  }

  /// The digest of a file's bytes.
  package init(ofFile path: String) throws(FileFault) {
    self.init(of: try TextFile.bytes(of: path))
  }
}
