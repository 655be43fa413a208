package import Features
package import Classes
import Audio
import KaldiIO
package import LinearAlgebra
package import Storage

/// The alignments of a whole corpus, from which it makes the frame targets of each utterance.
package struct AlignmentSource: Sendable {
  /// The classes: everything that the source's symbols can become once the map has folded them.
  ///
  /// They depend on the files alone, not on the utterances requested, so that training and test
  /// sets agree.
  package var inventory: ClassInventory { targets.inventory }
  /// The number of states of equal duration that each label is split into.
  package var states: Int { targets.states }

  private let options: TargetOptions
  private let alignments: Alignments
  /// Maps each symbol to what it stands for; nil when symbols stand for themselves.
  private let fold: SymbolMap?
  private let targets: FrameTargets
  /// What was decided on the classes that the options leave open, in words.
  private let decisions: [String]

  /// Reads all alignments.
  ///
  /// - Parameters:
  ///   - options: where the alignments are; must be valid.
  ///   - sampleRate: the recordings' sample rate in hertz; TIMIT's times are in samples.
  ///   - workers: the threads among which the files of a folder are shared.
  ///   - commands: whether an archive, or an entry of its script, may be the output of a command.
  /// - Throws: `FileFault` when the source as a whole cannot be read. A fault of a single utterance
  ///   is thrown when its targets are requested.
  package init(
    _ options: TargetOptions, sampleRate: Int, workers: Workers, commands: CommandPolicy = .refused
  ) throws(FileFault) {
    self.options = options
    alignments = try Alignments(
      options, sampleRate: sampleRate, workers: workers, commands: commands)
    var symbols: [String]
    switch alignments {
    case .spans(let table):
      symbols = table.labels.union([options.gaps ?? ""]).filter(isSymbol).sorted()
      if table.labels.contains("") { symbols.append(options.unlabelled) }
    case .integers(let found):
      symbols = Set(found.vectors.values.compactMap { try? $0.get() }.joined()).filter { $0 >= 0 }
        .sorted().map(String.init)
    }
    var fold = try AlignmentSource.fold(symbols, options)
    let labels: [String] = symbols.compactMap { [fold] symbol in
      fold.map { $0[symbol] } ?? symbol
    }
    let given = try options.classes.map { path throws(FileFault) in try ClassInventory(path: path) }
    let (states, decision) = AlignmentSource.states(symbols, labels, given, options)
    var decisions = [decision].compactMap(\.self)
    let inventory: ClassInventory
    if let given {
      inventory = given
    } else if options.keepIDs {
      inventory = try AlignmentSource.kept(symbols, fold, options)
      if fold != nil {
        fold = SymbolMap(
          Dictionary(uniqueKeysWithValues: inventory.symbols.enumerated().map { ("\($0)", $1) }))
      }
    } else {
      let all = options.map == nil ? labels : fold?.symbols ?? []
      let count = Set(all).count * states
      guard count <= ClassInventory.most else {
        throw .malformed(
          path: .named(options.path), expected: "at most \(ClassInventory.most) classes",
          found: "\(count)")
      }
      inventory = ClassInventory(labels: all, states: states)
      if let renumbered = AlignmentSource.renumbered(symbols, options) {
        decisions.append(renumbered)
      }
    }
    self.decisions = decisions
    self.fold = fold
    // Words may be long, and bare integers do not say which of them are silence.
    let isHeld =
      switch options.format {
      case .wrd: false
      case .archive: fold != nil
      case .phn: true
      case .ctm, .textgrid, .lab, .mlf, .audacity: LabelKind(of: symbols) == .phones
      }
    targets = FrameTargets(
      inventory: inventory, states: states, lengthTolerance: options.lengthTolerance,
      longestPhone: isHeld && options.longestPhone > 0 ? options.longestPhone : nil)
  }

  /// The number of states of each label; and, if the labels decided on it, how.
  ///
  /// - Parameters:
  ///   - symbols: the alignments' symbols.
  ///   - labels: what they stand for.
  ///   - classes: the classes that the options give; nil for none.
  ///   - options: the options.
  /// - Returns: the number, and a remark for the log; nil if the options decide.
  private static func states(
    _ symbols: [String], _ labels: [String], _ classes: ClassInventory?, _ options: TargetOptions
  ) -> (states: Int, decision: String?) {
    let usual = options.format.usualStates
    if let states = options.states { return (states, nil) }
    if let classes, labels.contains(where: { classes.id(of: $0) != nil }) { return (1, nil) }
    switch options.format {
    case .phn, .wrd, .archive: return (usual, nil)
    case .ctm, .textgrid, .lab, .mlf, .audacity: break
    }
    switch LabelKind(of: symbols) {
    case .phones:
      return (
        usual,
        "labels are split into \(usual) states, as phones are; states: 1 (--whole) leaves them whole"
      )
    case .words(let example):
      return (
        1,
        "labels are left whole, as words are, since \(example) is too long for a phone; "
          + "states: \(usual) splits them"
      )
    }
  }

  /// The classes whose ids are an archive's integers: one for each integer up to the largest.
  private static func kept(
    _ symbols: [String], _ names: SymbolMap?, _ options: TargetOptions
  ) throws(FileFault) -> ClassInventory {
    let count = (symbols.compactMap { Int($0) }.max() ?? -1) + 1
    guard (1...ClassInventory.most).contains(count) else {
      throw .malformed(
        path: .named(options.path), expected: "integers from 0 to \(ClassInventory.most - 1)",
        found: count == 0 ? "none" : "\(count - 1)")
    }
    return ClassInventory(symbols: (0..<count).map { names?["\($0)"] ?? "\($0)" })
  }

  /// How an archive's integers were renumbered, in words; nil if they were not.
  private static func renumbered(_ symbols: [String], _ options: TargetOptions) -> String? {
    let ids = symbols.compactMap { Int($0) }
    guard options.format == .archive, options.map == nil, options.symbols == nil,
      let last = ids.last, last >= ids.count
    else { return nil }
    return """
      \(ids.count) integers from \(ids[0]) to \(last) are renumbered from 0 to \(ids.count - 1); \
      classes.txt has both, and keepIDs: true (--keep-ids) keeps them
      """
  }

  /// What symbols stand for according to the tables in the options.
  private static func fold(
    _ symbols: [String], _ options: TargetOptions
  ) throws(FileFault) -> SymbolMap? {
    if let path = options.names {
      let names = try SymbolMap(path: path)
      return SymbolMap(
        symbols.reduce(into: [:]) { map, id in map[id] = names[id].map { "\($0):\(id)" } })
    }
    let map = try options.map.map { path throws(FileFault) in try SymbolMap(path: path) }
    guard let path = options.symbols else { return map }
    let table = try SymbolMap(symbolTable: path)
    return map.map { table.followed(by: $0) } ?? table
  }

  /// The targets of one utterance.
  ///
  /// - Parameters:
  ///   - utterance: the utterance.
  ///   - frames: the number of its feature frames.
  ///   - grid: the times of the frames.
  /// - Returns: one class id per frame; `found`, the number of frames that the alignment itself
  ///   labels, which is lower where gaps were filled; and `separated`, the number of boundaries
  ///   placed between overlapping labels.
  /// - Throws: `AlignmentFault` when the utterance has no alignment or one that does not fit.
  package func targets(
    of utterance: Utterance, frames: Int, grid: FrameGrid
  ) throws(AlignmentFault) -> (labels: [Int32], found: Int, separated: Int) {
    let labels: [Int32]
    var separated = 0
    switch alignments {
    case .spans(let table):
      var spans = try table.spans(of: utterance)
      if options.format == .ctm || options.format == .textgrid {
        (spans, separated) = spans.separated(upTo: options.overlap / 1000)
      }
      guard !spans.isEmpty else { throw .empty }
      let covering = options.gaps.map { spans.filled(with: $0) } ?? spans
      labels = try targets.labels(of: try covering.map(folded), grid: grid, frames: frames)
      if options.gaps != nil {
        let fitted = try targets.fit(labels, frames: frames)
        let found = targets.covered(by: spans, grid: grid, frames: frames)
        return (fitted, found + max(0, labels.count - frames), separated)
      }
    case .integers(let found):
      guard let vector = found.vectors[utterance.id] else {
        throw found.end.map { .file($0) } ?? .missing
      }
      let ids: [Int32]
      do throws(FileFault) {
        ids = try vector.get()
      } catch {
        throw .file(error)
      }
      guard !ids.isEmpty else { throw .empty }
      labels = try self.labels(of: ids, grid: grid.cells)
    }
    return (try targets.fit(labels, frames: frames), labels.count, separated)
  }

  /// The labels of an alignment given per frame: each run of the same integer becomes a span.
  private func labels(of ids: [Int32], grid: FrameGrid) throws(AlignmentFault) -> [Int32] {
    let shift = grid.shiftInSeconds
    var spans: [LabelSpan] = []
    var start = 0
    while start < ids.count {
      let end = ids[start...].firstIndex { $0 != ids[start] } ?? ids.count
      let (from, to) = (Double(start) * shift, Double(end) * shift)
      spans.append(try folded(LabelSpan(start: from, end: to, label: "\(ids[start])")))
      start = end
    }
    return try targets.labels(of: spans, grid: grid, frames: ids.count)
  }

  /// One message for each kind of file that was skipped, and for what the labels decided.
  package var remarks: [String] {
    guard case .spans(let table) = alignments else { return decisions }
    return table.remarks + decisions
  }

  /// The faults that show only when the alignments of several utterances are compared, and those of
  /// alignments that match none of the utterances.
  ///
  /// See `AlignmentTable.conflicts(among:)`. Archives have neither.
  package func conflicts(
    among utterances: [Utterance]
  ) -> (shared: [String: AlignmentFault], stray: [FileFault]) {
    guard case .spans(let table) = alignments else { return ([:], []) }
    return table.conflicts(among: utterances)
  }

  private func folded(_ span: LabelSpan) throws(AlignmentFault) -> LabelSpan {
    let label = span.label.isEmpty ? options.unlabelled : span.label
    guard isSymbol(label) else { throw .blankInLabel(label) }
    guard let folded = fold.map({ $0[label] }) ?? label else { throw .unknownSymbol(label) }
    return LabelSpan(start: span.start, end: span.end, label: folded)
  }
}
