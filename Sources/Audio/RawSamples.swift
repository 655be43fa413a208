/// The coding of samples without a header, little-endian and of one channel.
package enum RawCoding: String, Sendable, CaseIterable {
  /// 16-bit integers.
  case s16le
  /// 32-bit floats, full scale [-1, 1).
  case f32le

  /// The number of bytes of a sample.
  package var byteCount: Int {
    switch self {
    case .s16le: 2
    case .f32le: 4
    }
  }
}

/// Decodes samples from bytes that arrive in pieces of any size.
package struct RawSampleDecoder: Sendable {
  private let coding: RawCoding
  /// The first bytes of a sample whose last are yet to come.
  private var pending: [UInt8] = []
  /// The number of bytes of whole samples so far.
  package private(set) var decodedBytes = 0

  /// A decoder at the start of the bytes.
  package init(_ coding: RawCoding) { self.coding = coding }

  /// The number of bytes that do not make a whole sample yet.
  package var pendingBytes: Int { pending.count }

  /// Decodes the samples that become complete.
  ///
  /// - Parameter bytes: the next bytes.
  /// - Returns: samples with full scale [-1, 1), as libsndfile decodes them.
  package mutating func push(_ bytes: some Collection<UInt8>) -> [Float] {
    pending += bytes
    let count = pending.count / coding.byteCount
    let samples = (0..<count).map { index -> Float in
      let start = index * coding.byteCount
      switch coding {
      case .s16le:
        let bits = UInt16(pending[start]) | UInt16(pending[start + 1]) << 8
        return Float(Int16(bitPattern: bits)) / 32768
      case .f32le:
        return Float(
          bitPattern: (0..<4).reduce(0) { $0 | UInt32(pending[start + $1]) << (8 * UInt32($1)) })
      }
    }
    pending.removeFirst(count * coding.byteCount)
    decodedBytes += count * coding.byteCount
    return samples
  }
}
