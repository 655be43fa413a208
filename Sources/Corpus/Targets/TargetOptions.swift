import KaldiIO
package import Storage
package import SystemPackage

/// Whether a label can be a class's symbol: it is not empty and has no white space.
package func isSymbol(_ label: String) -> Bool {
  !label.isEmpty && !label.unicodeScalars.contains { $0.properties.isWhitespace }
}

/// Where the alignments are and how frame targets are made from them.
package struct TargetOptions: Sendable, Equatable, ListedOptions {
  /// The file format of the alignments.
  package var format: AlignmentFormat
  /// The file or folder of the alignments; for an archive, a path or a Kaldi specifier.
  package var path: String
  /// The name of the TextGrid tier to read.
  ///
  /// For TextGrids of several speakers, `{speaker}` stands for the speaker's name, as in `{speaker}
  /// - phones`; each utterance then uses its own speaker's tier.
  package var tier = "phones"
  /// Kaldi's symbol table for an archive's integers, with `SYMBOL ID` lines, such as `phones.txt`.
  ///
  /// Absent to use the digits of the integers as symbols.
  package var symbols: FilePath?
  /// The name of each integer of an archive, with `ID NAME` lines; several ids may share a name.
  ///
  /// The classes are then `NAME:ID`, so that a tied state keeps both.
  package var names: FilePath?
  /// A map of the source's symbols, with `FROM TO` lines.
  ///
  /// It may fold phones, or give the phone state of each tied state. The classes are the symbols on
  /// its right-hand side.
  package var map: FilePath?
  /// A `classes.txt` with the class ids to use; absent to number the symbols in order.
  package var classes: FilePath?
  /// The number of states of equal duration that each label is split into, 1 to 100.
  ///
  /// Absent for three if the labels are phones, and one if they are words or given per frame.
  package var states: Int?
  /// Whether the integers of an archive are the class ids, with a class for each up to the largest.
  ///
  /// Otherwise they are renumbered without gaps.
  package var keepIDs = false
  /// By how many frames an alignment may be longer or shorter than the features, 0 to 100,000.
  package var lengthTolerance = 3
  /// The longest duration of a label other than silence, in seconds; 0 for no limit.
  ///
  /// It applies to the integers of an archive only if `symbols`, `names` or `map` says which are
  /// silence. It never applies to words.
  package var longestPhone = 2.0
  /// By how many milliseconds neighbouring labels of a CTM or TextGrid may overlap, 0 to 1,000.
  ///
  /// Their boundary is then moved to the middle of the overlap.
  package var overlap = 10.0
  /// Whether to take the first of several alternatives in a CTM; otherwise an utterance with
  /// alternatives is skipped.
  package var firstAlternative = false
  /// The symbol of stretches without a label; absent to skip utterances that have any.
  package var gaps: String?

  /// Options with their defaults; nothing is checked.
  package init(format: AlignmentFormat, path: String) {
    (self.format, self.path) = (format, path)
  }

  /// The option names in a recipe, without the format, which is a key of its own.
  package enum CodingKeys: String, CodingKey, CaseIterable {
    case tier, symbols, names, map, classes, states, lengthTolerance, longestPhone, overlap
    case firstAlternative, gaps, keepIDs
  }

  /// The symbol of spans without a label, before folding.
  package var unlabelled: String { gaps ?? "SIL" }

  /// Checks that the numbers are in range and that the options fit the format.
  ///
  /// - Throws: `OptionFault` for the first option that does not.
  package func validate() throws(OptionFault) {
    try requireOption(
      (1...100).contains(states ?? 1), "states", expected: "1 to 100", found: states ?? 1)
    try requireOption(
      (0...100_000).contains(lengthTolerance), "lengthTolerance", expected: "0 to 100,000",
      found: lengthTolerance)
    try requireOption(
      longestPhone >= 0 && longestPhone.isFinite, "longestPhone", expected: "0 or more seconds",
      found: longestPhone)
    try requireOption(
      (0...1000).contains(overlap), "overlap", expected: "0 to 1,000 milliseconds", found: overlap)
    try requireOption(
      !firstAlternative || format == .ctm, "firstAlternative",
      expected: "false, as only a CTM has alternatives",
      found: firstAlternative)
    try requireOption(
      gaps.map(isSymbol) ?? true, "gaps", expected: "a symbol without blanks", found: gaps ?? "")
    try requireOption(
      tier == "phones" || format == .textgrid, "tier",
      expected: "none, as \(format.rawValue) has no tiers",
      found: tier)
    for (key, value) in [("symbols", symbols), ("names", names)] where format != .archive {
      try requireOption(
        value == nil, key, expected: "none, as \(format.rawValue) has its own symbols",
        found: value?.string ?? "")
    }
    try requireOption(
      !keepIDs
        || format == .archive && [symbols, map, classes].allSatisfy { $0 == nil }
          && states ?? 1 == 1,
      "keepIDs",
      expected: "false, or an archive without symbols, map, classes and states", found: keepIDs)
    try requireOption(
      names == nil || map == nil && symbols == nil, "names",
      expected: "neither map nor symbols with it",
      found: (map ?? symbols)?.string ?? "")
  }

  /// The options with relative paths resolved against `folder`.
  package func resolved(from folder: FilePath) -> TargetOptions {
    replacingPaths(folder.pushing) { ArchiveInput.resolved($0, from: folder) }
  }

  /// The options with other paths.
  ///
  /// - Parameters:
  ///   - path: replaces a path.
  ///   - table: replaces a path or specifier of a Kaldi archive.
  /// - Returns: the same options otherwise.
  package func replacingPaths(
    _ path: (FilePath) -> FilePath, _ table: (String) -> String
  ) -> TargetOptions {
    var result = self
    if format == .archive {
      result.path = table(self.path)
    } else if let own = try? FilePath(text: self.path) {
      // Text that is no path fails on reading.
      result.path = path(own).string
    }
    for option in TargetOptions.tableOptions {
      result[keyPath: option] = self[keyPath: option].map(path)
    }
    return result
  }

  /// The options with file names instead of paths, so that they are the same wherever the corpus
  /// is.
  package var withoutFolders: TargetOptions {
    var result = self
    result.path = path.split(separator: "/").last.map(String.init) ?? path
    for option in TargetOptions.tableOptions {
      result[keyPath: option] = self[keyPath: option].map { path in
        path.lastComponent.map { FilePath(root: nil, components: $0) } ?? path
      }
    }
    return result
  }

  /// All options with their values as text, for display; absent ones are "none".
  package var listed: [(name: String, value: String)] {
    [
      ("format", format.rawValue), ("path", path), ("tier", tier),
      ("symbols", symbols?.string ?? "none"),
      ("names", names?.string ?? "none"), ("map", map?.string ?? "none"),
      ("classes", classes?.string ?? "none"),
      ("states", states.map { "\($0)" } ?? "usual"), ("lengthTolerance", "\(lengthTolerance)"),
      ("longestPhone", "\(longestPhone)"), ("overlap", "\(overlap)"),
      ("firstAlternative", "\(firstAlternative)"), ("gaps", gaps ?? "none"),
      ("keepIDs", "\(keepIDs)"),
    ]
  }

  /// Whether an utterance's targets depend on its speaker.
  package var dependsOnSpeakers: Bool { format == .textgrid && SpeakerTier(tier) != nil }

  /// The files, besides the alignments, that targets depend on.
  package var tables: [FilePath] { TargetOptions.tableOptions.compactMap { self[keyPath: $0] } }

  private static var tableOptions: [WritableKeyPath<TargetOptions, FilePath?>] {
    [\.symbols, \.names, \.map, \.classes]
  }
}

