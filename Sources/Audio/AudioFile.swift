import CSndfile
package import SystemPackage

/// Reading recordings of every kind that libsndfile knows.
package enum AudioFile {
  /// The library's name and version.
  package static var libraryVersion: String { unsafe String(cString: sf_version_string()) }

  /// Reads one channel of a recording, or a part of it, whole; see `AudioReader`.
  ///
  /// - Returns: at least one sample, all of them finite.
  /// - Throws: `AudioFault` for anything else.
  package static func read(
    _ path: FilePath, sampleRate: Int? = nil, channel: Int? = nil,
    seconds: ClosedRange<Double>? = nil
  ) throws(AudioFault) -> Waveform {
    var reader = try AudioReader(
      path, sampleRate: sampleRate, channel: channel, seconds: seconds)
    var samples: [Float] = []
    var block: [Float] = []
    while try reader.next(&block) { samples += block }
    return Waveform(sampleRate: reader.sampleRate, samples: samples)
  }
}
