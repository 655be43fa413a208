import Features
import Classes
package import Models
import Corpus
package import LinearAlgebra
import Networks
import Storage
import Training

/// A generalist with specialists, as one classifier of frames.
package struct SpecialistEnsemble: Sendable {
  /// A specialist's model with its classes.
  package struct Specialist: Sendable {
    /// Either has the specialist's own classes and a dustbin, or all of the generalist's.
    package let model: AcousticModel
    /// The ids of its own classes among the generalist's.
    package let own: [Int32]

    package init(model: AcousticModel, own: [Int32]) { (self.model, self.own) = (model, own) }
  }

  package let generalist: AcousticModel
  package let specialists: [Specialist]
  private let combination: SpecialistCombination
  private let active: Int

  /// - Parameters:
  ///   - generalist: knows all classes.
  ///   - specialists: up to 64.
  ///   - active: how many of the generalist's most probable classes decide on the active specialists.
  /// - Throws: `EnsembleFault` for a specialist with other features or classes.
  package init(
    generalist: AcousticModel, specialists: [Specialist], active: Int
  ) throws(EnsembleFault) {
    for specialist in specialists {
      let model = specialist.model
      let own = specialist.own.map { generalist.classes.symbols[Int($0)] }
      guard
        model.classes == generalist.classes || model.classes.symbols == own + [dustbinSymbol]
      else { throw .otherClasses(system: model.provenance.system) }
      let differences = generalist.features.differences(from: model.features)
      guard differences.isEmpty else {
        throw .otherFeatures(system: model.provenance.system, differences: differences)
      }
    }
    (self.generalist, self.specialists, self.active) = (generalist, specialists, active)
    combination = SpecialistCombination(
      classes: generalist.classes.count, specialists: specialists.map(\.own))
  }

  /// What is said of an utterance.
  package struct Answer: Sendable {
    /// Frames × classes, each row a distribution.
    package let generalist: Matrix
    /// The same of generalist and specialists.
    package let combined: Matrix
  }

  /// The distributions for the frames of one utterance.
  ///
  /// - Parameter logMel: frames × features, not normalised.
  /// - Returns: the generalist's and the combination.
  package func answer(_ logMel: Matrix) -> Answer {
    func posteriors(_ model: AcousticModel) -> Matrix {
      var result = model.logits(of: logMel)
      result.replaceRowsBySoftmax()
      return result
    }
    let own = posteriors(generalist)
    let others = specialists.map { specialist in
      let said = posteriors(specialist.model)
      return specialist.model.classes == generalist.classes
        ? SpecialistEnsemble.narrowed(said, to: specialist.own) : said
    }
    return Answer(
      generalist: own, combined: combination.combined(own, others, n: active))
  }

  /// How many specialists are active, summed over some frames.
  ///
  /// - Parameter generalist: its distributions, frames × classes.
  /// - Returns: the sum over the frames.
  package func activeCount(_ generalist: Matrix) -> Int {
    (0..<generalist.rows).reduce(0) {
      $0 + combination.active(generalist.row($1), n: active).count
    }
  }

  /// The probabilities of some classes, and behind them the sum of all others.
  private static func narrowed(_ posteriors: Matrix, to own: [Int32]) -> Matrix {
    var result = Matrix(rows: posteriors.rows, columns: own.count + 1)
    var isOwn = [Bool](repeating: false, count: posteriors.columns)
    for id in own { isOwn[Int(id)] = true }
    result.withRows(0..<result.rows) { frame, row in
      let all = posteriors.row(frame)
      for (place, id) in own.enumerated() { row[place] = all[Int(id)] }
      row[own.count] = 0
      for id in all.indices where !isOwn[id] { row[own.count] += all[id] }
    }
    return result
  }
}
