import Features
package import Models
import Corpus
package import LinearAlgebra
import Networks
package import Storage
import Training

/// Models with the same features and classes whose distributions are averaged.
package struct Ensemble: Sendable {
  /// The models, at least one.
  package let members: [AcousticModel]

  /// - Throws: `EnsembleFault` when there are no members, or their features or classes differ.
  package init(_ members: [AcousticModel]) throws(EnsembleFault) {
    guard let first = members.first else { throw .noMembers }
    for member in members {
      guard member.classes == first.classes else {
        throw .otherClasses(system: member.provenance.system)
      }
      let differences = first.features.differences(from: member.features)
      guard differences.isEmpty else {
        throw .otherFeatures(system: member.provenance.system, differences: differences)
      }
    }
    self.members = members
  }

  /// The number of parameters of all members together.
  package var parameterCount: Int { members.reduce(0) { $0 + $1.network.parameterCount } }

  /// Averages the members' distributions.
  ///
  /// - Parameters:
  ///   - logits: the logits of each member, [frames × classes]; at least one. They are accessed one
  ///     at a time, so the collection may be lazy.
  ///   - temperature: T, positive.
  ///   - mean: how the distributions are averaged.
  ///   - workers: the threads among which the frames are shared.
  /// - Returns: distributions, [frames × classes].
  package static func average(
    _ logits: some Collection<Matrix>, temperature: Double, mean: TeacherMean,
    workers: Workers = .one
  ) -> Matrix {
    var sum = EnsembleMean(mean, temperature: temperature)
    for member in logits { sum.add(member, workers: workers) }
    return sum.distributions
  }
}

/// The running mean of distributions that are added one member at a time.
package struct EnsembleMean: Sendable {
  private let mean: TeacherMean
  private let temperature: Float
  private var sum: Matrix?
  private var count = 0

  /// - Parameters:
  ///   - mean: how the distributions are averaged.
  ///   - temperature: T, positive.
  package init(_ mean: TeacherMean, temperature: Double) {
    (self.mean, self.temperature) = (mean, Float(temperature))
  }

  /// Adds one member's logits.
  ///
  /// - Parameters:
  ///   - logits: [frames × classes], the same shape for all members.
  ///   - workers: the threads among which the frames are shared.
  package mutating func add(_ logits: Matrix, workers: Workers = .one) {
    var term = logits
    if mean == .arithmetic {
      term.replaceRowsBySoftmax(temperature: temperature, workers: workers)
    }
    sum?.add(term, workers: workers)
    if sum == nil { sum = term }
    count += 1
  }

  /// The mean of the members added so far, at least one: distributions, [frames × classes].
  package var distributions: Matrix {
    guard var result = sum else { preconditionFailure("EnsembleMean: an average of no members") }
    result.scale(by: 1 / Float(count))
    if mean == .geometric { result.replaceRowsBySoftmax(temperature: temperature) }
    return result
  }
}

/// Why models cannot form an ensemble.
package enum EnsembleFault: Fault, Equatable {
  /// There are no models.
  case noMembers
  /// The named model's classes differ from those of the first model, or of the generalist.
  case otherClasses(system: String)
  /// The named model's features differ from those of the first model, or of the generalist.
  case otherFeatures(system: String, differences: [String])

  /// Always `data`.
  package var exitStatus: ExitStatus { .data }

  /// What is wrong, with the model's name.
  package var description: String {
    switch self {
    case .noMembers: "an ensemble needs at least one member"
    case .otherClasses(let system): "the classes of \(system) differ from the first model's"
    case .otherFeatures(let system, let differences):
      "the features of \(system) differ from the first model's: "
        + differences.joined(separator: "; ")
    }
  }
}
