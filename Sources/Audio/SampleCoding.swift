import CSndfile

/// The coding of a recording's samples, as far as it bounds their values.
package enum SampleCoding: Sendable {
  /// μ-law and A-law (ITU-T G.711), linear with 8 bits, and all others.
  case muLaw, aLaw, bits8, other

  init(_ subtype: Int) {
    switch subtype {
    case SF_FORMAT_ULAW: self = .muLaw
    case SF_FORMAT_ALAW: self = .aLaw
    case SF_FORMAT_PCM_U8, SF_FORMAT_PCM_S8: self = .bits8
    default: self = .other
    }
  }

  /// The smallest magnitude that counts as full scale, on either side (ITU-T G.711 for the laws).
  ///
  /// It is the largest magnitude of a positive sample.
  package var fullScale: Float {
    switch self {
    case .muLaw: 32124.0 / 32768
    case .aLaw: 32256.0 / 32768
    case .bits8: 127.0 / 128
    case .other: 32767.0 / 32768
    }
  }

  /// The largest magnitude of a sample that counts as silence; A-law has no zero.
  package var silence: Float { self == .aLaw ? 8.0 / 32768 : 0 }
}
