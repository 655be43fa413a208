import CSndfile
package import SystemPackage

/// Audio files made by libsndfile for tests.
package enum AudioFixture {
  /// A container and a sample format.
  package struct Format: Sendable, CustomStringConvertible {
    package let description: String
    package let code: Int
    /// The largest error of a sample that the format may cause; nil for lossy formats.
    package let tolerance: Double?

    init(_ description: String, _ container: Int, _ samples: Int, _ tolerance: Double?) {
      (self.description, code, self.tolerance) = (description, container | samples, tolerance)
    }
  }

  /// What the program promises to read.
  package static let formats: [Format] = [
    Format("WAV, 8 bit", SF_FORMAT_WAV, SF_FORMAT_PCM_U8, 1.0 / 128),
    Format("WAV, 16 bit", SF_FORMAT_WAV, SF_FORMAT_PCM_16, 1.0 / 32768),
    Format("WAV, 24 bit", SF_FORMAT_WAV, SF_FORMAT_PCM_24, 1e-6),
    Format("WAV, 32 bit", SF_FORMAT_WAV, SF_FORMAT_PCM_32, 1e-6),
    Format("WAV, float", SF_FORMAT_WAV, SF_FORMAT_FLOAT, 0),
    Format("FLAC, 16 bit", SF_FORMAT_FLAC, SF_FORMAT_PCM_16, 1.0 / 32768),
    Format("FLAC, 24 bit", SF_FORMAT_FLAC, SF_FORMAT_PCM_24, 1e-6),
    Format("AIFF, 16 bit", SF_FORMAT_AIFF, SF_FORMAT_PCM_16, 1.0 / 32768),
    Format("SPHERE, 16 bit", SF_FORMAT_NIST, SF_FORMAT_PCM_16, 1.0 / 32768),
    Format("AU, 16 bit", SF_FORMAT_AU, SF_FORMAT_PCM_16, 1.0 / 32768),
    Format("W64, 16 bit", SF_FORMAT_W64, SF_FORMAT_PCM_16, 1.0 / 32768),
    Format("Ogg Vorbis", SF_FORMAT_OGG, SF_FORMAT_VORBIS, nil),
    Format("Ogg Opus", SF_FORMAT_OGG, SF_FORMAT_OPUS, nil),
    Format("MP3", SF_FORMAT_MPEG, SF_FORMAT_MPEG_LAYER_III, nil),
  ]

  /// The formats of few bits: μ-law, A-law, and 8 bits.
  package static let companded: [Format] = [
    Format("WAV, μ-law", SF_FORMAT_WAV, SF_FORMAT_ULAW, nil),
    Format("WAV, A-law", SF_FORMAT_WAV, SF_FORMAT_ALAW, nil),
    formats[0],
  ]

  /// WAV with 32-bit floats, which holds any value.
  package static let float = formats[4]
  /// WAV with 16-bit integers.
  package static let wav16 = formats[1]

  /// Writes a file.
  ///
  /// - Parameters:
  ///   - samples: full scale is [-1, 1); interleaved when there are several channels.
  ///   - path: the file.
  ///   - format: the container and the sample format.
  ///   - sampleRate: in hertz.
  ///   - channels: how many there are.
  package static func write(
    _ samples: [Float], to path: FilePath, format: Format = wav16, sampleRate: Int = 16000,
    channels: Int = 1
  ) {
    var info = SF_INFO()
    info.samplerate = Int32(sampleRate)
    info.channels = Int32(channels)
    info.format = Int32(format.code)
    guard let file = unsafe path.withPlatformString({ unsafe sf_open($0, Int32(SFM_WRITE), &info) })
    else {
      preconditionFailure("AudioFixture: \(format) cannot be written to \(path)")
    }
    unsafe sf_writef_float(file, samples, sf_count_t(samples.count / channels))
    unsafe sf_close(file)
  }

  /// The samples of a file with one channel as libsndfile alone decodes it, up to the length that it estimates.
  package static func decodedByLibsndfile(_ path: FilePath) -> [Float] {
    var info = SF_INFO()
    guard let file = unsafe path.withPlatformString({ unsafe sf_open($0, Int32(SFM_READ), &info) })
    else {
      preconditionFailure("AudioFixture: \(path) cannot be read")
    }
    var samples = [Float](repeating: 0, count: Int(info.frames) * Int(info.channels))
    let count = unsafe sf_readf_float(file, &samples, info.frames)
    unsafe sf_close(file)
    return Array(samples.prefix(Int(count)))
  }
}
