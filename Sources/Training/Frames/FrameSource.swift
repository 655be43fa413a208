package import LinearAlgebra
package import Storage

/// What stands in the place of a class.
package enum FrameClass {
  /// Of a frame whose class is not known.
  package static let unknown: Int32 = -1
  /// Of a row that is no frame, or of one that is not to be learnt from.
  package static let none: Int32 = -2
}

/// Where the frames of some utterances are: their features, their classes, and the soft targets where there
/// are such.
package protocol FrameSource: Sendable {
  /// The features of a frame.
  var columns: Int { get }
  /// The classes of soft targets; 0 when there are none.
  var softColumns: Int { get }
  /// How many utterances there are.
  var count: Int { get }

  /// The id of an utterance.
  func id(of utterance: Int) -> String

  /// How many frames an utterance has, at least one.
  func frameCount(of utterance: Int) -> Int

  /// Reads the features of some frames, not normalised.
  ///
  /// - Parameters:
  ///   - frames: of the utterance.
  ///   - utterance: its index.
  ///   - tile: whole rows, `frames.count × columns`.
  /// - Throws: `FileFault` when they cannot be read.
  func readFeatures(_ frames: Range<Int>, of utterance: Int, into tile: Tile) throws(FileFault)

  /// The classes of some frames; `FrameClass.unknown` of a frame that has soft targets alone, and
  /// `FrameClass.none` of one that is not to be learnt from.
  func labels(_ frames: Range<Int>, of utterance: Int) throws(FileFault) -> [Int32]

  /// Reads the soft targets of some frames into whole rows, `frames.count × softColumns`.
  func readSoftTargets(_ frames: Range<Int>, of utterance: Int, into tile: Tile) throws(FileFault)
}

extension FrameSource {
  /// The number of frames of all utterances.
  package var frameCount: Int { (0..<count).reduce(0) { $0 + frameCount(of: $1) } }
}

/// Frames that are in memory.
package struct FramesInMemory: FrameSource {
  /// One utterance.
  package struct Utterance: Sendable {
    package let id: String
    /// Frames × features, not normalised.
    package let features: Matrix
    /// A class id a frame.
    package let labels: [Int32]
    /// Frames × classes; nil for none.
    package let softTargets: Matrix?

    package init(id: String, features: Matrix, labels: [Int32], softTargets: Matrix? = nil) {
      precondition(
        features.rows == labels.count && softTargets?.rows ?? labels.count == labels.count,
        "FramesInMemory: \(labels.count) labels for \(features.rows) frames of \(id)")
      (self.id, self.features, self.labels) = (id, features, labels)
      self.softTargets = softTargets
    }
  }

  private let utterances: [Utterance]

  /// - Parameter utterances: all of the same numbers of features and soft targets; at least one.
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

/// The frames of several sources, one behind the other.
package struct JoinedFrames: FrameSource {
  private let sources: [any FrameSource]
  /// The number of utterances before each source, and of all.
  private let starts: [Int]

  /// - Parameter sources: at least one; all of the same numbers of features and soft targets.
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
    // Few sources: looking at each is quick.
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
