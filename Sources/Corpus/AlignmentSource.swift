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
    let fold = try AlignmentSource.fold(symbols, options)
    let states = options.states ?? options.format.usualStates
    let inventory: ClassInventory
    if let path = options.classes {
      inventory = try ClassInventory(path: path)
    } else {
      let labels =
        options.map == nil
        ? symbols.compactMap { symbol in fold.map { $0[symbol] } ?? symbol } : fold?.symbols ?? []
      let count = Set(labels).count * states
      guard count <= ClassInventory.most else {
        throw .malformed(
          path: .named(options.path), expected: "at most \(ClassInventory.most) classes",
          found: "\(count)")
      }
      inventory = ClassInventory(labels: labels, states: states)
    }
    self.fold = fold
    // Words may be long, and bare integers do not say which of them are silence.
    let isHeld =
      switch options.format {
      case .wrd: false
      case .archive: fold != nil
      case .ctm, .textgrid, .phn, .lab, .mlf, .audacity: true
      }
    targets = FrameTargets(
      inventory: inventory, states: states, lengthTolerance: options.lengthTolerance,
      longestPhone: isHeld && options.longestPhone > 0 ? options.longestPhone : nil)
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

  /// One message for each kind of file that was skipped.
  package var remarks: [String] {
    guard case .spans(let table) = alignments else { return [] }
    return table.remarks
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
