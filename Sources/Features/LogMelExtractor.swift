package import LinearAlgebra

/// Computes log-mel frames from samples, as Kaldi's `compute-fbank-feats` does.
///
/// Samples arrive in pieces of any size, so recordings may be longer than memory; the frames do not
/// depend on the pieces. An extractor owns its Fourier plan, so each thread needs its own.
package struct LogMelExtractor: ~Copyable {
  /// The options of the frames.
  package let options: LogMelOptions

  private let grid: FrameGrid
  private var computer: FrameComputer

  /// Samples that later frames need.
  private var buffer: [Float] = []
  /// The index in the audio of the buffer's first sample; negative when mirrored samples precede
  /// it.
  private var bufferStart = 0
  /// The number of samples of the utterance so far.
  private var sampleCount = 0
  private var nextFrame = 0
  private var noise: SeededGenerator?

  /// - Parameter options: valid options (`LogMelOptions.validate`).
  package init(options: LogMelOptions) {
    self.options = options
    grid = options.grid
    computer = FrameComputer(options: options)
  }

  /// Computes the frames of a whole utterance.
  ///
  /// - Parameters:
  ///   - samples: at the options' sample rate; full scale is [-1, 1).
  ///   - utterance: the utterance id, which seeds the dither.
  /// - Returns: [frames × `options.columns`].
  package mutating func logMel(of samples: [Float], utterance: String) -> Matrix {
    var frames = Matrix(rows: 0, columns: options.columns)
    begin(utterance: utterance)
    push(samples.span, appendingTo: &frames)
    finish(appendingTo: &frames)
    return frames
  }

  /// Starts an utterance, and abandons the one before.
  ///
  /// - Parameter utterance: the utterance id, which seeds the dither.
  package mutating func begin(utterance: String) {
    buffer.removeAll(keepingCapacity: true)
    (bufferStart, sampleCount, nextFrame) = (0, 0, 0)
    noise = options.dither > 0 ? SeededGenerator(stableHash(utterance)) : nil
  }

  /// Takes the next samples and appends the frames that are complete.
  ///
  /// A frame holds the energies of the bands, as logarithms unless `useLog` is off, for samples on
  /// the 16-bit integer scale. Before a logarithm is taken, an energy is raised to at least the
  /// epsilon of a 32-bit float.
  ///
  /// - Parameters:
  ///   - samples: any number of samples; full scale is [-1, 1).
  ///   - frames: a matrix of `options.columns` columns.
  package mutating func push(_ samples: Span<Float>, appendingTo frames: inout Matrix) {
    let start = buffer.count
    unsafe samples.withUnsafeBufferPointer { unsafe buffer.append(contentsOf: $0) }
    if options.dither > 0 { addDither(from: start) }
    sampleCount += samples.count
    // Mirroring at the start needs as many samples as precede the first.
    guard sampleCount >= -grid.firstSample else { return }
    mirrorStart()
    let room = bufferStart + buffer.count - grid.window - grid.firstSample
    if room >= 0 { appendFrames(room / grid.shift + 1, to: &frames) }
    dropUsedSamples()
  }

  /// Ends the utterance and appends the frames that reach beyond its last sample.
  ///
  /// - Parameter frames: the matrix that `push` appended to. It stays without rows when the audio
  ///   is too short for a frame.
  package mutating func finish(appendingTo frames: inout Matrix) {
    let count = grid.frameCount(samples: sampleCount)
    guard count > nextFrame else { return }
    mirrorStart()
    while bufferStart + buffer.count < grid.samples(ofFrame: count - 1).upperBound {
      let place = FrameGrid.mirrored(bufferStart + buffer.count, count: sampleCount) - bufferStart
      buffer.append(buffer[place])
    }
    appendFrames(count, to: &frames)
  }

  /// The number of samples stored between two calls, at most about four windows.
  package var storedValues: Int { buffer.count }

  /// Inserts the mirrored samples that the first frame needs before the first sample.
  private mutating func mirrorStart() {
    guard nextFrame == 0, bufferStart == 0, grid.firstSample < 0 else { return }
    let mirrored = (grid.firstSample..<0).map {
      buffer[FrameGrid.mirrored($0, count: sampleCount)]
    }
    buffer.insert(contentsOf: mirrored, at: 0)
    bufferStart = grid.firstSample
  }

  /// Appends the frames before `end`, all of whose samples are in the buffer.
  private mutating func appendFrames(_ end: Int, to frames: inout Matrix) {
    guard end > nextFrame else { return }
    let row = frames.rows
    frames.setRowCount(row + end - nextFrame)
    let samples = buffer
    computer.compute(
      samples.span, from: grid.samples(ofFrame: nextFrame).lowerBound - bufferStart,
      every: grid.shift, into: &frames, rows: row..<frames.rows)
    nextFrame = end
  }

  /// Removes samples that later frames do not need, neither directly nor mirrored at the end.
  private mutating func dropUsedSamples() {
    let used = min(
      grid.samples(ofFrame: nextFrame).lowerBound - grid.window - bufferStart, buffer.count)
    // Only when half of the buffer is free, so that each sample is moved about once.
    guard used > buffer.count / 2 else { return }
    buffer.removeFirst(used)
    bufferStart += used
  }

  private mutating func addDither(from start: Int) {
    guard var generator = noise else { return }
    for index in start..<buffer.count {
      buffer[index] += Float(options.dither / 32768 * generator.normal())
    }
    noise = generator
  }
}
