import Corpus
import Distillation
import Evaluation
import LinearAlgebra
import Networks
import Storage

/// The tallies of one system on one set, and the time that it took.
struct SystemTally {
  var tallies: [FrameTally] = []
  var seconds = 0.0

  var framesPerSecond: Double {
    Double(tallies.reduce(0) { $0 + $1.frames }) / max(seconds, 1e-9)
  }
}

/// The tallies of all systems on one set.
struct TalliedSet {
  let systems: [String: SystemTally]
  /// How the members differ on each utterance.
  let members: [MemberTally]
  /// Nil unless the speaker of each utterance is known.
  let speakers: Speakers?

  /// The tallies of each of some systems.
  func tallies(_ names: [String]) -> [[FrameTally]] { names.map { systems[$0]?.tallies ?? [] } }
}

/// The tallies of a part, accumulated utterance by utterance.
struct PartTally {
  /// A model's output for an utterance.
  struct Output {
    let system: String
    let logits: Matrix
    let seconds: Double
  }

  /// The number of members of the ensemble, which are the first models.
  let members: Int
  let mean: TeacherMean
  /// The ensemble of the first members that specialists are compared with.
  let compared: (name: String, members: Int)?
  let rules: ScoringRules
  private(set) var systems: [String: SystemTally] = [:]
  private(set) var memberTallies: [MemberTally] = []

  init(
    members: Int, mean: TeacherMean, compared: (name: String, members: Int)?, rules: ScoringRules
  ) {
    (self.members, self.mean, self.compared, self.rules) = (members, mean, compared, rules)
  }

  /// Adds an utterance.
  mutating func add(_ outputs: [Output], labels: [Int32]) {
    let posteriors = outputs.map { output in
      var posteriors = output.logits
      posteriors.replaceRowsBySoftmax(temperature: 1)
      add(posteriors, of: output.system, seconds: output.seconds, labels: labels)
      return posteriors
    }
    let logits = outputs.prefix(members).map(\.logits)
    let seconds = outputs.prefix(members).reduce(0) { $0 + $1.seconds }
    addAverage(of: logits, as: System.ensemble.name, seconds: seconds, labels: labels)
    if let compared {
      addAverage(
        of: Array(logits.prefix(compared.members)), as: compared.name, seconds: 0, labels: labels)
    }
    let own = Array(posteriors.prefix(members))
    memberTallies.append(
      MemberTally(
        posteriors: own, terms: mean == .arithmetic ? own : logits, labels: labels, by: rules))
  }

  /// Adds the average of members, whose own time was `seconds`.
  private mutating func addAverage(
    of logits: [Matrix], as system: String, seconds: Double, labels: [Int32]
  ) {
    let clock = ContinuousClock()
    let start = clock.now
    let posteriors = Ensemble.average(logits, temperature: 1, mean: mean)
    let own = (clock.now - start) / .seconds(1)
    add(posteriors, of: system, seconds: seconds + own, labels: labels)
  }

  private mutating func add(
    _ posteriors: Matrix, of system: String, seconds: Double, labels: [Int32]
  ) {
    systems[system, default: SystemTally()].seconds += seconds
    systems[system]?.tallies.append(rules.tally(posteriors, labels: labels))
  }
}
