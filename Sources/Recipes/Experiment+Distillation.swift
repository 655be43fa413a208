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

  /// Computes the ensemble's soft targets and trains the student on them.
  package func distill() throws {
    try computeSoftTargets()
    let job = studentJob("student")
    var inputs = inputs(of: job, on: try trainingInputs())
    inputs.add("distillation", recipe.distillation)
    try inputs.add(file: softTargetsPath)
    try perform(job.system, inputs: inputs, outputs: [modelPath(job.system)]) {
      let data = try loadTrainingData()
      let objective = SoftAndHardTargets(
        labels: data.train.labels, softTargets: try loadSoftTargets(data),
        options: recipe.distillation)
      let observer = TrainingObserver(
        work: job.system, total: data.train.count * job.training.epochs, reporter: reporter)
      try train(job, on: data, objective: objective, workers: workers, observer: observer)
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
      let ensemble = try loadEnsemble()
      let utterances = try loadUtterances(.train)
      var archive = try ArchiveWriter(
        softTargetsPath, script: "\(path)/soft-targets/train.scp")
      let roundSize = 16 * workers.count
      for start in stride(from: 0, to: utterances.count, by: roundSize) {
        let round = utterances[start..<min(utterances.count, start + roundSize)]
        let posteriors = workers.map(round.count) { index in
          ensemble.posteriors(
            of: round[round.startIndex + index].features,
            temperature: recipe.distillation.temperature, mean: recipe.distillation.mean)
        }
        for (utterance, matrix) in zip(round, posteriors) {
          try archive.write(utterance.id, .matrix(matrix))
        }
        reporter.progress(
          WorkProgress(
            work: "soft targets", done: Double(round.endIndex), total: Double(utterances.count),
            unit: "utterances"))
      }
      try archive.commit()
      reporter.log.info(
        "\(softTargetsPath): \(utterances.count) utterances, T = \(recipe.distillation.temperature)"
      )
    }
  }

  /// The soft targets of the training frames, in the order of the training set.
  private func loadSoftTargets(_ data: TrainingData) throws(FileFault) -> Matrix {
    let entries = try Archive.readMatrices(softTargetsPath)
    let byUtterance = Dictionary(uniqueKeysWithValues: entries.map { ($0.key, $0.matrix) })
    var all = Matrix(rows: 0, columns: data.classes.count)
    for (id, rows) in data.train.utterances {
      guard let matrix = byUtterance[id], matrix.rows == rows.count,
        matrix.columns == data.classes.count
      else {
        let found = byUtterance[id].map { "\($0.rows)×\($0.columns)" } ?? "none"
        throw .malformed(
          path: softTargetsPath,
          expected: "\(rows.count)×\(data.classes.count) soft targets for \(id)", found: found)
      }
      all.append(matrix)
    }
    return all
  }
}
