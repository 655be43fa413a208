package import Features
package import Networks
import Storage
package import Training

extension Recipe {
  /// Members of the ensemble that differ only in their seed.
  package struct MemberGroup: Sendable, Codable {
    /// The number of members, 1 to 1000.
    package var members = 5
    /// The number of folds of the training utterances, divided by speaker where speakers are known;
    /// absent for none.
    ///
    /// All groups of an ensemble have the same number. Member k is not trained on fold k modulo this
    /// number. A training utterance's soft targets come from the members that were not trained on it.
    package var folds: Int?
    /// The first member's seed; the others' seeds follow it.
    ///
    /// Absent for 101 plus the number of members in the groups before.
    package var seed: UInt64?
    /// The hidden layers of each member.
    package var hidden = HiddenShape()
    /// The number of frames before and after each frame in the input of a feed-forward network;
    /// absent for the recipe's.
    package var context: ContextWindow?
    /// The training of each member.
    package var training = TrainingOptions()

    /// Five members with the default network and training.
    package init() {}

    package enum CodingKeys: String, CodingKey, CaseIterable {
      case members, folds, seed, hidden, context, training
    }

    package init(from decoder: any Decoder) throws {
      let read = try OptionReader<CodingKeys>(decoder)
      members = try read(.members, default: members)
      folds = try read.optional(.folds)
      seed = try read.optional(.seed)
      hidden = try read(.hidden, default: hidden)
      context = try read.optional(.context)
      training = try read(.training, default: training)
      try requireOption(
        (1...1000).contains(members), "members", expected: "1 to 1000", found: members)
      try requireFit(
        context == nil || hidden.timeOffsets == nil, "context",
        expected: "none beside hidden.timeOffsets", found: "one")
      try requireChunk(training, hidden)
    }
  }

  /// The ensemble: one group of members, or several with other networks, whose members are numbered
  /// through.
  package struct EnsembleOptions: Sendable, Codable {
    /// A member, without the data.
    struct Member: Sendable {
      /// The seed of its weights, batches and dropout.
      let seed: UInt64
      /// Its group, which says everything else.
      let group: MemberGroup
    }

    /// At least one group, each with its seed.
    package let groups: [MemberGroup]

    /// One group of five members with the default network and training.
    package init() { groups = seeded([MemberGroup()]) }

    /// Reads one group, or a list of groups.
    ///
    /// - Throws: `OptionFault` for options of a group, or groups that do not fit each other.
    package init(from decoder: any Decoder) throws {
      if var list = try? decoder.unkeyedContainer() {
        var groups: [MemberGroup] = []
        while !list.isAtEnd {
          groups.append(try within("[\(groups.count)]") { try list.decode(MemberGroup.self) })
        }
        self.groups = seeded(groups)
      } else {
        groups = seeded([try MemberGroup(from: decoder)])
      }
      try requireOption(
        !groups.isEmpty, "", expected: "one or more groups of members", found: "none")
      try requireOption(
        members <= 1000, "", expected: "1 to 1000 members in all groups", found: members)
      for (place, group) in groups.enumerated() {
        try requireFit(
          group.folds == folds, "[\(place)].folds",
          expected: "those of the first group, \(folds.map { "\($0)" } ?? "none")",
          found: group.folds.map { "\($0)" } ?? "none")
      }
      try requireFit(
        folds.map { $0 >= 2 && $0 <= members } ?? true, "folds",
        expected: "2 up to the number of members, \(members)", found: folds ?? 0)
    }

    /// Writes what `init(from:)` reads.
    package func encode(to encoder: any Encoder) throws {
      if groups.count == 1 {
        try groups[0].encode(to: encoder)
      } else {
        try groups.encode(to: encoder)
      }
    }

    /// The number of members in all groups.
    package var members: Int { groups.reduce(0) { $0 + $1.members } }
    /// The number of folds; nil for none.
    package var folds: Int? { groups[0].folds }
    /// The first member's seed.
    package var seed: UInt64 { groups[0].seed ?? firstSeed }

    /// All members, in order.
    var all: [Member] {
      var all: [Member] = []
      for group in groups {
        let seed = group.seed ?? firstSeed
        all += (0..<group.members).map { Member(seed: seed &+ UInt64($0), group: group) }
      }
      return all
    }
  }
}

/// The first member's seed by default.
private let firstSeed: UInt64 = 101

/// The groups, with default seeds where they have none.
private func seeded(_ groups: [Recipe.MemberGroup]) -> [Recipe.MemberGroup] {
  var members = 0
  return groups.map { group in
    var group = group
    group.seed = group.seed ?? firstSeed + UInt64(members)
    members += group.members
    return group
  }
}
