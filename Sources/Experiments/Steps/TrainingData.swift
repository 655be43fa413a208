import Classes
import Corpus
import Features
import KaldiIO
import LinearAlgebra
import Networks
import Storage
import Training

extension Experiment {
  /// The inputs common to all networks: the training and development data, which must match the
  /// recipe.
  func trainingInputs() throws -> Inputs {
    var inputs = try Inputs()
    for set in [UtteranceSet.train, .development] {
      try requireData(set)
      for file in dataFiles(set) { try inputs.add(file: file) }
    }
    return inputs
  }

  /// The data of each network; networks with the same pool and the same withheld fold share one
  /// set.
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
  /// Both sets are read in full: every feature must be finite and every class known.
  ///
  /// - Parameters:
  ///   - pool: how many training frames may be in memory.
  ///   - transfer: the frames to train on; nil for the training frames without soft targets.
  ///   - isTrained: whether a training utterance and its copies are trained on, by its id.
  /// - Returns: both sets, in memory as far as they fit in the pool.
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
          let frames = part.frames.keeping(isTrained)
          guard let path = part.softTargetsPath else { return frames }
          return try frames.with(
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
