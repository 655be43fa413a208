import Corpus
import Distillation
import Features
import Foundation
import KaldiIO
import LinearAlgebra
import Logging
import Storage
import Training

extension Experiment {
  private var softTargetsPath: String { "\(path)/soft-targets/train.ark" }

  /// Computes the ensemble's soft targets and trains all students on them.
  package func distill() throws {
    try computeSoftTargets()
    let softTargets = try Fingerprint(ofFile: softTargetsPath)
    try train(studentJobs, softTargets: softTargetsPath) { inputs in
      inputs.add("distillation", recipe.distillation)
      inputs.add("soft targets", softTargets.description)
    } objective: { job, classes in
      SoftAndHardTargets(options: recipe.distillation, hard: try job.hardTargets(classes))
    }
  }

  /// Reads the models of all members.
  func loadEnsemble() throws -> Ensemble {
    try Ensemble(memberJobs.map { try AcousticModel(path: modelPath($0.system)) })
  }

  /// Writes the ensemble's distribution at T for each training frame, keyed by utterance and frame.
  private func computeSoftTargets() throws {
    var inputs = Inputs()
    inputs.add("temperature", recipe.distillation.temperature)
    inputs.add("mean", recipe.distillation.mean)
    for job in memberJobs { try inputs.add(file: modelPath(job.system)) }
    for file in dataFiles(.train) { try inputs.add(file: file) }
    try perform("soft-targets", inputs: inputs, outputs: [softTargetsPath]) {
      let lock = try FolderLock("\(path)/soft-targets")
      let ensemble = try loadEnsemble()
      let frames = try openFrames(.train)
      var archive = try ArchiveWriter(
        softTargetsPath, script: "\(path)/soft-targets/train.scp")
      let roundSize = 16 * workers.count
      for start in stride(from: 0, to: frames.count, by: roundSize) {
        let round = start..<min(frames.count, start + roundSize)
        let posteriors = workers.map(round.count) { index -> Result<Matrix, any Error> in
          Result {
            ensemble.posteriors(
              of: try frames.features(of: start + index, path: features(.train).archivePath),
              temperature: recipe.distillation.temperature, mean: recipe.distillation.mean)
          }
        }
        for (index, matrix) in zip(round, posteriors) {
          try archive.write(frames.id(of: index), .matrix(try matrix.get()))
        }
        reporter.progress(
          WorkProgress(
            work: "soft targets", done: Double(round.upperBound), total: Double(frames.count),
            unit: "utterances"))
      }
      try archive.commit()
      _ = consume lock
      reporter.log.info(
        "\(softTargetsPath): \(frames.count) utterances, T = \(recipe.distillation.temperature)"
      )
    }
  }
}
