package import Distillation
import Storage
package import Training

/// A generalist (the recipe's baseline), specialists for classes that it confuses, and students of
/// both.
///
/// Hinton, Vinyals and Dean, "Distilling the knowledge in a neural network", 2015, §5.
package struct SpecialistOptions: Sendable, Codable {
  /// How classes are clustered.
  package var clustering = ClusteringOptions()
  /// The first specialist's seed; the others' seeds follow it.
  package var seed: UInt64 = 201
  /// The training of each specialist, which starts from the generalist's weights.
  package let training: TrainingOptions
  /// How the generalist's soft targets constrain a specialist with all classes; absent for a
  /// specialist with only its own classes and a dustbin class.
  package var fullSoftmax: DistillationOptions?
  /// How many of the generalist's most probable classes of a frame decide which specialists are
  /// active.
  package var active = 1
  /// The number of members in the ensemble that the specialists are compared with; absent for as
  /// many as there are generalist and specialists together, up to the recipe's members.
  package var members: Int?
  /// Students of the generalist, of the generalist with its specialists, and of that ensemble;
  /// absent for none.
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
      expected: "none, since all classes are constrained", found: fullSoftmax?.largest ?? 0)
    try requireOption(
      fullSoftmax?.logits ?? .raw == .raw, "fullSoftmax.logits",
      expected: "raw, since only some classes are compared", found: fullSoftmax?.logits ?? .raw)
    try requireOption(
      fullSoftmax?.decoupled == nil, "fullSoftmax.decoupled",
      expected: "none, since the true class is mostly not compared", found: "one")
    try requireOption(
      training.classWeights.isEmpty, "training.classWeights",
      expected: "none, since specialists sample classes",
      found: training.classWeights.keys.sorted())
  }
}
