package import Storage

/// The figures of one epoch.
package struct EpochRecord: Sendable, Equatable, Codable {
  /// The epoch, counted from 1.
  package let epoch: Int
  /// The number of steps since the training began.
  package let step: Int
  /// The number of training frames processed.
  package let frames: Int
  /// The learning rate at the epoch's last step.
  package let learningRate: Double
  /// The mean of the objective over the training frames, computed during training.
  package let loss: Double
  /// The frame accuracy on the training frames whose class is known, computed during training (with
  /// dropout, if any).
  package let accuracy: Double
  /// The mean over the steps of the gradient's norm before clipping.
  package let gradientNorm: Double
  /// The mean cross-entropy with the true classes on the development set, in nats.
  package let developmentLoss: Double
  /// The frame accuracy on the development set.
  package let developmentAccuracy: Double
}

/// The figures of some consecutive steps.
package struct StepRecord: Sendable, Equatable, Codable {
  /// The epoch, counted from 1.
  package let epoch: Int
  /// The number of steps since the training began, including these.
  package let step: Int
  /// The learning rate at the last step.
  package let learningRate: Double
  /// The mean of the objective over the frames of these steps.
  package let loss: Double
  /// The frame accuracy on those frames whose class is known.
  package let accuracy: Double
  /// The mean over these steps of the gradient's norm before clipping.
  package let gradientNorm: Double
}

/// Why a training stopped before its end.
package enum TrainingFault: Fault, Equatable {
  /// The loss or its gradient is infinite or not a number; `step` counts from 0 over all epochs.
  case diverged(step: Int, learningRate: Double)
  /// The mean loss of some steps is more than ten times that of equal logits.
  case exploded(step: Int, learningRate: Double, loss: Double, limit: Double)
  /// A file cannot be read or written, or a signal requested termination.
  case file(FileFault)

  /// Whether the loss diverged or exploded, rather than a file being at fault.
  package var isDivergence: Bool { if case .file = self { false } else { true } }

  /// The file's status, or `data` when the loss diverged or exploded.
  package var exitStatus: ExitStatus {
    if case .file(let fault) = self { fault.exitStatus } else { .data }
  }

  /// What is wrong, and which options may help.
  package var description: String {
    switch self {
    case .diverged(let step, let learningRate):
      "the loss or its gradient is no longer finite at step \(step), with a learning rate of "
        + "\(learningRate); choose a smaller learningRate, or a clipNorm"
    case .exploded(let step, let learningRate, let loss, let limit):
      "the loss is \(loss) at step \(step), with a learning rate of \(learningRate); expected at "
        + "most \(limit), ten times that of equal logits; choose a smaller learningRate, or a "
        + "clipNorm"
    case .file(let fault): fault.description
    }
  }
}

/// The progress of a training: all of its state apart from the values of its networks.
package struct TrainingProgress: Sendable, Equatable, Codable {
  /// Sums over some steps.
  package struct Sums: Sendable, Equatable, Codable {
    /// The sum of the objective over frames.
    package var loss = 0.0
    /// The number of frames whose known class has the largest logit.
    package var correct = 0
    /// The number of frames.
    package var frames = 0
    /// The number of frames whose class is known.
    package var labelled = 0
    /// The sum over steps of the gradient's norm before clipping.
    package var gradientNorms = 0.0
    /// The number of steps.
    package var steps = 0

    /// Sums of zero.
    package init() {}

    mutating func add(_ other: Sums) {
      loss += other.loss
      correct += other.correct
      frames += other.frames
      labelled += other.labelled
      gradientNorms += other.gradientNorms
      steps += other.steps
    }

    var meanLoss: Double { loss / Double(max(1, frames)) }
    /// The share of correct frames among those whose class is known; 0 when there are none.
    package var accuracy: Double { Double(correct) / Double(max(1, labelled)) }
    var meanGradientNorm: Double { gradientNorms / Double(max(1, steps)) }
  }

  /// The current epoch, counted from 1.
  package var epoch = 1
  /// The position of the epoch's next batch.
  package var position = FrameSet.Position()
  /// The number of steps done.
  package var step = 0
  /// The sums over the epoch so far.
  package var epochSums = Sums()
  /// The sums since the last record of steps.
  package var recordSums = Sums()
  /// The records of the epochs done.
  package var history: [EpochRecord] = []
  /// The number of times that `newbob` has reduced the learning rate.
  package var halvings = 0
  /// The epoch with the highest development accuracy so far; 0 before the first has ended.
  package var bestEpoch = 0
  /// The length of the log at the checkpoint; nil when there is no log.
  package var log: TrainingLog.Mark?

  /// The start of a training.
  package init() {}

  /// The lowest development loss so far.
  var lowestLoss: Double? { history.map(\.developmentLoss).min() }
  var bestAccuracy: Double { bestEpoch > 0 ? history[bestEpoch - 1].developmentAccuracy : -1 }
}
