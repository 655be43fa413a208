package import Storage

/// What one epoch came to.
package struct EpochRecord: Sendable, Equatable, Codable {
  /// From 1.
  package let epoch: Int
  /// Steps since the training began.
  package let step: Int
  /// The training frames that it went through.
  package let frames: Int
  /// The learning rate of the epoch's last step.
  package let learningRate: Double
  /// The mean of the objective over the training frames, as the network saw them.
  package let loss: Double
  /// The frame accuracy on the training frames whose class is known, as the network saw them (with dropout,
  /// if any).
  package let accuracy: Double
  /// The mean over the steps of the gradient's norm, before it is clipped.
  package let gradientNorm: Double
  /// The mean cross-entropy with the true classes on the development set.
  package let developmentLoss: Double
  package let developmentAccuracy: Double
}

/// What a run of steps came to.
package struct StepRecord: Sendable, Equatable, Codable {
  package let epoch: Int
  /// Steps since the training began, with the last one of these.
  package let step: Int
  package let learningRate: Double
  /// Means over the run's frames.
  package let loss: Double
  package let accuracy: Double
  /// The mean over the run's steps of the gradient's norm, before it is clipped.
  package let gradientNorm: Double
}

/// A training that went wrong.
package enum TrainingFault: Fault, Equatable {
  /// The loss or its gradient is not a number or infinite. `step` counts from 0 over all epochs.
  case diverged(step: Int, learningRate: Double)
  /// The mean loss of some steps is far above that of equal logits.
  case exploded(step: Int, learningRate: Double, loss: Double, limit: Double)
  case file(FileFault)

  /// Whether it is the learning rate, and not a file, that stopped the training.
  package var isDivergence: Bool { if case .file = self { false } else { true } }

  package var exitStatus: ExitStatus {
    if case .file(let fault) = self { fault.exitStatus } else { .data }
  }

  package var description: String {
    switch self {
    case .diverged(let step, let learningRate):
      "the loss or its gradient is no longer finite at step \(step), with a learning rate of \(learningRate); "
        + "choose a smaller learningRate, or a clipNorm"
    case .exploded(let step, let learningRate, let loss, let limit):
      "the loss is \(loss) at step \(step), with a learning rate of \(learningRate), where at most "
        + "\(limit) is expected, ten times that of equal logits; choose a smaller learningRate, or a "
        + "clipNorm"
    case .file(let fault): fault.description
    }
  }
}

/// How far a training is: all that decides how it goes on, besides the numbers of its networks.
package struct TrainingProgress: Sendable, Equatable, Codable {
  /// Sums over some steps.
  package struct Sums: Sendable, Equatable, Codable {
    package var loss = 0.0
    package var correct = 0
    package var frames = 0
    /// The frames whose class is known.
    package var labelled = 0
    package var gradientNorms = 0.0
    package var steps = 0

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
    package var accuracy: Double { Double(correct) / Double(max(1, labelled)) }
    var meanGradientNorm: Double { gradientNorms / Double(max(1, steps)) }
  }

  /// The epoch that is under way, from 1.
  package var epoch = 1
  /// Where the next batch of the epoch is.
  package var position = FrameSet.Position()
  /// Steps that are done.
  package var step = 0
  /// Over the epoch so far, and since the last record.
  package var epochSums = Sums()
  package var recordSums = Sums()
  package var history: [EpochRecord] = []
  /// How often newbob has taken the learning rate down.
  package var halvings = 0
  /// The epoch of the highest development accuracy so far; 0 before the first.
  package var bestEpoch = 0
  /// How much of the log belongs to it; nil when there is none.
  package var log: TrainingLog.Mark?

  package init() {}

  /// The lowest development loss so far.
  var lowestLoss: Double? { history.map(\.developmentLoss).min() }
  var bestAccuracy: Double { bestEpoch > 0 ? history[bestEpoch - 1].developmentAccuracy : -1 }
}
