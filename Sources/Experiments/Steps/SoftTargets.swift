import Corpus
import Distillation
import Networks
import Storage

/// Distributions over the classes that networks are trained on: their teacher and its T.
enum SoftTargets: Hashable, Sendable, CustomStringConvertible {
  /// The ensemble's, with a given mean and T.
  case ensemble(TeacherMean, temperature: Double)
  /// The ensemble's, with the mean and T that the search chooses.
  case chosen
  /// The generalist's, which constrain specialists with all classes.
  case held(TeacherMean, temperature: Double)
  /// Those for a student of the specialists' stage.
  case distilled(System.Teacher)

  var description: String {
    switch self {
    case .ensemble(let mean, let temperature): "\(mean.rawValue)-T\(temperature)"
    case .chosen: "chosen"
    case .held: "held"
    case .distilled(let teacher): System.distilled(from: teacher).name
    }
  }

  /// Those for a recipe's students.
  static func ofStudents(_ recipe: Recipe) -> SoftTargets {
    let own = recipe.distillation
    return recipe.search == nil ? .ensemble(own.mean, temperature: own.temperature) : .chosen
  }

  /// The products that the teacher needs, besides the frames.
  func reads(_ recipe: Recipe) -> [Product] {
    let choice = recipe.search == nil ? [] : [Product.search]
    let folds = recipe.ensemble.folds == nil ? [] : [Product.folds]
    let members = recipe.memberSystems.map { Product.model($0) }
    let generalist = [Product.model(.generalist)]
    return switch self {
    case .ensemble: folds + members
    case .chosen: choice + folds + members
    case .held: generalist
    case .distilled(.generalist): choice + generalist
    case .distilled(.specialists):
      choice + generalist + [.clusters] + recipe.specialistSystems.map { .model($0) }
    case .distilled(.ensemble): choice + [.clusters] + members.prefix(recipe.comparedMembers)
    }
  }

  /// T.
  func temperature(in experiment: Experiment) throws -> Double {
    switch self {
    case .ensemble(_, let temperature), .held(_, let temperature): temperature
    case .chosen, .distilled: try experiment.distillation().temperature
    }
  }

  /// The number of probabilities stored for each frame; nil for all.
  func largest(_ recipe: Recipe) -> Int? {
    if case .held = self { nil } else { recipe.distillation.largest }
  }

  /// The name of their folder in `soft-targets`.
  func folderName(in experiment: Experiment) throws -> String {
    switch self {
    case .ensemble, .held, .distilled(.generalist), .distilled(.specialists): return description
    case .distilled(.ensemble):
      // If there are students of the whole ensemble, it has already labelled the frames.
      return try experiment.isWholeCompared()
        ? SoftTargets.chosen.folderName(in: experiment) : description
    case .chosen:
      let own = try experiment.distillation()
      return SoftTargets.ensemble(own.mean, temperature: own.temperature).description
    }
  }

  /// The teacher; its models need not exist yet.
  func teacher(in experiment: Experiment) throws -> any Teacher {
    switch self {
    case .ensemble(let mean, _): return try experiment.ensembleTeacher(mean)
    case .chosen: return try experiment.ensembleTeacher(experiment.distillation().mean)
    case .held(let mean, _): return experiment.generalistTeacher(mean)
    case .distilled(.generalist):
      return experiment.generalistTeacher(try experiment.distillation().mean)
    case .distilled(.specialists): return try experiment.specialistTeacher()
    case .distilled(.ensemble):
      let members = try experiment.isWholeCompared() ? nil : experiment.comparedEnsemble()?.members
      return try experiment.ensembleTeacher(experiment.distillation().mean, members: members)
    }
  }
}

extension Experiment {
  /// The ensemble as a teacher.
  ///
  /// - Parameters:
  ///   - mean: how the members' distributions are combined.
  ///   - members: how many of the first members to use; nil for all, each on the folds that it was
  ///     not trained on.
  /// - Returns: a teacher whose models need not exist yet.
  /// - Throws: `FileFault` when the folds cannot be determined.
  fileprivate func ensembleTeacher(
    _ mean: TeacherMean, members: Int? = nil
  ) throws(FileFault) -> EnsembleTeacher {
    let systems = recipe.memberSystems
    return EnsembleTeacher(
      memberPaths: systems.prefix(members ?? systems.count).map { modelPath($0) },
      mean: mean, folds: members == nil ? try folds() : nil)
  }

  fileprivate func generalistTeacher(_ mean: TeacherMean) -> EnsembleTeacher {
    EnsembleTeacher(memberPaths: [modelPath(.generalist)], mean: mean)
  }

  /// The generalist with its specialists as a teacher.
  fileprivate func specialistTeacher() throws -> SpecialistTeacher {
    let ensemble = try specialistEnsemble()
    let networks = try [System.generalist] + foundSpecialists()
    return SpecialistTeacher(
      ensemble: ensemble, active: recipe.specialists?.active ?? 1,
      paths: networks.map { modelPath($0) })
  }

  /// Whether specialists are compared with the whole ensemble.
  fileprivate func isWholeCompared() throws(FileFault) -> Bool {
    try comparedEnsemble()?.members == recipe.ensemble.members
  }
}
