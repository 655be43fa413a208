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
  /// A set of frames that students learn from, with the soft targets of its frames.
  struct TransferPart {
    let name: String
    let frames: ArchiveFrames
    /// The archive that the features are in.
    let featuresPath: String
    let softTargetsPath: String
  }

  /// The training frames, and the frames of their copies, whose classes are not known.
  private func transferParts() throws -> [TransferPart] {
    func part(_ name: String, _ frames: ArchiveFrames, _ folder: FeatureFolder) -> TransferPart {
      TransferPart(
        name: name, frames: frames, featuresPath: folder.archivePath,
        softTargetsPath: "\(path)/soft-targets/\(name).ark")
    }
    let classes = try ClassInventory(path: targets(.train).classesPath)
    let own = part("train", try openFrames(.train), features(.train))
    return try [own]
      + copies.map { folder, copy in
        part(
          copy.name,
          try ArchiveFrames(
            features: try MatrixArchive(path: folder.archivePath), targets: nil,
            columns: recipe.features.columns, classes: classes.count), folder)
      }
  }

  /// Computes the ensemble's soft targets and trains all students on them.
  package func distill() throws {
    let parts = try transferParts()
    for part in parts { try computeSoftTargets(of: part) }
    let softTargets = try parts.map { try Fingerprint(ofFile: $0.softTargetsPath) }
    try train(studentJobs, on: parts) { inputs in
      inputs.add("distillation", recipe.distillation)
      for (part, print) in zip(parts, softTargets) {
        inputs.add("soft targets of \(part.name)", print.description)
      }
    } objective: { job, classes in
      SoftAndHardTargets(options: recipe.distillation, hard: try job.hardTargets(classes))
    }
  }

  /// Reads the models of all members.
  func loadEnsemble() throws -> Ensemble {
    try Ensemble(memberJobs.map { try AcousticModel(path: modelPath($0.system)) })
  }

  /// Writes the ensemble's distribution at T for each frame, keyed by utterance and frame.
  private func computeSoftTargets(of part: TransferPart) throws {
    var inputs = Inputs()
    inputs.add("temperature", recipe.distillation.temperature)
    inputs.add("mean", recipe.distillation.mean)
    for job in memberJobs { try inputs.add(file: modelPath(job.system)) }
    try inputs.add(file: part.featuresPath)
    for file in dataFiles(.train) { try inputs.add(file: file) }
    try perform(
      "soft-targets/\(part.name)", inputs: inputs, outputs: [part.softTargetsPath]
    ) {
      let lock = try FolderLock("\(path)/soft-targets")
      let ensemble = try loadEnsemble()
      let frames = part.frames
      var archive = try ArchiveWriter(
        part.softTargetsPath, script: "\(path)/soft-targets/\(part.name).scp")
      let roundSize = 16 * workers.count
      for start in stride(from: 0, to: frames.count, by: roundSize) {
        let round = start..<min(frames.count, start + roundSize)
        let posteriors = workers.map(round.count) { index -> Result<Matrix, any Error> in
          Result {
            ensemble.posteriors(
              of: try frames.features(of: start + index, path: part.featuresPath),
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
        """
        \(part.softTargetsPath): \(frames.count) utterances, T = \(recipe.distillation.temperature)
        """)
    }
  }
}
