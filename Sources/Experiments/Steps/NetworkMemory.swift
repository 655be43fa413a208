import Classes
import Corpus
import Distillation
import Features
import Networks
import Storage
import Training

extension Experiment {
  /// Throws `MemoryFault` when there is not enough memory for the distributions of soft targets.
  func requireMemory(
    forSoftTargetsOf frames: ArchiveFrames, classes: Int, temperatures: Int, name: String
  ) throws(MemoryFault) {
    let longest = (0..<frames.count).reduce(0) { max($0, frames.frameCount(of: $1)) }
    let columns = classes.multiplyingSaturated(max(1, temperatures))
    let held = max(
      longest.multiplyingSaturated(columns),
      min(SoftTargetPass.mostValues, frames.frameCount.multiplyingSaturated(columns)))
    var need = MemoryNeed()
    // The sums, the addends, the distributions, and what is stored.
    need.add("distributions", 4, held)
    try ThreadMemory.require(
      need, for: name,
      remedy: "use fewer temperatures in the search, shorter recordings, or raise the limit",
      workers: workers)
  }

  /// Computes the memory that training some networks needs, before any of it is allocated, and logs
  /// the sum.
  ///
  /// - Parameters:
  ///   - steps: the networks.
  ///   - transfer: the frames that they are trained on; nil for the training frames.
  ///   - sideBySide: the number of networks wanted at a time.
  ///   - budget: the available memory.
  /// - Returns: the number that can be trained at a time, at most `sideBySide`.
  /// - Throws: `MemoryFault` for a network that cannot be trained even alone.
  func networksThatFit(
    _ steps: [TrainNetwork], on transfer: [TransferPart]?, sideBySide: Int,
    budget: @autoclosure () -> MemoryBudget = .current()
  ) throws -> Int {
    let (own, together) = try memory(of: steps, on: transfer)
    let budget = budget()
    for (step, memory) in zip(steps, own) {
      var need = memory.need
      need.add("frames", together, size: 1)
      try ThreadMemory.require(
        need, for: "\(step.system) (\(memory.parameters) parameters)",
        remedy: "use fewer units or layers, a smaller batchSize or pool, or raise the limit",
        workers: workers, budget: budget)
    }
    let sizes = own.map(\.need.bytes).sorted(by: >)
    var fitting = sideBySide
    func total(_ count: Int) -> Int {
      sizes.prefix(count).reduce(together) { $0.addingSaturated($1) }
    }
    func limit(_ count: Int) -> MemoryBudget.Limit? {
      budget.limit(
        below: total(count),
        addresses: ThreadMemory.missing(for: workers) + addressesANetwork * count)
    }
    while fitting > 1, limit(fitting) != nil {
      fitting -= 1
    }
    let least = budget.limits.min { $0.available < $1.available }
    reporter.log.info(
      """
      memory: \(steps.count == 1 ? steps[0].name : "\(steps[0].system) and \(steps.count - 1) more"): \
      \(gigabytes(total(fitting)))\(least.map { " of \(gigabytes($0.available))" } ?? ""), \(fitting) at a time
      """)
    if fitting < sideBySide, let limit = limit(sideBySide) {
      reporter.log.warning(
        """
        memory: \(sideBySide) networks side by side need \(gigabytes(total(sideBySide))), and \(limit.name) leaves \
        \(gigabytes(limit.available)): \(fitting) at a time (--networks \(fitting))
        """)
    }
    return fitting
  }

  /// The memory that each network needs alone, and the number of bytes that all share.
  private func memory(
    of steps: [TrainNetwork], on transfer: [TransferPart]?
  ) throws -> (own: [TrainingMemory], together: Int) {
    let (train, development) = (try openFrames(.train), try openFrames(.development))
    let classes = try ClassInventory(path: targets(.train).classesPath).count
    let softColumns =
      (transfer ?? []).map { part in
        part.softTargetsPath == nil
          ? 0 : SoftTargetStore(classes: classes, largest: part.largest).columns
      }.max() ?? 0
    let frames = transfer?.reduce(0) { $0 + $1.frames.frameCount } ?? train.frameCount
    let columns = train.columns
    // Sets with the same pool share their frames, except those that lack a fold.
    var shared: [[Int?]: Int] = [:]
    let own = steps.map { step -> TrainingMemory in
      let key = [
        step.training.pool,
        step.lesson.foldedMember.flatMap { member in recipe.ensemble.folds.map { member % $0 } },
      ]
      let sets = [
        FrameMemory(
          frames: frames, columns: columns, softColumns: softColumns, pool: step.training.pool),
        FrameMemory(
          frames: development.frameCount, columns: columns, softColumns: 0,
          pool: step.training.pool),
      ]
      shared[key] = sets.filter(\.isShared).reduce(0) { $0.addingSaturated($1.bytes) }
      return TrainingMemory(
        features: columns, context: step.context.offsets, hidden: step.hidden, classes: classes,
        softColumns: softColumns, options: step.training,
        frames: max(frames, development.frameCount),
        pools: sets.filter { !$0.isShared }.map(\.bytes))
    }
    return (own, shared.values.reduce(0) { $0.addingSaturated($1) })
  }
}

/// The address space for the stack and heap of the thread that makes a network's batches.
private let addressesANetwork = 66 << 20