extension TargetOptions: Codable {
  /// Reads a section that has exactly one format's name as a key, with the path as its value.
  ///
  /// - Throws: `OptionFault` for unknown options and values out of range.
  package init(from decoder: any Decoder) throws {
    let read = try OptionReader<CodingKeys>(
      decoder, besides: AlignmentFormat.allCases.map(\.rawValue))
    let given = try decoder.container(keyedBy: AlignmentFormat.self)
    let formats = given.allKeys.map(\.rawValue).sorted()
    guard let format = given.allKeys.first, formats.count == 1 else {
      throw OptionFault.outOfRange(
        key: "",
        expected: "one of " + AlignmentFormat.allCases.map(\.rawValue).joined(separator: ", "),
        found: formats.isEmpty ? "none" : formats.joined(separator: " and "))
    }
    self.init(format: format, path: try given.decode(String.self, forKey: format))
    tier = try read(.tier, default: tier)
    symbols = try read.optional(.symbols)
    names = try read.optional(.names)
    map = try read.optional(.map)
    classes = try read.optional(.classes)
    states = try read.optional(.states)
    lengthTolerance = try read(.lengthTolerance, default: lengthTolerance)
    longestPhone = try read(.longestPhone, default: longestPhone)
    overlap = try read(.overlap, default: overlap)
    firstAlternative = try read(.firstAlternative, default: firstAlternative)
    gaps = try read.optional(.gaps)
    keepIDs = try read(.keepIDs, default: keepIDs)
    try validate()
  }

  package func encode(to encoder: any Encoder) throws {
    var source = encoder.container(keyedBy: AlignmentFormat.self)
    try source.encode(path, forKey: format)
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(tier, forKey: .tier)
    try container.encodeIfPresent(symbols?.string, forKey: .symbols)
    try container.encodeIfPresent(names?.string, forKey: .names)
    try container.encodeIfPresent(map?.string, forKey: .map)
    try container.encodeIfPresent(classes?.string, forKey: .classes)
    try container.encodeIfPresent(states, forKey: .states)
    try container.encode(lengthTolerance, forKey: .lengthTolerance)
    try container.encode(longestPhone, forKey: .longestPhone)
    try container.encode(overlap, forKey: .overlap)
    try container.encode(firstAlternative, forKey: .firstAlternative)
    try container.encodeIfPresent(gaps, forKey: .gaps)
    try container.encode(keepIDs, forKey: .keepIDs)
  }
}

extension AlignmentFormat: CodingKey {}
