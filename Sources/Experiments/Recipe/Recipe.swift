package import Evaluation
package import Corpus
package import Distillation
package import Features
package import Networks
import Storage
package import SystemPackage
package import Training

/// An experiment as a value: all the choices that lead from a corpus to scores.
///
/// Relative paths in it start at the experiment's folder.
package struct Recipe: Sendable, Codable {
  /// Where the data directories are.
  package struct CorpusOptions: Sendable, Codable {
    package let train: FilePath
    package let development: FilePath
    package let test: FilePath
    /// Where relative paths in `wav.scp` start; absent for the current folder, as in Kaldi.
    package let root: FilePath?
    /// Which channel of each recording to take, from 1; absent for mono files.
    package let channel: Int?

    package enum CodingKeys: String, CodingKey, CaseIterable {
      case train, development, test, root, channel
    }

    package init(from decoder: any Decoder) throws {
      let read = try OptionReader<CodingKeys>(decoder)
      train = try read(.train)
      development = try read(.development)
      test = try read(.test)
      root = try read.optional(.root)
      channel = try read.optional(.channel)
      try requireOption(channel ?? 1 > 0, "channel", expected: "above 0", found: channel ?? 1)
    }

    package func encode(to encoder: any Encoder) throws {
      var container = encoder.container(keyedBy: CodingKeys.self)
      try container.encode(train.string, forKey: .train)
      try container.encode(development.string, forKey: .development)
      try container.encode(test.string, forKey: .test)
      try container.encodeIfPresent(root?.string, forKey: .root)
      try container.encodeIfPresent(channel, forKey: .channel)
    }
  }

  /// A network and how it is trained, without what it is trained on.
  package struct SystemOptions: Sendable, Codable {
    /// Systems with other seeds differ in their initial weights, their order of frames and their
    /// dropped units.
    package var seed: UInt64 = 1
    package var hidden = HiddenShape()
    package var training = TrainingOptions()

    package init() {}

    package enum CodingKeys: String, CodingKey, CaseIterable { case seed, hidden, training }

    package init(from decoder: any Decoder) throws {
      let read = try OptionReader<CodingKeys>(decoder)
      seed = try read(.seed, default: seed)
      hidden = try read(.hidden, default: hidden)
      training = try read(.training, default: training)
      try requireChunk(training, hidden)
    }
  }

  /// What a recipe says of a baseline; what it does not say is the student's.
  private struct BaselineSection: Decodable {
    let seed: UInt64?
    let hidden: HiddenShape?
    let training: TrainingOptions?

    init(from decoder: any Decoder) throws {
      let read = try OptionReader<SystemOptions.CodingKeys>(decoder)
      seed = try read.optional(.seed)
      hidden = try read.optional(.hidden)
      training = try read.optional(.training)
    }

    /// The baseline of a student, which is a network of the same size.
    static func baseline(
      _ section: BaselineSection?, of student: SystemOptions
    ) throws -> SystemOptions {
      var baseline = student
      baseline.seed = section?.seed ?? student.seed
      baseline.training = section?.training ?? student.training
      try requireOption(
        section?.hidden ?? student.hidden == student.hidden, "baseline.hidden",
        expected: "that of the student", found: "another")
      try requireChunk(baseline.training, baseline.hidden, of: "baseline.")
      return baseline
    }
  }

  /// The ensemble: members that differ in their seed alone.
  package struct EnsembleOptions: Sendable, Codable {
    package var members = 5
    /// Into how many folds the training utterances are divided, by speakers where they are known; absent for
    /// none.
    ///
    /// Member k is not trained on fold k modulo their number, and a training utterance is labelled for students by
    /// the members that were not trained on it.
    package var folds: Int?
    /// The first member's seed; the others' follow it.
    package var seed: UInt64 = 101
    package var hidden = HiddenShape()
    package var training = TrainingOptions()

    package init() {}

    package enum CodingKeys: String, CodingKey, CaseIterable {
      case members, folds, seed, hidden, training
    }

    package init(from decoder: any Decoder) throws {
      let read = try OptionReader<CodingKeys>(decoder)
      members = try read(.members, default: members)
      folds = try read.optional(.folds)
      seed = try read(.seed, default: seed)
      hidden = try read(.hidden, default: hidden)
      training = try read(.training, default: training)
      try requireOption(
        (1...1000).contains(members), "members", expected: "1 to 1000", found: members)
      try requireOption(
        folds.map { $0 >= 2 && $0 <= members } ?? true, "folds",
        expected: "2 up to the number of members, \(members)", found: folds ?? 0)
      try requireChunk(training, hidden)
    }
  }

  /// A student and its baseline, of a size of their own.
  package struct StudentPair: Sendable, Codable {
    package let student: SystemOptions
    package let baseline: SystemOptions

    package enum CodingKeys: String, CodingKey, CaseIterable { case student, baseline }

    init(_ student: SystemOptions, _ baseline: SystemOptions) {
      (self.student, self.baseline) = (student, baseline)
    }

    package init(from decoder: any Decoder) throws {
      let read = try OptionReader<CodingKeys>(decoder)
      student = try read(.student)
      baseline = try BaselineSection.baseline(try read.optional(.baseline), of: student)
    }
  }

  package let corpus: CorpusOptions
  package let targets: TargetOptions
  package let features: FeatureChoice
  package let context: ContextWindow
  package let ensemble: EnsembleOptions
  /// The network that the ensemble is distilled into.
  package let student: SystemOptions
  /// The student's rival, trained on hard targets; where the recipe says nothing it differs from the student
  /// in its targets alone.
  package let baseline: SystemOptions
  /// What is tried to choose how the baselines are trained; nil for no search.
  package let baselineSearch: BaselineSearchOptions?
  /// More pairs of a student and its baseline, such as smaller ones, by a name of their own.
  package let students: [String: StudentPair]
  package let distillation: DistillationOptions
  /// What is tried to choose T, λ and the mean, in place of those of `distillation`; nil for no search.
  package let search: SearchOptions?
  /// Perturbed copies that students learn from besides the training frames; nil for none.
  package let augmentation: AugmentationOptions?
  /// Students of a share of the utterances, and their rivals; nil for none.
  package let subsets: SubsetOptions?
  /// A student that never sees one label's frames; nil for none.
  package let missingClass: MissingClassOptions?
  /// Specialists of the baseline; nil for none.
  package let specialists: SpecialistOptions?
  package let scoring: ScoringOptions
  /// The recipe's text.
  package internal(set) var text = ""

  package enum CodingKeys: String, CodingKey, CaseIterable {
    case corpus, targets, features, context, ensemble, student, baseline, baselineSearch, students,
      distillation
    case search, augmentation, subsets, missingClass, specialists, scoring
  }

  package init(from decoder: any Decoder) throws {
    let read = try OptionReader<CodingKeys>(decoder)
    corpus = try read(.corpus)
    targets = try read(.targets)
    features = try read(.features, default: .made(FeatureOptions()))
    context = try read(.context, default: ContextWindow())
    ensemble = try read(.ensemble, default: EnsembleOptions())
    student = try read(.student, default: SystemOptions())
    baseline = try BaselineSection.baseline(try read.optional(.baseline), of: student)
    baselineSearch = try read.optional(.baselineSearch)
    students = try read(.students, default: [:])
    for name in students.keys.sorted() {
      try requireOption(
        !name.isEmpty && name.unicodeScalars.allSatisfy { isOfName($0) }, "students.\(name)",
        expected: "a name of letters, digits and hyphens", found: name)
    }
    distillation = try read(.distillation, default: DistillationOptions())
    search = try read.optional(.search)
    augmentation = try read.optional(.augmentation)
    subsets = try read.optional(.subsets)
    missingClass = try read.optional(.missingClass)
    specialists = try read.optional(.specialists)
    scoring = try read(.scoring, default: ScoringOptions())
    let copies = augmentation?.copies ?? 0
    if case .archives = features {
      try requireOption(
        copies == 0, "augmentation.copies",
        expected: "0 with features.archive, since copies need audio",
        found: copies)
    }
    try requireOption(
      search?.copies ?? 0 <= copies, "search.copies",
      expected: "at most those of augmentation, \(copies)", found: search?.copies ?? 0)
    guard let specialists else { return }
    try requireOption(
      specialists.members ?? 1 <= ensemble.members, "specialists.members",
      expected: "at most the ensemble's, \(ensemble.members)", found: specialists.members ?? 1)
    // Specialists and generalist are trained on all frames that they label.
    try requireOption(
      ensemble.folds == nil || specialists.student == nil, "specialists.student",
      expected: "none beside ensemble.folds", found: "one")
  }
}

/// Whether a letter may stand in the name of a system, which names files.
private func isOfName(_ letter: Unicode.Scalar) -> Bool {
  letter == "-" || letter.isASCII && (letter.properties.isAlphabetic || "0"..."9" ~= letter)
}

/// Throws when the runs of frames of a time-delay network are longer than a batch.
private func requireChunk(
  _ training: TrainingOptions, _ hidden: HiddenShape, of system: String = ""
) throws {
  try requireOption(
    hidden.timeOffsets == nil || training.chunk <= training.batchSize, "\(system)training.chunk",
    expected: "at most the batchSize, \(training.batchSize) frames", found: training.chunk)
}
