import Features
import LinearAlgebra

extension GraphBuilder {
  /// The features of utterances, from their samples.
  ///
  /// - Parameters:
  ///   - samples: [batch × samples]; full scale is [-1, 1).
  ///   - logMel: the options of the frames, without dither.
  ///   - transform: normalisation by utterance or none, and deltas.
  /// - Returns: [batch × frames × features].
  mutating func features(
    of samples: Tensor, logMel: LogMelOptions, transform: FeatureTransform
  ) -> Tensor {
    var values = frames(of: samples, logMel)
    if transform.normalization == .utterance {
      values = normalized(values, variance: transform.normalizeVariance)
    }
    return withDeltas(
      values, Deltas(order: transform.deltas, window: transform.deltaWindow),
      columns: logMel.columns)
  }

  // MARK: - Log-mel frames

  /// The log-mel frames of utterances (Kaldi, `feat/feature-fbank.cc`).
  ///
  /// Removal of the mean, pre-emphasis, window and Fourier transform are linear, so they are one
  /// product. It is in double precision, whatever the options' `precision`, so that the rounding of
  /// the loudest frequency does not reach the others.
  private mutating func frames(of samples: Tensor, _ options: LogMelOptions) -> Tensor {
    let matrices = SpectrumMatrices(options)
    let frames = cast(windows(of: samples, options.grid), to: Double.self)
    let shape = [options.grid.window, matrices.frequencies]
    let real = apply("MatMul", frames, constant("spectrum.real", matrices.real, shape: shape))
    let imaginary = apply(
      "MatMul", frames, constant("spectrum.imaginary", matrices.imaginary, shape: shape))
    let power = apply("Add", apply("Mul", real, real), apply("Mul", imaginary, imaginary))
    var spectrum = cast(power, to: Float.self)
    if !options.usePower { spectrum = apply("Sqrt", [spectrum]) }
    var bands = product(of: spectrum, options.bandWeights, named: "bands")
    if options.useLog { bands = logarithm(of: bands, floor: .ulpOfOne) }
    guard options.useEnergy else { return bands }
    let energy =
      options.rawEnergy
      ? rawEnergy(of: frames, options)
      : apply(
        "MatMul", power,
        constant("energy", matrices.energyWeights, shape: [matrices.frequencies, 1]))
    let logEnergy = logarithm(
      of: cast(energy, to: Float.self), floor: max(.ulpOfOne, Float(options.energyFloor)))
    return apply("Concat", [logEnergy, bands], [.integer("axis", 2)])
  }

  /// The samples of each frame, [batch × frames × window].
  private mutating func windows(of samples: Tensor, _ grid: FrameGrid) -> Tensor {
    let count = size(of: samples, axis: 1)
    let shift = integer(grid.shift)
    // The number of frames times the shift, before it is divided; see `FrameGrid.frameCount`.
    let room =
      switch grid.edges {
      case .snipped:
        apply("Max", apply("Add", count, integer(grid.shift - grid.window)), integer(0))
      case .mirrored: apply("Add", count, integer(grid.shift / 2))
      }
    let numbers = range(integer(0), apply("Div", room, shift))
    let starts = apply("Mul", apply("Unsqueeze", numbers, integers([1])), shift)
    let places = (0..<grid.window).map { Int64(grid.firstSample + $0) }
    var samplesSeen = apply("Add", starts, constant("window.places", places))
    if grid.edges == .mirrored {
      // As `FrameGrid.mirrored`: the audio runs forwards and backwards by turns.
      // The audio of no frames may be empty; ONNX divides by its period even so.
      let period = apply("Max", apply("Mul", count, integer(2)), integer(2))
      let place = apply("Mod", samplesSeen, period)
      let backwards = apply("Sub", apply("Sub", period, integer(1)), place)
      samplesSeen = apply("Min", place, backwards)
    }
    return apply("Gather", [samples, samplesSeen], [.integer("axis", 1)])
  }

  /// The energy of each frame before pre-emphasis and window, [batch × frames × 1].
  private mutating func rawEnergy(of frames: Tensor, _ options: LogMelOptions) -> Tensor {
    var values = frames
    if options.removeDCOffset {
      let mean = apply("ReduceMean", [frames], [.integers("axes", [-1])])
      values = apply("Sub", frames, mean)
    }
    let squares = apply("ReduceSumSquare", [values], [.integers("axes", [-1])])
    let scale = Double(LogMelOptions.sampleScale)
    return apply("Mul", squares, scalar(scale * scale))
  }

  private mutating func logarithm(of values: Tensor, floor: Float) -> Tensor {
    let raised = apply("Max", values, scalar(floor))
    return apply("Log", [raised])
  }

  private mutating func cast<Element: GraphElement>(
    _ values: Tensor, to type: Element.Type
  ) -> Tensor {
    apply("Cast", [values], [.integer("to", Int(Element.code))])
  }

  // MARK: - The transform

  /// Frames with mean 0 over their utterance, and optionally variance 1
  /// (`NormalizationStatistics.normalize`).
  private mutating func normalized(_ values: Tensor, variance: Bool) -> Tensor {
    let overFrames = Attribute.integers("axes", [1])
    let centred = apply("Sub", values, apply("ReduceMean", [values], [overFrames]))
    guard variance else { return centred }
    let squares = apply("Mul", centred, centred)
    let variance = apply("ReduceMean", [squares], [overFrames])
    let floored = apply("Max", variance, scalar(Float(1e-20)))
    return apply("Div", centred, apply("Sqrt", [floored]))
  }

  /// Frames with their deltas behind them, [batch × frames × (1 + order) · columns].
  ///
  /// Deltas are a layer without bias: each output is the weighted sum of one column of the frames
  /// around.
  private mutating func withDeltas(_ values: Tensor, _ deltas: Deltas, columns: Int) -> Tensor {
    guard deltas.order > 0 else { return values }
    let frames = 2 * deltas.reach + 1
    var weights = Matrix(rows: frames * columns, columns: (1 + deltas.order) * columns)
    for (order, own) in deltas.weights.enumerated() {
      let first = deltas.reach - own.count / 2
      for (place, weight) in own.enumerated() {
        for column in 0..<columns {
          weights[(first + place) * columns + column, order * columns + column] = weight
        }
      }
    }
    let around = extended(values, by: -deltas.reach...deltas.reach)
    return product(
      of: seen(around, columns: columns, at: Array(-deltas.reach...deltas.reach)), weights,
      named: "deltas")
  }
}
