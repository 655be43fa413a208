package import Distillation
import Storage
package import Training

/// A generalist, the recipe's baseline, with specialists for classes that it confuses, and students of both (Hinton,
/// Vinyals and Dean 2015, §5).
package struct SpecialistOptions: Sendable, Codable {
  /// Which classes go together.
  package var clustering = ClusteringOptions()
  /// The first specialist's seed; the others' follow it.
  package var seed: UInt64 = 201
  /// How each is trained, from the generalist's weights on.
  package let training: TrainingOptions
  /// How a specialist that keeps all classes is held by the generalist's soft targets; absent for one with its own
  /// classes and a dustbin.
  package var fullSoftmax: DistillationOptions?
  /// How many of the generalist's most probable classes of a frame decide which specialists are active.
  package var active = 1
  /// How many members make the ensemble that the specialists are compared with; absent for as many as there are
  /// networks in all, as far as the recipe has members.
  package var members: Int?
  /// Students of the generalist, of generalist and specialists, and of that ensemble; absent for none.
  package var student: Recipe.SystemOptions?

  package enum CodingKeys: String, CodingKey, CaseIterable {
    case clustering, seed, training, fullSoftmax, active, members, student
  }

  package init(from decoder: any Decoder) throws {
    let read = try OptionReader<CodingKeys>(decoder)
    clustering = try read(.clustering, default: clustering)
    seed = try read(.seed, default: seed)
    training = try read(.training)
    fullSoftmax = try read.optional(.fullSoftmax)
    active = try read(.active, default: active)
    members = try read.optional(.members)
    student = try read.optional(.student)
    try requireOption((1...100).contains(active), "active", expected: "1 to 100", found: active)
    try requireOption(
      (1...1000).contains(members ?? 1), "members", expected: "1 to 1000", found: members ?? 1)
    try requireOption(
      fullSoftmax?.largest == nil, "fullSoftmax.largest",
      expected: "none, since all classes are held", found: fullSoftmax?.largest ?? 0)
    try requireOption(
      training.classWeights.isEmpty, "training.classWeights",
      expected: "none, since classes are drawn",
      found: training.classWeights.keys.sorted())
  }
}
