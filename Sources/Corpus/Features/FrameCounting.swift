import Audio
package import Features
package import LinearAlgebra
import Storage

/// Counts the frames that the features of a data directory would have.
package enum FrameCounting {
  /// Counts frames by decoding each recording, since headers can be wrong about lengths.
  ///
  /// - Parameters:
  ///   - data: the data directory.
  ///   - options: the features' options.
  ///   - workers: the threads that share the utterances.
  /// - Returns: the utterances with their numbers of frames, and a ledger of those that cannot be
  ///   read or have no frame.
  /// - Throws: the first machine fault.
  package static func count(
    _ data: DataDirectory, options: FeatureOptions, workers: Workers
  ) throws -> (utterances: [(utterance: Utterance, frames: Int)], ledger: Ledger) {
    let results = workers.map(data.utterances.count) { index -> Result<Int, any Error> in
      let utterance = data.utterances[index]
      return Result {
        try utterance.recording.withFile { path, name in
          var reader = try AudioReader(
            path, called: name, sampleRate: options.grid.sampleRate,
            channel: utterance.channel ?? 1,
            seconds: utterance.seconds)
          var samples = 0
          var block: [Float] = []
          while try reader.next(&block) { samples += block.count }
          return options.grid.frameCount(samples: samples)
        }
      }
    }
    try Interruption.check()
    var utterances: [(utterance: Utterance, frames: Int)] = []
    var ledger = data.faults
    for (utterance, result) in zip(data.utterances, results) {
      switch result {
      case .success(let count) where count > 0: utterances.append((utterance, count))
      case .success:
        ledger.leaveOut(utterance.id, .targets, reason: "shorter than one frame")
      case .failure(let fault as any Fault) where fault.isOfMachine: throw fault
      case .failure(let fault):
        ledger.leaveOut(utterance.id, .targets, reason: "\(fault)")
      }
    }
    return (utterances, ledger)
  }
}
