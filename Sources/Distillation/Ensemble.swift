import Features
package import Models
import Corpus
package import LinearAlgebra
import Networks
package import Storage
import Training

/// Models that classify the same frames into the same classes, whose distributions are averaged.
package struct Ensemble: Sendable {
  /// At least one; all with the same features and classes.
  package let members: [AcousticModel]

  /// - Throws: `EnsembleFault` when the members do not fit each other.
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

  /// The number of weights and biases of all members.
  package var parameterCount: Int { members.reduce(0) { $0 + $1.network.parameterCount } }

  /// Averages the members' distributions.
  ///
  /// - Parameters:
  ///   - logits: of each member, frames × classes; at least one. They are asked for one at a time.
  ///   - temperature: T, positive.
  ///   - mean: how the members' distributions become one.
  ///   - workers: share the frames.
  /// - Returns: frames × classes, each row a distribution.
  package static func average(
    _ logits: some Collection<Matrix>, temperature: Double, mean: TeacherMean,
    workers: Workers = .one
  ) -> Matrix {
    var sum = EnsembleMean(mean, temperature: temperature)
    for member in logits { sum.add(member, workers: workers) }
    return sum.distributions
  }
}

/// The mean of distributions that come one at a time.
package struct EnsembleMean: Sendable {
  private let mean: TeacherMean
  private let temperature: Float
  private var sum: Matrix?
  private var count = 0

  /// - Parameters:
  ///   - mean: how the members' distributions become one.
  ///   - temperature: T, positive.
  package init(_ mean: TeacherMean, temperature: Double) {
    (self.mean, self.temperature) = (mean, Float(temperature))
  }

  /// Adds what one member says of the frames.
  ///
  /// - Parameters:
  ///   - logits: frames × classes, as many of both as of the members before.
  ///   - workers: share the frames.
  package mutating func add(_ logits: Matrix, workers: Workers = .one) {
    var term = logits
    if mean == .arithmetic {
      term.replaceRowsBySoftmax(temperature: temperature, workers: workers)
    }
    sum?.add(term, workers: workers)
    if sum == nil { sum = term }
    count += 1
  }

  /// The mean so far, of at least one member: frames × classes, each row a distribution.
  package var distributions: Matrix {
    guard var result = sum else { preconditionFailure("EnsembleMean: an average of no members") }
    result.scale(by: 1 / Float(count))
    if mean == .geometric { result.replaceRowsBySoftmax(temperature: temperature) }
    return result
  }
}

/// Models that cannot form an ensemble.
package enum EnsembleFault: Fault, Equatable {
  case noMembers
  case otherClasses(system: String)
  case otherFeatures(system: String, differences: [String])

  package var exitStatus: ExitStatus { .data }

  package var description: String {
    switch self {
    case .noMembers: "an ensemble needs at least one member"
    case .otherClasses(let system): "\(system) has other classes than the first member"
    case .otherFeatures(let system, let differences):
      "\(system) has other features than the first member: "
        + differences.joined(separator: "; ")
    }
  }
}
