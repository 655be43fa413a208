import Corpus
import Foundation
import Synchronization
import Training

/// Adds up the progress of networks that are trained side by side.
final class TrainingObserver: Sendable {
  private let work: String
  private let total: Int
  private let reporter: Reporter
  private let done = Atomic(0)

  /// An observer of some networks.
  ///
  /// - Parameters:
  ///   - work: what is being trained, for the progress line.
  ///   - total: the number of frames of all networks and epochs.
  ///   - reporter: receives progress and a line for each epoch.
  init(work: String, total: Int, reporter: Reporter) {
    (self.work, self.total, self.reporter) = (work, total, reporter)
  }

  /// Counts the frames of epochs that will not be trained, as after early stopping.
  func skip(frames: Int) { done.add(frames, ordering: .relaxed) }

  func note(_ event: Trainer.Event, of step: TrainNetwork) {
    switch event {
    case .frames(let count, let sums):
      let sum = done.wrappingAdd(count, ordering: .relaxed).newValue
      reporter.progress(
        WorkProgress(
          work: work, done: Double(sum), total: Double(total), unit: "frames",
          remark: String(format: "%@ %.2f %% so far", step.system.name, 100 * sums.accuracy)))
    case .steps: break
    case .epoch(let record):
      reporter.log.info(
        """
        \(step.system): epoch \(record.epoch) of \(step.training.epochs), \
        loss \(String(format: "%.4f", record.loss)), \
        accuracy \(String(format: "%.2f", 100 * record.accuracy)) %, \
        development \(String(format: "%.2f", 100 * record.developmentAccuracy)) %
        """)
    }
  }
}
