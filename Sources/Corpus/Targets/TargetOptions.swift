import KaldiIO
package import Storage
package import SystemPackage

/// Whether a label can be a class's symbol: it is not empty and has no blanks or ends of lines.
func isSymbol(_ label: String) -> Bool {
  !label.isEmpty && !label.unicodeScalars.contains { $0.properties.isWhitespace }
}

/// Where frame targets come from and how they are made.
package struct TargetOptions: Sendable, Equatable, ListedOptions {
  package var format: AlignmentFormat
  /// The file or folder of the alignments; of an archive, a path or a specifier.
  package var path: String
  /// The tier of TextGrids; in TextGrids of several speakers that of each utterance's own where it has
  /// `{speaker}` in its place, as in `{speaker} - phones`.
  package var tier = "phones"
  /// Kaldi's table of an archive's integers, a line `SYMBOL ID` each, as `phones.txt`; absent to call
  /// them by their digits.
  package var symbols: FilePath?
  /// What each integer of an archive is called, a line `ID NAME` each, where several may have one name.
  ///
  /// The classes are then `NAME:ID`, so that tied states keep both.
  package var names: FilePath?
  /// What the source's symbols stand for, a line `FROM TO` each.
  ///
  /// A folding of phones, or the phone state of each tied state. Its right-hand side then gives the
  /// classes.
  package var map: FilePath?
  /// A `classes.txt` whose ids the targets must have; absent to number the symbols in order.
  package var classes: FilePath?
  /// States that each label is split into, in equal times; absent for three of a phone, and one of a
  /// word or of what stands by the frame.
  package var states: Int?
  /// How many frames an alignment may be longer or shorter than the features.
  package var lengthTolerance = 3
  /// The longest that a phone may last which is not silence, in seconds; 0 for any time.
  ///
  /// Integers of an
  /// archive are held to it when `symbols`, `names` or `map` says which are silence.
  package var longestPhone = 2.0
  /// By how many milliseconds neighbouring labels of a CTM or TextGrid may overlap; their boundary is then put in
  /// the middle.
  package var overlap = 10.0
  /// Of a CTM, whether the first of several alternatives is taken; else an utterance with such is skipped.
  package var firstAlternative = false
  /// The symbol of times without a label; absent to leave out utterances that have such.
  package var gaps: String?

  package init(format: AlignmentFormat, path: String) {
    (self.format, self.path) = (format, path)
  }

  package enum CodingKeys: String, CodingKey, CaseIterable {
    case tier, symbols, names, map, classes, states, lengthTolerance, longestPhone, overlap
    case firstAlternative, gaps
  }

  /// The symbol of spans without a label, before folding.
  package var unlabelled: String { gaps ?? "SIL" }

  /// - Throws: `OptionFault` unless the numbers are in range and the options fit the format.
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
        value == nil, key, expected: "none, as \(format.rawValue) has symbols of its own",
        found: value?.string ?? "")
    }
    try requireOption(
      names == nil || map == nil && symbols == nil, "names",
      expected: "no map and no symbols with it",
      found: (map ?? symbols)?.string ?? "")
  }

  /// The options with relative paths taken from `folder`.
  package func resolved(from folder: FilePath) -> TargetOptions {
    var result = self
    result.path =
      format == .archive
      ? ArchiveInput.resolved(path, from: folder) : folder.resolving(path)
    for option in TargetOptions.tableOptions {
      result[keyPath: option] = self[keyPath: option].map(folder.pushing)
    }
    return result
  }

  /// The options with the names of files alone, which are the same wherever the corpus lies.
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

  package var listed: [(name: String, value: String)] {
    [
      ("format", format.rawValue), ("path", path), ("tier", tier),
      ("symbols", symbols?.string ?? "none"),
      ("names", names?.string ?? "none"), ("map", map?.string ?? "none"),
      ("classes", classes?.string ?? "none"),
      ("states", "\(states ?? format.usualStates)"), ("lengthTolerance", "\(lengthTolerance)"),
      ("longestPhone", "\(longestPhone)"), ("overlap", "\(overlap)"),
      ("firstAlternative", "\(firstAlternative)"), ("gaps", gaps ?? "none"),
    ]
  }

  /// Whether the targets of an utterance depend on who speaks.
  package var dependsOnSpeakers: Bool { format == .textgrid && SpeakerTier(tier) != nil }

  /// The files besides the alignments that targets depend on.
  package var tables: [FilePath] { TargetOptions.tableOptions.compactMap { self[keyPath: $0] } }

  private static var tableOptions: [WritableKeyPath<TargetOptions, FilePath?>] {
    [\.symbols, \.names, \.map, \.classes]
  }
}

extension TargetOptions: Codable {
  /// The section has one of the formats as a key, with its path.
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
  }
}

extension AlignmentFormat: CodingKey {}
