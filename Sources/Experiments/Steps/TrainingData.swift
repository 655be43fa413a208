import Classes
import Corpus
import Features
import KaldiIO
import LinearAlgebra
import Networks
import Storage
import Training

extension Experiment {
  /// What every network depends on: the training and development data, which must be the recipe's.
  func trainingInputs() throws -> Inputs {
    var inputs = try Inputs()
    for part in [CorpusPart.train, .development] { try requireData(part) }
    for file in dataFiles(.train) + dataFiles(.development) { try inputs.add(file: file) }
    return inputs
  }

  /// The data of each of some networks; one set serves all that have the same pool and lack the same fold.
  func openTrainingData(
    of steps: [TrainNetwork], on transfer: [TransferPart]?
  ) throws -> [TrainingData] {
    let folds = try folds()
    var sets: [[Int?]: TrainingData] = [:]
    return try steps.map { step in
      let member = step.lesson.foldedMember
      let key = [step.training.pool, member.map { $0 % (folds?.count ?? 1) }]
      let own =
        try sets[key]
        ?? openTrainingData(pool: step.training.pool, transfer: transfer) { utterance in
          member.map { folds?.isTrained(member: $0, on: utterance) ?? true } ?? true
        }
      sets[key] = own
      return own
    }
  }

  /// The training and development frames, normalised by the training frames' statistics.
  ///
  /// Both are read for that, and every frame must be finite and every class known.
  ///
  /// - Parameters:
  ///   - pool: how many training frames may be in memory.
  ///   - transfer: what to train on; nil for the training frames without soft targets.
  ///   - isTrained: whether a training utterance is trained on, by its id; not asked of `transfer`.
  /// - Returns: both sets, read as far as they fit in the pool.
  /// - Throws: `ExperimentFault` and `FileFault` for data that cannot be trained on.
  private func openTrainingData(
    pool: Int, transfer: [TransferPart]? = nil, where isTrained: (String) -> Bool = { _ in true }
  ) throws -> TrainingData {
    let train = try openFrames(.train)
    let development = try openFrames(.development)
    let classes = try ClassInventory(path: targets(.train).classesPath)
    guard try ClassInventory(path: targets(.development).classesPath) == classes else {
      throw ExperimentFault.otherClasses(
        targets(.development).classesPath, targets(.train).classesPath)
    }
    let normalizer = try train.statistics(path: features(.train).archivePath).normalizer
    _ = try development.statistics(path: features(.development).archivePath)
    let joined = try transfer.map { parts in
      JoinedFrames(
        try parts.map { part in
          guard let path = part.softTargetsPath else { return part.frames }
          return try part.frames.with(
            softTargets: try MatrixArchive(path: path), largest: part.largest)
        })
    }
    let source: any FrameSource = joined ?? train.keeping(isTrained)
    let set = try FrameSet(source, normalizer: normalizer, pool: pool)
    reporter.log.info("training data: \(set.memory)")
    return TrainingData(
      train: set,
      development: try FrameSet(development, normalizer: normalizer, pool: pool),
      options: try features(.train).options(), normalizer: normalizer, classes: classes,
      logPriors: try targets(.train).logPriors(classes: classes.count))
  }
}
