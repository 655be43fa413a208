import Classes
import Corpus
import Distillation
import KaldiIO
import Storage
import Training

/// What a network learns from.
enum Lesson: Sendable {
  /// The classes of the training frames and of so many copies.
  case classes(copies: Int)
  /// The same without the fold of a member, by its number.
  case classesWithoutFold(of: Int, copies: Int)
  /// Soft targets, and by λ classes, of the training frames and of so many copies; the options are those that the
  /// search chooses, or the recipe's, where they are nil.
  case softTargets(SoftTargets, DistillationOptions?, copies: Int)
  /// The classes of a share of the training utterances, drawn by a seed, and soft targets where there are some.
  case share(Double, seed: UInt64, SoftTargets?)
  /// Soft targets and classes of the training frames that are not of a label.
  case withoutLabel(String, SoftTargets)
  /// The classes of a specialist, by its number, held by the generalist's soft targets where there are some.
  case specialist(Int, SoftTargets?)

  /// Networks of one group are trained side by side on frames that they share.
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

  /// How many perturbed copies of the training frames it has.
  var copies: Int {
    switch self {
    case .classes(let copies), .classesWithoutFold(_, let copies), .softTargets(_, _, let copies):
      copies
    case .share, .withoutLabel, .specialist: 0
    }
  }

  /// The sets that it is of.
  var sets: [UtteranceSet] { [.train] + (0..<copies).map { .copy($0 + 1) } }

  /// The soft targets; nil for classes alone.
  var labels: SoftTargets? {
    switch self {
    case .classes, .classesWithoutFold: nil
    case .softTargets(let labels, _, _), .withoutLabel(_, let labels): labels
    case .share(_, _, let labels), .specialist(_, let labels): labels
    }
  }

  /// The member that is not trained on its fold; nil for all others.
  var foldedMember: Int? {
    if case .classesWithoutFold(let member, _) = self { member } else { nil }
  }

  /// What a network reads to learn it.
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

  /// What λ, T and the mean are; nil where there are no soft targets, or they hold a specialist.
  func distillation(in experiment: Experiment) throws -> DistillationOptions? {
    switch self {
    case .classes, .classesWithoutFold, .share(_, _, nil), .specialist: nil
    case .softTargets(_, let options, _): try options ?? experiment.distillation()
    case .share, .withoutLabel: try experiment.distillation()
    }
  }

  /// What a network is trained on; nil for the training frames alone without soft targets.
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

  /// Adds what a network depends on by what all of its group learn from.
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

  /// Adds what else a network depends on by what it learns from.
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
