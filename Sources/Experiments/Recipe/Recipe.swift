package import Evaluation
package import Corpus
package import Distillation
package import Features
package import Networks
import Storage
package import SystemPackage
package import Training

/// An experiment as a value: all the choices between a corpus and its scores.
///
/// Relative paths in a recipe start at the experiment's folder, unless `paths` says otherwise.
package struct Recipe: Sendable, Codable {
  /// The location of the data directories.
  package struct CorpusOptions: Sendable, Codable {
    /// The data directory of the training set.
    package internal(set) var train: FilePath
    /// The data directory of the development set, which searches and early stopping use.
    package internal(set) var development: FilePath
    /// The data directory of the test set.
    package internal(set) var test: FilePath
    /// The folder where relative paths in `wav.scp` start; absent for the current folder, as in
    /// Kaldi.
    package internal(set) var root: FilePath?
    /// The channel of each recording to use, from 1; absent for mono files.
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

  /// A network and its training, without the data.
  package struct SystemOptions: Sendable, Codable {
    /// The seed for the initial weights, the order of frames and the dropped units.
    package var seed: UInt64 = 1
    /// The hidden layers.
    package var hidden = HiddenShape()
    /// The training of the network.
    package var training = TrainingOptions()

    /// The default network and training.
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

  /// A student's or baseline's section of a recipe, with the options that it has.
  private struct OwnSection: Decodable {
    let seed: UInt64?
    let hidden: HiddenShape?
    let training: TrainingOptions?

    init(from decoder: any Decoder) throws {
      let read = try OptionReader<SystemOptions.CodingKeys>(decoder)
      seed = try read.optional(.seed)
      hidden = try read.optional(.hidden)
      training = try read.optional(.training)
    }

    /// The student of an ensemble: about a quarter of a member of its first group, unless the section says otherwise.
    static func student(
      _ section: OwnSection?, of ensemble: EnsembleOptions
    ) throws -> SystemOptions {
      var student = SystemOptions()
      student.seed = section?.seed ?? student.seed
      student.hidden = section?.hidden ?? ensemble.groups[0].hidden.quarter
      student.training = section?.training ?? student.training
      try requireChunk(student.training, student.hidden, of: "student.")
      return student
    }

    /// The baseline of a student: a network of the same size with the same training, unless the
    /// section says otherwise.
    static func baseline(
      _ section: OwnSection?, of student: SystemOptions
    ) throws -> SystemOptions {
      var baseline = student
      baseline.seed = section?.seed ?? student.seed
      baseline.training = section?.training ?? student.training
      try requireFit(
        section?.hidden ?? student.hidden == student.hidden, "baseline.hidden",
        expected: "that of the student", found: "another")
      try requireChunk(baseline.training, baseline.hidden, of: "baseline.")
      return baseline
    }
  }

  /// A student and its baseline, of a size of their own.
  package struct StudentPair: Sendable, Codable {
    /// The network that the ensemble is distilled into.
    package let student: SystemOptions
    /// The network of the same size that is trained on hard targets.
    package let baseline: SystemOptions

    package enum CodingKeys: String, CodingKey, CaseIterable { case student, baseline }

    init(_ student: SystemOptions, _ baseline: SystemOptions) {
      (self.student, self.baseline) = (student, baseline)
    }

    package init(from decoder: any Decoder) throws {
      let read = try OptionReader<CodingKeys>(decoder)
      student = try read(.student)
      baseline = try OwnSection.baseline(try read.optional(.baseline), of: student)
    }
  }

  /// The folder that relative paths in the file start from; those here are resolved if it is the
  /// recipe's own.
  package let paths: PathBase
  /// The data directories.
  package internal(set) var corpus: CorpusOptions
  /// The alignments and how they label frames.
  package internal(set) var targets: TargetOptions
  /// The features' options, or the archives that contain them.
  package internal(set) var features: FeatureChoice
  /// The number of frames before and after each frame in a network's input.
  package let context: ContextWindow
  /// The teachers.
  package let ensemble: EnsembleOptions
  /// The network that the ensemble is distilled into.
  package let student: SystemOptions
  /// The student's rival, trained on hard targets; unless the recipe says otherwise, it differs
  /// from the student only in its targets.
  package let baseline: SystemOptions
  /// The points tried to choose how the baselines are trained; nil for no search.
  package let baselineSearch: BaselineSearchOptions?
  /// Further pairs of a student and its baseline, such as smaller ones, each with a name.
  package let students: [String: StudentPair]
  /// The number of seeds with which each student and each baseline is trained, from 1.
  ///
  /// Searches are made with the first.
  package let seeds: Int
  /// The distillation of the ensemble: T, λ and the mean, unless there is a search.
  package let distillation: DistillationOptions
  /// The points tried to choose T, λ and the mean in place of those of `distillation`; nil for no
  /// search.
  package let search: SearchOptions?
  /// Perturbed copies that networks are trained on besides the training frames; nil for none.
  package let augmentation: CopyOptions?
  /// Students of a share of the utterances, and their rivals; nil for none.
  package let subsets: SubsetOptions?
  /// A student that never sees one label's frames; nil for none.
  package let missingClass: MissingClassOptions?
  /// Specialists of the baseline; nil for none.
  package let specialists: SpecialistOptions?
  /// The scoring options.
  package internal(set) var scoring: ScoringOptions
  /// The recipe's text, with any settings applied.
  package internal(set) var text = ""

  package enum CodingKeys: String, CodingKey, CaseIterable {
    case paths, corpus, targets, features, context, ensemble, student, baseline, baselineSearch,
      students,
      seeds, distillation
    case search, augmentation, subsets, missingClass, specialists, scoring
  }

  package init(from decoder: any Decoder) throws {
    let read = try OptionReader<CodingKeys>(decoder)
    paths = try read(.paths, default: .experiment)
    features = try read(.features, default: .made(FeatureSettings()))
    context = try read(.context, default: ContextWindow())
    ensemble = try read(.ensemble, default: EnsembleOptions())
    student = try OwnSection.student(try read.optional(.student), of: ensemble)
    baseline = try OwnSection.baseline(try read.optional(.baseline), of: student)
    baselineSearch = try read.optional(.baselineSearch)
    students = try read(.students, default: [:])
    seeds = try read(.seeds, default: 1)
    try requireOption((1...100).contains(seeds), "seeds", expected: "1 to 100", found: seeds)
    distillation = try read(.distillation, default: DistillationOptions())
    search = try read.optional(.search)
    augmentation = try read.optional(.augmentation)
    subsets = try read.optional(.subsets)
    missingClass = try read.optional(.missingClass)
    specialists = try read.optional(.specialists)
    scoring = try read(.scoring, default: ScoringOptions())
    // What has no default comes last, so that mistakes elsewhere are found first.
    corpus = try read(.corpus)
    targets = try read(.targets)
    try requireSectionsFit()
  }

  /// Throws unless the sections of the recipe fit together.
  private func requireSectionsFit() throws {
    for name in students.keys.sorted() {
      try requireOption(
        !name.isEmpty && name.unicodeScalars.allSatisfy { isOfName($0) }, "students.\(name)",
        expected: "a name of letters, digits and hyphens", found: name)
      try requireOption(
        seeds == 1 || !System.isReserved(name), "students.\(name)",
        expected: "a name without the words seed and mean beside seeds above 1", found: name)
    }
    let copies = augmentation?.perturbation.copies ?? 0
    if case .archives = features {
      try requireFit(
        copies == 0, "augmentation.copies",
        expected: "0 with features.archive, since copies need audio",
        found: copies)
    }
    try requireFit(
      search?.copies ?? 0 <= copies, "search.copies",
      expected: "at most those of augmentation, \(copies)", found: search?.copies ?? 0)
    let searched = baselineSearch?.grids.flatMap(\.copies).max() ?? 0
    try requireFit(
      searched <= copies, "baselineSearch.copies",
      expected: "at most those of augmentation, \(copies)", found: searched)
    guard let specialists else { return }
    try requireFit(
      specialists.members ?? 1 <= ensemble.members, "specialists.members",
      expected: "at most the ensemble's, \(ensemble.members)", found: specialists.members ?? 1)
    // The specialists and the generalist label frames that they were trained on.
    try requireFit(
      ensemble.folds == nil || specialists.student == nil, "specialists.student",
      expected: "none beside ensemble.folds", found: "one")
  }
}

/// Whether a character is allowed in the name of a system, which is part of file names.
private func isOfName(_ letter: Unicode.Scalar) -> Bool {
  letter == "-" || letter.isASCII && (letter.properties.isAlphabetic || "0"..."9" ~= letter)
}

/// Throws when a time-delay network's chunk of frames is longer than a batch.
func requireChunk(
  _ training: TrainingOptions, _ hidden: HiddenShape, of system: String = ""
) throws {
  try requireFit(
    hidden.timeOffsets == nil || training.chunk <= training.batchSize, "\(system)training.chunk",
    expected: "at most the batchSize, \(training.batchSize) frames", found: training.chunk)
}
