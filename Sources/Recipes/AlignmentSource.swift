package import Audio
package import Corpus
import KaldiIO
package import Storage

/// The alignments of a whole corpus, ready to give the targets of each of its utterances.
package struct AlignmentSource: Sendable {
  private enum Alignments {
    case spans([String: [LabelSpan]])
    case symbols([String: [String]])
  }

  /// The classes: all that the source's symbols, folded by the map, can become.
  ///
  /// They depend on the files alone and not on the utterances asked for, so that training and test
  /// sets agree.
  package var inventory: ClassInventory { targets.inventory }

  private let alignments: Alignments
  private let targets: FrameTargets
  private let map: SymbolMap?

  /// Reads the files that `options` name.
  package init(_ options: TargetOptions) throws(FileFault) {
    map = try options.map.map { path throws(FileFault) in try SymbolMap(path: path) }
    let symbols: [String]
    if let ctm = options.ctm {
      let spans = try CTMReader.read(ctm)
      alignments = .spans(spans)
      let phones = map?.symbols ?? Set(spans.values.joined().map(\.label)).sorted()
      symbols = phones.flatMap { FrameTargets.stateSymbols(of: $0, states: options.states) }
    } else {
      let entries = try Archive.readIntegers(options.archive ?? "")
      alignments = .symbols(
        Dictionary(uniqueKeysWithValues: entries.map { ($0.key, $0.values.map(String.init)) }))
      symbols = map?.symbols ?? Set(entries.map(\.values).joined()).sorted().map(String.init)
    }
    let given = try options.classes.map { path throws(FileFault) in
      try ClassInventory(path: path)
    }
    targets = FrameTargets(
      inventory: given ?? ClassInventory(symbols: symbols),
      states: options.ctm == nil ? 1 : options.states, lengthTolerance: options.lengthTolerance)
  }

  /// The targets of one utterance.
  ///
  /// - Parameters:
  ///   - utterance: its id.
  ///   - frames: the number of its feature frames.
  ///   - grid: where they lie.
  /// - Returns: a class id a frame, and by how many frames the alignment was longer.
  /// - Throws: `AlignmentFault` when it has no alignment or one that does not fit.
  package func targets(
    of utterance: String, frames: Int, grid: FrameGrid
  ) throws(AlignmentFault) -> (labels: [Int32], surplus: Int) {
    let labels: [Int32]
    switch alignments {
    case .spans(let all):
      guard let spans = all[utterance] else { throw .missing }
      let folded = try spans.map { span throws(AlignmentFault) in
        LabelSpan(start: span.start, end: span.end, label: try fold(span.label))
      }
      labels = try targets.labels(of: folded, grid: grid)
    case .symbols(let all):
      guard let symbols = all[utterance] else { throw .missing }
      labels = try targets.labels(
        of: symbols.map { symbol throws(AlignmentFault) in try fold(symbol) })
    }
    return (try targets.fit(labels, frames: frames), labels.count - frames)
  }

  private func fold(_ symbol: String) throws(AlignmentFault) -> String {
    guard let map else { return symbol }
    guard let folded = map[symbol] else { throw .unknownSymbol(symbol) }
    return folded
  }
}
