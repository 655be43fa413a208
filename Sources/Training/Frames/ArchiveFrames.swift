package import Models
package import KaldiIO
package import LinearAlgebra
package import Storage

/// The frames of archives: features, classes, and soft targets where there are such.
///
/// What is asked for is read from the files; memory grows with the number of utterances alone.
package struct ArchiveFrames: FrameSource {
  /// Where one utterance is.
  private struct Utterance {
    let features: MatrixArchive.Entry
    /// Nil when classes are not known.
    let labels: IntegerArchive.Entry?
    var softTargets: MatrixArchive.Entry?
  }

  private let features: MatrixArchive
  private let targets: IntegerArchive?
  private var softTargets: (archive: MatrixArchive, store: SoftTargetStore)?
  private let classes: Int
  private var leftOut: Set<Int32> = []
  private var utterances: [Utterance]
  package let columns: Int

  /// The utterances that have as many classes as frames, in the order of the features.
  ///
  /// - Parameters:
  ///   - features: of `columns` columns each.
  ///   - targets: ids below `classes`; nil when no class is known, where all utterances count.
  ///   - columns: the features of a frame.
  ///   - classes: how many there are.
  /// - Throws: `FileFault` for features of another number of columns, or without a frame.
  package init(
    features: MatrixArchive, targets: IntegerArchive?, columns: Int, classes: Int
  ) throws(FileFault) {
    (self.features, self.targets, self.columns) = (features, targets, columns)
    self.classes = classes
    let labels = Dictionary(uniqueKeysWithValues: (targets?.entries ?? []).map { ($0.key, $0) })
    utterances = []
    for entry in features.entries {
      guard entry.rows > 0, entry.columns == columns else {
        throw .malformed(
          path: features.path, expected: "frames of \(columns) features for \(entry.key)",
          found: "\(entry.rows)×\(entry.columns)")
      }
      let own = labels[entry.key]
      guard targets == nil || own?.count == entry.rows else { continue }
      utterances.append(Utterance(features: entry, labels: own))
    }
  }

  /// The same frames with soft targets.
  ///
  /// - Parameters:
  ///   - archive: has a matrix for each utterance, as `SoftTargetPass` writes it.
  ///   - largest: how many probabilities of a frame are stored; nil for all.
  /// - Returns: the frames.
  /// - Throws: `FileFault` for an utterance without such.
  package func with(
    softTargets archive: MatrixArchive, largest: Int?
  ) throws(FileFault) -> ArchiveFrames {
    let store = SoftTargetStore(classes: classes, largest: largest)
    let entries = Dictionary(uniqueKeysWithValues: archive.entries.map { ($0.key, $0) })
    var result = self
    result.softTargets = (archive, store)
    for (index, utterance) in utterances.enumerated() {
      let (id, frames) = (utterance.features.key, utterance.features.rows)
      guard let entry = entries[id], entry.rows == frames, entry.columns == store.columns else {
        throw .malformed(
          path: archive.path, expected: "\(frames)×\(store.columns) soft targets for \(id)",
          found: entries[id].map { "\($0.rows)×\($0.columns)" } ?? "none")
      }
      result.utterances[index].softTargets = entry
    }
    return result
  }

  /// The utterances of a share, at least one, drawn by a seed; those of a smaller share are among those of a
  /// larger one.
  package func share(_ share: Double, seed: UInt64) -> ArchiveFrames {
    var generator = SeededGenerator(seed)
    let wanted = max(1, Int((share * Double(count)).rounded()))
    let drawn = Set(generator.permutation(of: count).prefix(wanted).map { id(of: Int($0)) })
    return keeping { drawn.contains($0) }
  }

  /// The utterances that a rule keeps, by their ids.
  package func keeping(_ isKept: (String) -> Bool) -> ArchiveFrames {
    var result = self
    result.utterances = utterances.filter { isKept($0.features.key) }
    return result
  }

  /// The same frames, of which those of some classes are not trained on; they are still seen around others.
  package func leavingOut(_ classes: Set<Int32>) -> ArchiveFrames {
    var result = self
    result.leftOut = classes
    return result
  }

  package var softColumns: Int { softTargets?.store.columns ?? 0 }
  package var count: Int { utterances.count }
  package func id(of utterance: Int) -> String { utterances[utterance].features.key }
  package func frameCount(of utterance: Int) -> Int { utterances[utterance].features.rows }

  package func readFeatures(
    _ frames: Range<Int>, of utterance: Int, into tile: Tile
  ) throws(FileFault) {
    try features.read(frames, of: utterances[utterance].features, into: tile)
  }

  package func labels(_ frames: Range<Int>, of utterance: Int) throws(FileFault) -> [Int32] {
    guard let targets, let entry = utterances[utterance].labels else {
      return Array(repeating: FrameClass.unknown, count: frames.count)
    }
    let labels = try targets.read(frames, of: entry)
    if let bad = labels.first(where: { $0 < 0 || $0 >= classes }) {
      throw .malformed(
        path: targets.path, expected: "class ids below \(classes) for \(entry.key)", found: "\(bad)"
      )
    }
    return leftOut.isEmpty ? labels : labels.map { leftOut.contains($0) ? FrameClass.none : $0 }
  }

  package func readSoftTargets(
    _ frames: Range<Int>, of utterance: Int, into tile: Tile
  ) throws(FileFault) {
    guard let softTargets, let entry = utterances[utterance].softTargets else { return }
    try softTargets.archive.read(frames, of: entry, into: tile)
    for row in 0..<tile.rows { tile.withRow(row) { softTargets.store.restore(&$0) } }
  }
}

extension FrameSource {
  /// The features of a whole utterance.
  ///
  /// - Parameters:
  ///   - utterance: its index.
  ///   - path: where they are, for the message.
  /// - Returns: frames × features.
  /// - Throws: `FileFault` when they cannot be read or are not all finite.
  package func features(of utterance: Int, path: Origin) throws(FileFault) -> Matrix {
    let matrix = SharedMatrix(rows: frameCount(of: utterance), columns: columns)
    try readFeatures(0..<matrix.rows, of: utterance, into: matrix.tile)
    let features = matrix.matrix
    guard features.isFinite else {
      throw .malformed(
        path: path, expected: "finite features for \(id(of: utterance))", found: "others")
    }
    return features
  }

  /// What a model says of a whole utterance.
  ///
  /// - Parameters:
  ///   - utterance: its index.
  ///   - model: that expects these features.
  ///   - path: where they are, for the message.
  /// - Returns: logits, frames × classes.
  /// - Throws: `FileFault` when the features cannot be read, or they or the logits are not all finite.
  package func logits(
    of utterance: Int, by model: AcousticModel, path: Origin
  ) throws(FileFault) -> Matrix {
    let logits = model.logits(of: try features(of: utterance, path: path))
    try requireFinite(logits, of: utterance, path: path)
    return logits
  }

  /// Throws `FileFault` when what networks make of an utterance's features is too large for a number.
  package func requireFinite(_ outputs: Matrix, of utterance: Int, path: Origin) throws(FileFault) {
    guard outputs.isFinite else {
      throw .malformed(
        path: path,
        expected: "features for \(id(of: utterance)) of which networks make finite logits",
        found: "others")
    }
  }

  /// The classes of a whole utterance.
  package func labels(of utterance: Int) throws(FileFault) -> [Int32] {
    try labels(0..<frameCount(of: utterance), of: utterance)
  }

  /// The ids of all utterances.
  package var ids: [String] { (0..<count).map(id) }
}
