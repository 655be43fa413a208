package import LinearAlgebra

/// Turns samples into log-mel frames as Kaldi's `compute-fbank-feats` does.
///
/// Samples come in pieces of any size, so that the length of a recording is not bounded by memory;
/// the frames do not depend on the pieces. It owns its Fourier plan, so a worker makes its own and
/// never shares it.
package struct LogMelExtractor: ~Copyable {
  /// The options it was made with.
  package let options: LogMelOptions

  private let grid: FrameGrid
  private var computer: FrameComputer

  /// Samples that frames still need.
  private var buffer: [Float] = []
  /// The index in the audio of the buffer's first sample; below 0 when mirrored ones precede it.
  private var bufferStart = 0
  /// The samples of the utterance so far.
  private var sampleCount = 0
  private var nextFrame = 0
  private var noise: SeededGenerator?

  /// - Parameter options: must be valid (`LogMelOptions.validate`).
  package init(options: LogMelOptions) {
    self.options = options
    grid = options.grid
    computer = FrameComputer(options: options)
  }

  /// The frames of one whole utterance.
  ///
  /// - Parameters:
  ///   - samples: at the options' sample rate, full scale [-1, 1).
  ///   - utterance: the id that seeds the dither, when there is any.
  /// - Returns: frames × `options.columns`, as `finish` leaves them.
  package mutating func logMel(of samples: [Float], utterance: String) -> Matrix {
    var frames = Matrix(rows: 0, columns: options.columns)
    begin(utterance: utterance)
    push(samples.span, appendingTo: &frames)
    finish(appendingTo: &frames)
    return frames
  }

  /// Starts an utterance and forgets the one before.
  ///
  /// - Parameter utterance: the id that seeds the dither, when there is any.
  package mutating func begin(utterance: String) {
    buffer.removeAll(keepingCapacity: true)
    (bufferStart, sampleCount, nextFrame) = (0, 0, 0)
    noise = options.dither > 0 ? SeededGenerator(stableHash(utterance)) : nil
  }

  /// Takes the next samples and appends the frames that are complete with them: the bands' energies,
  /// where samples are on the 16-bit integer scale, as logarithms or not; an energy whose logarithm
  /// is taken counts as at least the epsilon of a 32-bit float.
  ///
  /// - Parameters:
  ///   - samples: any number of them, full scale [-1, 1).
  ///   - frames: a matrix of `options.columns` columns.
  package mutating func push(_ samples: Span<Float>, appendingTo frames: inout Matrix) {
    let start = buffer.count
    unsafe samples.withUnsafeBufferPointer { unsafe buffer.append(contentsOf: $0) }
    if options.dither > 0 { addDither(from: start) }
    sampleCount += samples.count
    // Mirroring at the start needs as many samples as there are before the first.
    guard sampleCount >= -grid.firstSample else { return }
    mirrorStart()
    let room = bufferStart + buffer.count - grid.window - grid.firstSample
    if room >= 0 { appendFrames(room / grid.shift + 1, to: &frames) }
    dropUsedSamples()
  }

  /// Appends the frames that need what follows the last sample; the utterance is then complete.
  ///
  /// - Parameter frames: the matrix that `push` appended to. It has no row when the audio is too short
  ///   for a frame.
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

  /// The samples that it keeps for frames to come, of at most some four windows between two calls.
  package var storedValues: Int { buffer.count }

  /// Puts the mirrored samples that the first frame needs before the first sample.
  private mutating func mirrorStart() {
    guard nextFrame == 0, bufferStart == 0, grid.firstSample < 0 else { return }
    let mirrored = (grid.firstSample..<0).map {
      buffer[FrameGrid.mirrored($0, count: sampleCount)]
    }
    buffer.insert(contentsOf: mirrored, at: 0)
    bufferStart = grid.firstSample
  }

  /// Appends the frames up to and without `end`, all of whose samples are in the buffer.
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

  /// Removes samples that no frame to come needs, also not mirrored at the end.
  private mutating func dropUsedSamples() {
    let used = min(
      grid.samples(ofFrame: nextFrame).lowerBound - grid.window - bufferStart, buffer.count)
    // Moved now and then, so that each sample moves about once.
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
