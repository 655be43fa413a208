package import Classes
package import Features
import LinearAlgebra
package import Storage
package import SystemPackage

/// The data that networks are trained on.
package struct TrainingData: Sendable {
  /// The frames to train on.
  package let train: FrameSet
  /// The frames whose accuracy decides which epoch is kept.
  package let development: FrameSet
  /// The options that the features were made with.
  package let options: FeatureOptions
  /// Mean and variance of the training frames.
  package let normalizer: FeatureNormalizer
  /// The classes that the networks distinguish.
  package let classes: ClassInventory
  /// The log priors of the training targets; see `AcousticModel.logPriors`.
  package let logPriors: [Float]

  /// The training and development frames, with what a model keeps of how they were made.
  package init(
    train: FrameSet, development: FrameSet, options: FeatureOptions, normalizer: FeatureNormalizer,
    classes: ClassInventory, logPriors: [Float]
  ) {
    (self.train, self.development) = (train, development)
    (self.options, self.normalizer) = (options, normalizer)
    (self.classes, self.logPriors) = (classes, logPriors)
  }

  /// The same data with a sample drawn for each epoch; all of it for nil.
  package func sampled(by sampling: ClassSampling?) -> TrainingData {
    guard let sampling else { return self }
    return TrainingData(
      train: train.sampled(by: sampling), development: development.sampled(by: sampling),
      options: options, normalizer: normalizer, classes: classes, logPriors: logPriors)
  }
}

extension FrameSource {
  /// The statistics of all frames; every feature must be finite and every class known.
  ///
  /// - Parameter path: the archive's, for the message.
  /// - Returns: the statistics, one set of sums per column.
  /// - Throws: `FileFault` for frames that cannot be read or trained on.
  package func statistics(path: FilePath) throws(FileFault) -> FeatureNormalizer.Statistics {
    var statistics = FeatureNormalizer.Statistics(columns: columns)
    let piece = SharedMatrix(rows: 0, columns: columns)
    for index in 0..<count {
      try Interruption.check()
      let frames = frameCount(of: index)
      for start in stride(from: 0, to: frames, by: framesAPiece) {
        let range = start..<min(frames, start + framesAPiece)
        piece.setRowCount(range.count)
        try readFeatures(range, of: index, into: piece.tile)
        for row in 0..<piece.rows where !statistics.add(piece.row(row)) {
          throw .malformed(
            path: path, expected: "finite features for \(id(of: index))",
            found: "NaN or infinity in frame \(start + row)")
        }
        _ = try labels(range, of: index)
      }
    }
    return statistics
  }
}

/// The number of frames read at a time for statistics.
private let framesAPiece = 4096
