import Classes
import Corpus
import Distillation
import KaldiIO
import Storage
import Training

/// What a network is trained on.
enum Lesson: Sendable {
  /// The classes of the training frames and of some copies.
  case classes(copies: Int)
  /// The same, without the fold of a member, given by its number.
  case classesWithoutFold(of: Int, copies: Int)
  /// Soft targets and, weighted by λ, the classes of the training frames and of some copies; nil
  /// options for the search's choice, or the recipe's without a search.
  case softTargets(SoftTargets, DistillationOptions?, copies: Int)
  /// The classes of a random share of the training utterances, with soft targets unless nil.
  case share(Double, seed: UInt64, SoftTargets?)
  /// Soft targets and classes of the training frames without those of a label.
  case withoutLabel(String, SoftTargets)
  /// The classes of a specialist, by its number, constrained by the generalist's soft targets
  /// unless nil.
  case specialist(Int, SoftTargets?)

  /// Networks of one group are trained side by side on shared frames.
  var group: String {
    switch self {
    case .classes(let copies), .classesWithoutFold(_, let copies):
      "networks of classes and \(copies) copies"
    case .softTargets(let labels, _, let copies): "networks of \(labels) and \(copies) copies"
    case .share(let share, _, let labels):
      "networks of \(share) and \(labels?.description ?? "classes")"
    case .withoutLabel(let label, _): "networks without \(label)"
    case .specialist: "specialists"
    }
  }

  /// The number of perturbed copies of the training frames that it covers.
  var copies: Int {
    switch self {
    case .classes(let copies), .classesWithoutFold(_, let copies), .softTargets(_, _, let copies):
      copies
    case .share, .withoutLabel, .specialist: 0
    }
  }

  /// The sets of utterances that it covers.
  var sets: [UtteranceSet] { [.train] + (0..<copies).map { .copy($0 + 1) } }

  /// The soft targets; nil for classes only.
  var labels: SoftTargets? {
    switch self {
    case .classes, .classesWithoutFold: nil
    case .softTargets(let labels, _, _), .withoutLabel(_, let labels): labels
    case .share(_, _, let labels), .specialist(_, let labels): labels
    }
  }

  /// The member that is trained without its fold; nil for any other network.
  var foldedMember: Int? {
    if case .classesWithoutFold(let member, _) = self { member } else { nil }
  }

  /// The products that a network needs for it.
  func reads(_ recipe: Recipe) -> [Product] {
    let data = ([.development] + sets).flatMap { [Product.features($0), .targets($0)] }
    let choice = recipe.search == nil ? [] : [Product.search]
    let soft = labels.map { labels in sets.map { Product.softTargets(labels, $0) } } ?? []
    return switch self {
    case .classes: data
    case .classesWithoutFold: data + [.folds]
    case .softTargets(_, let options, _): data + (options == nil ? choice : []) + soft
    case .share(_, _, nil): data
    case .share, .withoutLabel: data + choice + soft
    case .specialist: data + [.model(.generalist), .clusters] + soft
    }
  }

  /// The λ, T and mean; nil without soft targets, or if they constrain a specialist.
  func distillation(in experiment: Experiment) throws -> DistillationOptions? {
    switch self {
    case .classes, .classesWithoutFold, .share(_, _, nil), .specialist: nil
    case .softTargets(_, let options, _): try options ?? experiment.distillation()
    case .share, .withoutLabel: try experiment.distillation()
    }
  }

  /// The frames to train on; nil for the training frames alone without soft targets.
  func transfer(in experiment: Experiment) throws -> [TransferPart]? {
    func parts() throws -> [TransferPart] {
      try sets.map { try experiment.transferPart(labels, $0) }
    }
    switch self {
    case .specialist(_, nil): return nil
    case .classes, .classesWithoutFold: return copies == 0 ? nil : try parts()
    case .softTargets, .specialist: return try parts()
    case .share(let share, let seed, _):
      return try parts().map { $0.with($0.frames.share(share, seed: seed)) }
    case .withoutLabel(let label, _):
      let own = try experiment.classes(ofLabel: label)
      return try parts().map { $0.with($0.frames.leavingOut(own)) }
    }
  }

  /// Adds the inputs that all networks of the group share.
  func addCommon(to inputs: inout Inputs, in experiment: Experiment) throws {
    for set in sets.dropFirst() {
      for file in experiment.dataFiles(set) { try inputs.add(file: file) }
    }
    guard let labels else { return }
    for set in sets {
      guard let path = try experiment.transferPart(labels, set).softTargetsPath else { continue }
      inputs.add("soft targets of \(set.name)", try Fingerprint(ofFile: path).description)
    }
  }

  /// Adds the inputs that are this network's own.
  func add(to inputs: inout Inputs, in experiment: Experiment) throws {
    if let options = try distillation(in: experiment) { inputs.add("distillation", options) }
    switch self {
    case .classes, .softTargets: break
    case .classesWithoutFold(let member, _):
      inputs.add("member", member)
      inputs.add("folds", try experiment.folds())
    case .share(let share, let seed, _): inputs.add("share", [share, Double(seed)])
    case .withoutLabel(let label, _): inputs.add("missing class", label)
    case .specialist(let number, _):
      inputs.add("classes", try experiment.specialistSets()[number])
      inputs.add("full softmax", experiment.recipe.specialists?.fullSoftmax)
      try inputs.add(file: experiment.modelPath(.generalist))
    }
  }
}
