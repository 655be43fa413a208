import CSndfile
package import SystemPackage

/// Reads recordings in any format that libsndfile or libmpg123 reads.
package enum AudioFile {
  /// The name and version of libsndfile.
  package static var libraryVersion: String { unsafe String(cString: sf_version_string()) }

  /// Reads one channel of a recording, or of a part of it, into memory; see `AudioReader`.
  ///
  /// - Returns: at least one sample, all finite.
  /// - Throws: `AudioFault` when the recording is unreadable, cut short or not as required.
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
