import Storage

/// The steps of a recipe, each after those whose products it reads.
struct Plan: Sendable {
  let steps: [any Step]
  private let places: [Product: Int]

  /// The plan of a recipe, which depends on the recipe alone.
  init(_ recipe: Recipe) {
    var steps: [any Step] = []
    steps += ExtractFeatures.steps(of: recipe)
    steps += MakeTargets.steps(of: recipe)
    steps += WarpTargets.steps(of: recipe)
    steps += DivideFolds.steps(of: recipe)
    steps += TrainNetwork.members(of: recipe)
    steps += ChooseBaselines.steps(of: recipe)
    steps += ChooseDistillation.steps(of: recipe)
    steps += LabelFrames.steps(of: recipe)
    steps += TrainNetwork.students(of: recipe)
    steps += TrainNetwork.studies(of: recipe)
    steps += FindClusters.steps(of: recipe)
    steps += TrainNetwork.specialists(of: recipe)
    steps += TrainNetwork.studentsOfSpecialists(of: recipe)
    steps += ScoreSystems.steps(of: recipe)
    self.steps = steps
    places = Dictionary(
      steps.enumerated().map { ($1.makes, $0) }, uniquingKeysWith: { first, _ in first })
  }

  /// The step that makes a product; nil when the recipe has none.
  subscript(product: Product) -> (any Step)? { places[product].map { steps[$0] } }

  /// The steps of some stages, in the plan's order.
  func steps(of stages: [Stage]) -> [any Step] { steps.filter { stages.contains($0.stage) } }

  /// Groups consecutive steps of the same group.
  static func batches(_ steps: [any Step]) -> [[any Step]] {
    var batches: [[any Step]] = []
    for step in steps {
      if batches.last?.first?.group == step.group {
        batches[batches.count - 1].append(step)
      } else {
        batches.append([step])
      }
    }
    return batches
  }

  /// The products that some steps read and none of them makes, each once.
  func inputs(of steps: [any Step]) -> [Product] {
    var known = Set(steps.map(\.makes))
    return steps.flatMap(\.reads).filter { known.insert($0).inserted }
  }

  /// The steps whose products a step reads.
  func before(_ step: any Step) -> [any Step] {
    let read = Set(step.reads)
    return steps.filter { read.contains($0.makes) }
  }
}
