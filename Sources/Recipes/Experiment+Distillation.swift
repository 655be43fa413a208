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

  /// Writes the ensemble's distribution at T for each frame, keyed by utterance and frame.
  private func computeSoftTargets(of part: TransferPart) throws {
    var inputs = Inputs()
    inputs.add("form", ["16-bit logarithms"])
    inputs.add("temperature", recipe.distillation.temperature)
    inputs.add("mean", recipe.distillation.mean)
    for job in memberJobs { try inputs.add(file: modelPath(job.system)) }
    try inputs.add(file: part.featuresPath)
    for file in dataFiles(.train) { try inputs.add(file: file) }
    try perform(
      "soft-targets/\(part.name)", inputs: inputs, outputs: [part.softTargetsPath]
    ) {
      try SoftTargetPass(
        frames: part.frames, classes: try ClassInventory(path: targets(.train).classesPath).count,
        featuresPath: part.featuresPath, memberPaths: memberJobs.map { modelPath($0.system) },
        options: recipe.distillation, workers: workers, reporter: reporter
      ).run(to: part.softTargetsPath, identity: inputs.fingerprint)
    }
  }
}
