import ArgumentParser
import Distillation
import Features
import Foundation
import KaldiIO
import LinearAlgebra
import Networks
import Experiments
import Storage
import SystemPackage
import Training

/// Training steps and forward passes of a feed-forward network, in memory and from archives on
/// disk, compared with the rate of `sgemm` alone on the same shapes.
struct TrainingBenchmark: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "training",
    abstract: "Measure training and forward passes: frames/s, GFLOP/s, share of sgemm's rate.",
    discussion: """
      A multiplication and an addition are two operations. As usual, GFLOP/s counts six operations for each \
      parameter and frame of a training step, and two for a forward pass. "sgemm alone" runs only a step's \
      matrix products on the whole batch, each thread on its own matrices; shares count the operations of \
      these products.
      """)

  @Argument(help: "Number of inputs of the network.")
  var inputs: Int
  @Argument(help: "Number of units in a hidden layer.")
  var hidden: Int
  @Argument(help: "Number of hidden layers.")
  var layers: Int
  @Argument(help: "Number of classes.")
  var classes: Int
  @Argument(help: "Number of frames in a batch.")
  var batch: Int
  @Option(help: "Number of threads.")
  var threads = 1
  @Option(help: "Seconds for each rate: the median of three runs that share them.")
  var seconds = 6.0
  @Option(help: "Smallest number of frames for each rate, however long they take.")
  var leastFrames = 0
  @Option(
    help: ArgumentHelp(
      """
      Train on this archive of features instead, spliced to the number of inputs, with the classes in \
      --targets.
      """, valueName: "ark"), transform: FilePath.init(text:))
  var features: FilePath?
  @Option(
    help: ArgumentHelp(
      "Integer vectors with the class of each frame of --features.", valueName: "ark"),
    transform: FilePath.init(text:))
  var targets: FilePath?
  @Option(help: "With --features: the number of frames in memory.")
  var pool = 1 << 20

  func validate() throws {
    guard inputs > 0, hidden > 0, layers >= 0, classes > 1, batch > 0, threads > 0, seconds > 0,
      pool >= 4096
    else { throw ValidationError("expected positive numbers, and a pool of 4096 or more") }
    guard (features == nil) == (targets == nil) else {
      throw ValidationError("--features and --targets: expected both or none")
    }
  }

  func run() throws {
    if let features, let targets {
      try measureArchive(features, targets)
      return
    }
    let rates = measureMemory()
    guard inputs % 40 == 0 else { return }
    let folder = try ScratchFolder()
    let features = folder.path.appending("feats.ark")
    let targets = folder.path.appending("targets.ark")
    try writeArchives(features, targets, utterances: 1000)
    let set = try openFrames(features, targets, pool: 200_000)
    let disk = try trainFromDisk(set)
    report("train hard targets, data on disk", disk, "frames/s")
    report("train hard targets, data on disk over data in memory", disk / rates, "times")
    _ = consume folder
  }

  private var workers: Workers { Workers(count: threads) }

  private func network(features: Int, context: ClosedRange<Int>) -> AcousticNetwork {
    AcousticNetwork(
      features: features, context: context, hidden: HiddenShape(layers: layers, units: hidden),
      classes: classes, seed: 1)
  }

  /// Measures training and forward passes on data in memory.
  ///
  /// - Returns: frames/s of training on hard targets.
  private func measureMemory() -> Double {
    let network = network(features: inputs, context: 0...0)
    let trainable = TrainableNetwork(network, moments: 1, workers: workers)
    let parameters = Double(network.parameterCount)
    let batches = (0..<16).map { number in
      sample(rows: batch, columns: inputs, seed: UInt64(number))
    }
    let labels = (0..<16).map { number in
      var generator = SeededGenerator(2, UInt64(number))
      return (0..<batch).map { _ in Int32(generator.integer(below: classes)) }
    }
    let soft = softTargets()
    let sizes = [inputs] + Array(repeating: hidden, count: layers) + [classes]
    let products = zip(sizes, sizes.dropFirst()).map { Double(2 * $0 * $1) }
    // The first layer needs no gradient with respect to its input.
    let stepOperations = 3 * products.reduce(0, +) - products[0]
    let limit = sgemmRate(sizes, operations: stepOperations)
    report("sgemm alone", limit / 1e9, "GFLOP/s")
    func train(_ name: String, _ objective: some TrainingObjective) -> Double {
      let rate = framesPerSecond { number in
        let (input, labels) = (batches[number % 16], labels[number % 16])
        _ = trainable.take(
          TrainableNetwork.Step(input: input, chunks: batch),
          loss: { row, logits in
            _ = objective.replaceByGradient(
              &logits, label: labels[row], softTarget: soft.row(row), scale: 1 / Float(batch))
          }, update: OptimizerOptions().update(step: number, rate: 0.01))
      }
      report(name, rate, "frames/s")
      report("\(name), arithmetic", 6 * parameters * rate / 1e9, "GFLOP/s")
      report("\(name), share of sgemm alone", stepOperations * rate / limit, "times")
      return rate
    }
    let hard = train("train hard targets", HardTargets())
    _ = train(
      "train distillation T=2",
      SoftAndHardTargets(options: DistillationOptions(temperature: 2, hardWeight: 0.5)))
    let forward = framesPerSecond { number in
      _ = network.logits(of: batches[number % 16], workers: workers)
    }
    report("forward", forward, "frames/s")
    report("forward, arithmetic", 2 * parameters * forward / 1e9, "GFLOP/s")
    report(
      "forward, share of sgemm alone", products.reduce(0, +) * forward / limit, "times")
    return hard
  }

  /// The median rate of three runs of steps, in frames/s.
  private func framesPerSecond(_ step: (_ number: Int) -> Void) -> Double {
    for number in 0..<3 { step(number) }
    let rates = (0..<3).map { _ -> Double in
      let start = ContinuousClock.now
      var steps = 0
      while ContinuousClock.now - start < .seconds(seconds / 3) || 3 * steps * batch < leastFrames {
        step(steps)
        steps += 1
      }
      return Double(steps * batch) / ((ContinuousClock.now - start) / .seconds(1))
    }
    return rates.sorted()[1]
  }

  private func sample(rows: Int, columns: Int, seed: UInt64) -> SharedMatrix {
    var generator = SeededGenerator(1, seed)
    let matrix = SharedMatrix(rows: rows, columns: columns)
    matrix.set((0..<rows * columns).map { _ in Float(2 * generator.uniform() - 1) })
    return matrix
  }

  /// A distribution for each frame of a batch.
  private func softTargets() -> SharedMatrix {
    let targets = sample(rows: batch, columns: classes, seed: 99)
    for row in 0..<batch { targets.withRow(row) { _ = replaceBySoftmax(&$0) } }
    return targets
  }

  /// The rate of the matrix products of a step alone.
  ///
  /// - Parameters:
  ///   - sizes: the layers' sizes, starting with the input.
  ///   - operations: the operations of a step for one frame.
  /// - Returns: operations/s over all threads.
  private func sgemmRate(_ sizes: [Int], operations: Double) -> Double {
    let buffers = (0..<threads).map { thread in
      zip(sizes, sizes.dropFirst()).enumerated().map { index, size in
        (
          below: sample(rows: batch, columns: size.0, seed: UInt64(index)),
          weights: sample(rows: size.1, columns: size.0, seed: UInt64(index)),
          above: sample(rows: batch, columns: size.1, seed: UInt64(index + 50)),
          result: SharedMatrix(rows: max(size.1, batch), columns: max(size.0, size.1))
        )
      }
    }
    let rate = framesPerSecond { _ in
      workers.forEach(threads) { thread in
        for (index, layer) in buffers[thread].enumerated() {
          layer.result.tile(asRows: batch, columns: layer.above.columns)
            .setProduct(layer.below.tile, .asIs, layer.weights.tile, .transposed)
          layer.result.tile(asRows: layer.above.columns, columns: layer.below.columns)
            .setProduct(layer.above.tile, .transposed, layer.below.tile, .asIs)
          guard index > 0 else { continue }
          layer.result.tile(asRows: batch, columns: layer.below.columns)
            .setProduct(layer.above.tile, .asIs, layer.weights.tile, .asIs)
        }
      }
    }
    return rate * operations * Double(threads)
  }

  // MARK: - Archives

  /// Random features and classes, 5 s an utterance.
  private func writeArchives(
    _ featuresPath: FilePath, _ targetsPath: FilePath, utterances: Int
  ) throws {
    var features = try ArchiveWriter(featuresPath)
    var targets = try ArchiveWriter(targetsPath)
    for number in 0..<utterances {
      var generator = SeededGenerator(7, UInt64(number))
      let values = (0..<500 * 40).map { _ in Float(2 * generator.uniform() - 1) }
      try features.write("u\(number)", .matrix(Matrix(rows: 500, columns: 40, values: values)))
      try targets.write(
        "u\(number)", .integers((0..<500).map { _ in Int32(generator.integer(below: classes)) }))
    }
    try features.commit()
    try targets.commit()
  }

  private func openFrames(_ features: FilePath, _ targets: FilePath, pool: Int) throws -> FrameSet {
    let matrices = try MatrixArchive(path: features)
    guard let columns = matrices.entries.first?.columns, inputs % columns == 0 else {
      throw ValidationError(
        "\(inputs) inputs: expected a multiple of the features of \(features.text)")
    }
    let frames = try ArchiveFrames(
      features: matrices, targets: try IntegerArchive(path: targets), columns: columns,
      classes: classes)
    guard frames.count > 0 else {
      throw ValidationError("\(features.text): no frames with classes")
    }
    return try FrameSet(
      frames,
      normalizer: FeatureNormalizer(
        mean: Array(repeating: 0, count: columns), deviation: Array(repeating: 1, count: columns)),
      pool: pool)
  }

  /// Trains on frames from disk.
  ///
  /// - Returns: frames/s, including reading, normalising and splicing frames.
  private func trainFromDisk(_ set: FrameSet) throws -> Double {
    let columns = set.normalizer.mean.count
    let start = network(features: columns, context: 0...inputs / columns - 1)
    let trainable = TrainableNetwork(start, moments: 1, workers: workers)
    var epoch = 0
    var stream: BatchStream?
    func next() throws -> Batch {
      while true {
        if let batch = try stream?.next()?.batch { return batch }
        epoch += 1
        stream = BatchStream(
          set.plan(
            .shuffled(seed: 1, epoch: epoch), layout: BatchLayout(of: start, chunk: 1),
            batchSize: batch))
      }
    }
    var upcoming = try next()
    for task in 0..<upcoming.fillTasks { upcoming.fill(task) }
    var fault: (any Error)?
    let objective = HardTargets()
    let rate = framesPerSecond { number in
      do {
        let (batch, following) = (upcoming, try next())
        let none = batch.softTargets
        _ = trainable.take(
          TrainableNetwork.Step(input: batch.input, chunks: batch.chunks),
          loss: { row, logits in
            _ = objective.replaceByGradient(
              &logits, label: batch.labels[row], softTarget: none.row(0),
              scale: 1 / Float(batch.frameCount))
          }, update: OptimizerOptions().update(step: number, rate: 0.01),
          beside: (following.fillTasks, { following.fill($0) }))
        upcoming = following
      } catch let error { fault = error }
    }
    if let fault { throw fault }
    return rate
  }

  private func measureArchive(_ features: FilePath, _ targets: FilePath) throws {
    let set = try openFrames(features, targets, pool: pool)
    complain("\(set.memory)\n")
    report("train hard targets, data on disk", try trainFromDisk(set), "frames/s")
    let status = try TextFile.text(of: "/proc/self/status")
    guard let line = status.split(separator: "\n").first(where: { $0.hasPrefix("VmHWM:") }),
      let kilobytes = line.split(whereSeparator: { $0 == " " || $0 == "\t" }).dropFirst().first,
      let peak = Double(kilobytes)
    else { throw ValidationError("/proc/self/status: expected a line VmHWM, found none") }
    report("peak resident memory", peak / 1e3, "MB")
  }

  private func complain(_ text: String) {
    FileHandle.standardError.write(Data(text.utf8))
  }
}
