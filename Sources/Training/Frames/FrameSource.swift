package import LinearAlgebra
package import Storage

/// Special values used in place of a class id.
package enum FrameClass {
  /// The frame's class is not known.
  package static let unknown: Int32 = -1
  /// The row is not a frame, or the frame is not to be learnt from.
  package static let none: Int32 = -2
}

/// A source of frames by utterance: their features, their classes, and their soft targets if any.
package protocol FrameSource: Sendable {
  /// The number of features in a frame.
  var columns: Int { get }
  /// The number of values in a frame's soft target; 0 when there are no soft targets.
  var softColumns: Int { get }
  /// The number of utterances.
  var count: Int { get }

  /// The id of the utterance with the given index.
  func id(of utterance: Int) -> String

  /// The number of frames in an utterance, at least one.
  func frameCount(of utterance: Int) -> Int

  /// Reads the unnormalised features of some frames.
  ///
  /// - Parameters:
  ///   - frames: a range of the utterance's frames.
  ///   - utterance: the index of the utterance.
  ///   - tile: where to write them, [frames.count × columns], whole rows.
  /// - Throws: `FileFault` when they cannot be read.
  func readFeatures(_ frames: Range<Int>, of utterance: Int, into tile: Tile) throws(FileFault)

  /// The class ids of some frames.
  ///
  /// They are `FrameClass.unknown` for a frame with only a soft target, and `FrameClass.none` for a
  /// frame that is not to be learnt from.
  ///
  /// - Throws: `FileFault` when they cannot be read.
  func labels(_ frames: Range<Int>, of utterance: Int) throws(FileFault) -> [Int32]

  /// Reads the soft targets of some frames into whole rows, [frames.count × softColumns].
  ///
  /// - Throws: `FileFault` when they cannot be read.
  func readSoftTargets(_ frames: Range<Int>, of utterance: Int, into tile: Tile) throws(FileFault)
}

extension FrameSource {
  /// The number of frames in all utterances.
  package var frameCount: Int { (0..<count).reduce(0) { $0 + frameCount(of: $1) } }
}

/// A source of frames that are in memory.
package struct FramesInMemory: FrameSource {
  /// The frames of one utterance.
  package struct Utterance: Sendable {
    /// The utterance's id.
    package let id: String
    /// The unnormalised features, [frames × features].
    package let features: Matrix
    /// One class id per frame, or a value of `FrameClass`.
    package let labels: [Int32]
    /// The soft targets, [frames × values]; nil for none.
    package let softTargets: Matrix?

    /// An utterance whose features, labels and soft targets have the same number of frames.
    package init(id: String, features: Matrix, labels: [Int32], softTargets: Matrix? = nil) {
      precondition(
        features.rows == labels.count && softTargets?.rows ?? labels.count == labels.count,
        "FramesInMemory: \(labels.count) labels for \(features.rows) frames of \(id)")
      (self.id, self.features, self.labels) = (id, features, labels)
      self.softTargets = softTargets
    }
  }

  private let utterances: [Utterance]

  /// - Parameter utterances: at least one; all with the same numbers of columns.
  package init(_ utterances: [Utterance]) {
    self.utterances = utterances
  }

  package var columns: Int { utterances[0].features.columns }
  package var softColumns: Int { utterances[0].softTargets?.columns ?? 0 }
  package var count: Int { utterances.count }
  package func id(of utterance: Int) -> String { utterances[utterance].id }
  package func frameCount(of utterance: Int) -> Int { utterances[utterance].labels.count }

  package func readFeatures(_ frames: Range<Int>, of utterance: Int, into tile: Tile) {
    copy(utterances[utterance].features, frames, into: tile)
  }

  package func labels(_ frames: Range<Int>, of utterance: Int) -> [Int32] {
    Array(utterances[utterance].labels[frames])
  }

  package func readSoftTargets(_ frames: Range<Int>, of utterance: Int, into tile: Tile) {
    if let targets = utterances[utterance].softTargets { copy(targets, frames, into: tile) }
  }

  private func copy(_ matrix: Matrix, _ rows: Range<Int>, into tile: Tile) {
    for (index, row) in rows.enumerated() {
      tile.withRow(index) { RowKernels.copy(matrix.row(row), into: &$0) }
    }
  }
}

/// The utterances of several sources, one source after the other.
package struct JoinedFrames: FrameSource {
  private let sources: [any FrameSource]
  /// The number of utterances before each source, then the number of all.
  private let starts: [Int]

  /// - Parameter sources: at least one; all with the same numbers of columns.
  package init(_ sources: [any FrameSource]) {
    let (columns, soft) = (sources[0].columns, sources[0].softColumns)
    precondition(
      sources.allSatisfy { $0.columns == columns && $0.softColumns == soft },
      "JoinedFrames: sources of other features or soft targets than \(columns) and \(soft)")
    self.sources = sources
    starts = sources.reduce(into: [0]) { $0.append(($0.last ?? 0) + $1.count) }
  }

  package var columns: Int { sources[0].columns }
  package var softColumns: Int { sources[0].softColumns }
  package var count: Int { starts[sources.count] }

  private func place(of utterance: Int) -> (source: any FrameSource, utterance: Int) {
    // There are few sources, so a linear search is fast.
    let index = (starts.firstIndex { $0 > utterance } ?? sources.count) - 1
    return (sources[index], utterance - starts[index])
  }

  package func id(of utterance: Int) -> String {
    let (source, own) = place(of: utterance)
    return source.id(of: own)
  }

  package func frameCount(of utterance: Int) -> Int {
    let (source, own) = place(of: utterance)
    return source.frameCount(of: own)
  }

  package func readFeatures(
    _ frames: Range<Int>, of utterance: Int, into tile: Tile
  ) throws(FileFault) {
    let (source, own) = place(of: utterance)
    try source.readFeatures(frames, of: own, into: tile)
  }

  package func labels(_ frames: Range<Int>, of utterance: Int) throws(FileFault) -> [Int32] {
    let (source, own) = place(of: utterance)
    return try source.labels(frames, of: own)
  }

  package func readSoftTargets(
    _ frames: Range<Int>, of utterance: Int, into tile: Tile
  ) throws(FileFault) {
    let (source, own) = place(of: utterance)
    try source.readSoftTargets(frames, of: own, into: tile)
  }
}
