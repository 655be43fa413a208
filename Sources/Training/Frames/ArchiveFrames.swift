package import Models
package import KaldiIO
package import LinearAlgebra
package import Storage

/// The frames of archives: features, classes, and soft targets if there are any.
///
/// Frames are read from the files on request; memory grows only with the number of utterances.
package struct ArchiveFrames: FrameSource {
  /// The location of one utterance in the archives.
  private struct Utterance {
    let features: MatrixArchive.Entry
    /// Nil when the classes are unknown.
    let labels: IntegerArchive.Entry?
    var softTargets: MatrixArchive.Entry?
  }

  private let features: MatrixArchive
  private let targets: IntegerArchive?
  private var softTargets: (archive: MatrixArchive, store: SoftTargetStore)?
  private let classes: Int
  private var leftOut: Set<Int32> = []
  private var utterances: [Utterance]
  /// The number of features of a frame.
  package let columns: Int

  /// The utterances that have as many labels as frames, in the order of the features.
  ///
  /// - Parameters:
  ///   - features: matrices [T × `columns`].
  ///   - targets: class ids below `classes`; nil for frames without known classes, which keeps all
  ///     utterances.
  ///   - columns: the number of features of a frame.
  ///   - classes: the number of classes.
  /// - Throws: `FileFault` for an utterance with another number of columns or without a frame.
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
  ///   - archive: a matrix for each utterance, as `SoftTargetPass` writes it.
  ///   - largest: the number of probabilities stored for each frame; nil for all.
  /// - Returns: the frames.
  /// - Throws: `FileFault` for an utterance without soft targets of the right shape.
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

  /// A random share of the utterances, at least one; a larger share contains a smaller one of the
  /// same seed.
  package func share(_ share: Double, seed: UInt64) -> ArchiveFrames {
    var generator = SeededGenerator(seed)
    let wanted = max(1, Int((share * Double(count)).rounded()))
    let drawn = Set(generator.permutation(of: count).prefix(wanted).map { id(of: Int($0)) })
    return keeping { drawn.contains($0) }
  }

  /// The utterances whose ids a rule keeps.
  package func keeping(_ isKept: (String) -> Bool) -> ArchiveFrames {
    var result = self
    result.utterances = utterances.filter { isKept($0.features.key) }
    return result
  }

  /// The same frames without training on those of some classes, which remain in the context of
  /// others.
  package func leavingOut(_ classes: Set<Int32>) -> ArchiveFrames {
    var result = self
    result.leftOut = classes
    return result
  }

  /// The number of soft targets of a frame, zero without any.
  package var softColumns: Int { softTargets?.store.columns ?? 0 }
  /// The number of utterances.
  package var count: Int { utterances.count }
  /// The id of an utterance.
  package func id(of utterance: Int) -> String { utterances[utterance].features.key }
  /// The number of frames of an utterance.
  package func frameCount(of utterance: Int) -> Int { utterances[utterance].features.rows }

  /// Reads the features of a range of frames into `tile`, [frames × columns].
  ///
  /// - Throws: `FileFault` when they cannot be read.
  package func readFeatures(
    _ frames: Range<Int>, of utterance: Int, into tile: Tile
  ) throws(FileFault) {
    try features.read(frames, of: utterances[utterance].features, into: tile)
  }

  /// The classes of a range of frames, `unknown` without targets and `none` for excluded classes.
  ///
  /// - Throws: `FileFault` when they cannot be read, or an id is not below the number of classes.
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

  /// Reads the soft targets of a range of frames into `tile`, [frames × soft columns]; nothing
  /// without soft targets.
  ///
  /// - Throws: `FileFault` when they cannot be read.
  package func readSoftTargets(
    _ frames: Range<Int>, of utterance: Int, into tile: Tile
  ) throws(FileFault) {
    guard let softTargets, let entry = utterances[utterance].softTargets else { return }
    try softTargets.archive.read(frames, of: entry, into: tile)
    for row in 0..<tile.rows { tile.withRow(row) { softTargets.store.restore(&$0) } }
  }
}

extension FrameSource {
  /// The features of an utterance.
  ///
  /// - Parameters:
  ///   - frames: the frames to read; nil for all.
  ///   - utterance: its index.
  ///   - path: the features' source, for the message.
  /// - Returns: [T × columns].
  /// - Throws: `FileFault` when they cannot be read or are not all finite.
  package func features(
    _ frames: Range<Int>? = nil, of utterance: Int, path: Origin
  ) throws(FileFault) -> Matrix {
    let frames = frames ?? 0..<frameCount(of: utterance)
    let matrix = SharedMatrix(rows: frames.count, columns: columns)
    try readFeatures(frames, of: utterance, into: matrix.tile)
    let features = matrix.matrix
    guard features.isFinite else {
      throw .malformed(
        path: path, expected: "finite features for \(id(of: utterance))", found: "NaN or infinity")
    }
    return features
  }

  /// A model's logits for a whole utterance.
  ///
  /// - Parameters:
  ///   - utterance: its index.
  ///   - model: a model that expects these features.
  ///   - path: the features' source, for the message.
  /// - Returns: [T × classes].
  /// - Throws: `FileFault` when the features cannot be read, or the features or logits are not all
  ///   finite.
  package func logits(
    of utterance: Int, by model: AcousticModel, path: Origin
  ) throws(FileFault) -> Matrix {
    let logits = model.logits(of: try features(of: utterance, path: path))
    try requireFinite(logits, of: utterance, path: path)
    return logits
  }

  /// Throws `FileFault` when networks' outputs for an utterance overflow.
  package func requireFinite(_ outputs: Matrix, of utterance: Int, path: Origin) throws(FileFault) {
    guard outputs.isFinite else {
      throw .malformed(
        path: path,
        expected: "features for \(id(of: utterance)) that give finite logits",
        found: "an overflow")
    }
  }

  /// The classes of a whole utterance.
  package func labels(of utterance: Int) throws(FileFault) -> [Int32] {
    try labels(0..<frameCount(of: utterance), of: utterance)
  }

  /// The ids of all utterances.
  package var ids: [String] { (0..<count).map(id) }
}
