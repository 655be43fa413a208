import Features
import Classes
package import Models
import Corpus
package import LinearAlgebra
import Networks
import Storage
import Training

/// A generalist and its specialists as one classifier of frames.
package struct SpecialistEnsemble: Sendable {
  /// A specialist's model and its classes.
  package struct Specialist: Sendable {
    /// The model, whose classes are either the specialist's own and a dustbin, or all of the
    /// generalist's.
    package let model: AcousticModel
    /// The specialist's own classes, as ids of the generalist's classes.
    package let own: [Int32]

    /// A specialist; `SpecialistEnsemble.init` checks that it fits the generalist.
    package init(model: AcousticModel, own: [Int32]) { (self.model, self.own) = (model, own) }
  }

  /// The model that has all classes.
  package let generalist: AcousticModel
  /// The specialists, in the order in which they were given.
  package let specialists: [Specialist]
  private let combination: SpecialistCombination
  /// The number of the generalist's most probable classes that decide which specialists are active.
  let active: Int

  /// - Parameters:
  ///   - generalist: the model that has all classes.
  ///   - specialists: at most 64.
  ///   - active: the number of the generalist's most probable classes that decide which specialists
  ///     are active.
  /// - Throws: `EnsembleFault` when a specialist's features or classes do not fit the generalist's.
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

  /// The distributions for one utterance.
  package struct Answer: Sendable {
    /// The generalist's distributions, [frames × classes].
    package let generalist: Matrix
    /// The distributions of generalist and specialists combined, [frames × classes].
    package let combined: Matrix
  }

  /// Classifies the frames of one utterance.
  ///
  /// - Parameter logMel: the unnormalised features, [frames × features].
  /// - Returns: the generalist's distributions and the combined ones.
  package func answer(_ logMel: Matrix) -> Answer {
    answer(
      logits: [generalist.logits(of: logMel)] + specialists.map { $0.model.logits(of: logMel) })
  }

  /// Combines what the models say of some frames.
  ///
  /// - Parameter logits: the generalist's, [frames × classes], then those of each specialist,
  ///   [frames × its classes].
  /// - Returns: the generalist's distributions and the combined ones.
  func answer(logits: [Matrix]) -> Answer {
    precondition(
      logits.count == 1 + specialists.count, "answer: logits of \(logits.count) models")
    let said = logits.map { logits in
      var result = logits
      result.replaceRowsBySoftmax()
      return result
    }
    let own = said[0]
    let others = zip(specialists, said.dropFirst()).map { specialist, said in
      specialist.model.classes == generalist.classes
        ? SpecialistEnsemble.narrowed(said, to: specialist.own) : said
    }
    return Answer(
      generalist: own, combined: combination.combined(own, others, n: active))
  }

  /// The number of active specialists, summed over some frames.
  ///
  /// - Parameter generalist: the generalist's distributions, [frames × classes].
  /// - Returns: the sum over the frames.
  package func activeCount(_ generalist: Matrix) -> Int {
    (0..<generalist.rows).reduce(0) {
      $0 + combination.active(generalist.row($1), n: active).count
    }
  }

  /// The probabilities of some classes, followed by the sum of all others.
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
