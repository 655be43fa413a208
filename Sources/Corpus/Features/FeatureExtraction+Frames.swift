import KaldiIO
import Audio
import Features
import LinearAlgebra
import Storage
import SystemPackage
import Synchronization

/// The first pass: frames of another program, or log-mel frames of the audio.
extension FeatureExtraction {
  /// Copies the frames that another program made, uncompressed.
  func takeFrames(_ pass: FeaturePass, _ frames: GivenFrames) throws -> FeatureArchive {
    guard let table = request.given else {
      preconditionFailure("FeatureExtraction: given frames without a table")
    }
    let ids = data.ids
    let strangers = table.keys.filter { !ids.contains($0) }
    if let first = strangers.first {
      reporter.log.warning(
        "\(table.origin): keys not of an utterance of \(data.path.text): \(strangers.count) of \(table.keys.count), such as \(first)"
      )
    }
    let seconds = frames.grid.grid.shiftInSeconds
    return try pass.run(workers, own: { () }) { _, index, sink in
      let id = data.utterances[index].id
      guard let own = try table.matrix(id) else {
        throw LeftOut(reason: "\(table.origin): expected its frames, found none")
      }
      guard own.rows > 0, own.columns == frames.columns else {
        throw LeftOut(
          reason: """
            \(table.origin): expected frames of \(frames.columns) values, found a matrix of \
            \(own.rows)×\(own.columns)
            """)
      }
      guard own.isFinite else {
        throw LeftOut(reason: "\(table.origin): expected finite frames, found NaN or infinity")
      }
      sink.frames = own
      return Double(own.rows) * seconds
    }
  }

  // MARK: - From audio to frames

  /// Computes log-mel frames from the audio.
  func makeFrames(
    _ pass: FeaturePass, _ options: LogMelOptions, speakers: [String: String]
  ) throws -> FeatureArchive {
    let cut = Atomic(0)
    let remarks = Mutex<[(index: Int, text: String)]>([])
    let made = try pass.run(workers, own: { LogMelExtractor(options: options) }) {
      extractor, index, sink in
      let utterance = data.utterances[index]
      let perturbation = request.copy?.perturbation(of: utterance.id, speakers: speakers)
      let audio = try utterance.recording.withFile { path, name in
        try extract(utterance, perturbation, from: (path, name), with: &extractor, into: &sink)
      }
      if audio.isCut { cut.add(1, ordering: .relaxed) }
      if let remark = audio.remark { remarks.withLock { $0.append((index, remark)) } }
      return audio.seconds
    }
    name(remarks.withLock(\.self))
    let count = cut.load(ordering: .relaxed)
    if count > 0 {
      reporter.log.info(
        """
        \(folder.path.text): segments cut at the end of their recording, which they exceed by \
        at most \(AudioReader.mostOverrun) s: \(count)
        """)
    }
    return made
  }

  /// Logs a warning for each of the first ten recordings whose files do not match their headers,
  /// and for the rest their number.
  private func name(_ remarks: [(index: Int, text: String)]) {
    let shown = 10
    for (index, text) in remarks.sorted(by: { $0.index < $1.index }).prefix(shown) {
      let utterance = data.utterances[index]
      reporter.log.warning("\(utterance.id), features: \(utterance.recording): \(text)")
    }
    if remarks.count > shown {
      reporter.log.warning(
        "and \(remarks.count - shown) more recordings with such remarks; limbeck validate lists all"
      )
    }
  }

  /// Makes the frames of one utterance.
  ///
  /// - Returns: the duration of its audio in seconds; whether its segment was cut at the end of the
  ///   recording; and, for a whole recording, anything unusual about its file.
  private func extract(
    _ utterance: Utterance, _ perturbation: Perturbation?,
    from file: (path: FilePath, name: Origin),
    with extractor: inout LogMelExtractor, into sink: inout FeaturePass.Sink
  ) throws -> (seconds: Double, isCut: Bool, remark: String?) {
    let options = extractor.options
    var samples = 0
    var block: [Float] = []
    sink.frames = Matrix(rows: 0, columns: options.columns)
    let change = try perturbation.map { try waveformPerturbation($0, of: utterance, from: file) }
    var reader = try reader(of: utterance, from: file)
    extractor.begin(utterance: utterance.id)
    var isMore = true
    while isMore {
      isMore = try reader.next(&block)
      change?.apply(to: &block, isLast: !isMore)
      samples += block.count
      extractor.push(block.span, appendingTo: &sink.frames)
      try sink.relieve()
    }
    extractor.finish(appendingTo: &sink.frames)
    guard options.grid.frameCount(samples: samples) > 0 else {
      throw LeftOut(
        reason: "expected at least one frame of \(options.grid.window) samples, "
          + "found \(samples) samples")
    }
    // Ignore times rounded up by up to half a frame shift.
    return (
      Double(samples) / Double(options.sampleRate), reader.overrun > 0.005,
      utterance.seconds == nil && perturbation == nil ? try reader.remark() : nil
    )
  }

  private func reader(
    of utterance: Utterance, from file: (path: FilePath, name: Origin)
  ) throws -> AudioReader {
    try AudioReader(
      file.path, called: file.name, sampleRate: request.options.grid.sampleRate,
      channel: utterance.channel ?? request.channel, seconds: utterance.seconds)
  }

  /// How the samples of an utterance are changed.
  ///
  /// The level of added noise depends on the power of the whole utterance, which is read once more
  /// for it.
  private func waveformPerturbation(
    _ perturbation: Perturbation, of utterance: Utterance, from file: (path: FilePath, name: Origin)
  ) throws -> WaveformPerturbation {
    var (power, samples) = (0.0, 0)
    if perturbation.signalToNoise != nil {
      var reader = try reader(of: utterance, from: file)
      var block: [Float] = []
      while try reader.next(&block) {
        power += block.reduce(0.0) { $0 + Double($1) * Double($1) }
        samples += block.count
      }
    }
    return WaveformPerturbation(perturbation, power: power / Double(max(1, samples)))
  }
}
