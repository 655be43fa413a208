import Training
package import Evaluation
import Foundation
import LinearAlgebra
package import Storage
package import SystemPackage

/// The size of a store of soft targets and what it loses; beside the archive, as `train.json`.
package struct SoftTargetReport: Sendable, Equatable, Codable {
  /// A way to store soft targets.
  package struct Form: Sendable, Equatable, Codable {
    /// The number of largest probabilities kept for each frame; nil for all.
    package let largest: Int?
    /// The number of bytes of a frame.
    package let bytesAFrame: Int
    /// The mean KL divergence in nats of the restored distribution, with its tail spread evenly,
    /// from the ensemble's.
    package let divergence: Double
    /// The share of frames whose most probable class is unchanged.
    package let agreement: Double
  }

  /// The temperature of the soft targets.
  package let temperature: Double
  /// The number of frames in the archive.
  package let frames: Int
  /// The size of the archive.
  package let bytes: Int
  /// The number of frames on which losses are measured.
  package let measuredFrames: Int
  /// The form in which they are stored.
  package let own: Form
  /// Forms with other numbers of classes, for comparison.
  package let others: [Form]

  /// The path of an archive's report.
  package static func path(of archive: FilePath) -> FilePath {
    var path = archive
    path.extension = "json"
    return path
  }

  /// Reads the report of an archive.
  ///
  /// - Throws: `FileFault` when it is missing or malformed.
  package init(path: FilePath) throws(FileFault) {
    let data = try TextFile.bytes(of: path)
    do {
      self = try JSONDecoder().decode(SoftTargetReport.self, from: data)
    } catch {
      throw .malformed(
        path: path, expected: "a report of soft targets", found: "other contents")
    }
  }

  fileprivate init(
    temperature: Double, frames: Int, bytes: Int, measuredFrames: Int, own: Form, others: [Form]
  ) {
    (self.temperature, self.frames, self.bytes) = (temperature, frames, bytes)
    (self.measuredFrames, self.own, self.others) = (measuredFrames, own, others)
  }

  /// The losses of each form, with the frames and the size in its note.
  package var table: TextTable {
    TextTable(
      rows: [["classes kept", "bytes a frame", "KL, nats", "same choice %"]]
        + ([own] + others).enumerated().map { index, form in
          [
            (form.largest.map { "\($0) and the tail" } ?? "all") + (index == 0 ? " *" : ""),
            "\(form.bytesAFrame)", String(format: "%.1e", form.divergence),
            String(format: "%.3f", 100 * form.agreement),
          ]
        },
      note: """
        Soft targets at T = \(temperature) of \(frames) frames, \(String(format: "%.1f MB", Double(bytes) / 1e6)) \
        as stored (*); losses are measured on \(measuredFrames) of them.
        """)
  }
}

/// What frames lose, in the store that is used and in others.
struct SoftTargetLosses: Sendable, Codable {
  /// A store for comparison only.
  private struct Other: Codable {
    let store: SoftTargetStore
    var loss = SoftTargetStore.Loss()
  }

  private let store: SoftTargetStore
  private(set) var own = SoftTargetStore.Loss()
  private var others: [Other]

  /// The distance between the frames of an utterance that are measured.
  private static let stride = 32

  init(of store: SoftTargetStore) {
    self.store = store
    others = [1, 3, 5, 10, 20, 50, 100].filter { $0 < store.classes && $0 != store.largest }
      .map { Other(store: SoftTargetStore(classes: store.classes, largest: $0)) }
  }

  /// Measures some of the frames of an utterance.
  ///
  /// - Parameters:
  ///   - distributions: [T × classes].
  ///   - stored: the same frames as the archive stores them.
  mutating func add(_ distributions: Matrix, stored: Matrix) {
    let rows = Array(Swift.stride(from: 0, to: distributions.rows, by: SoftTargetLosses.stride))
    let sample = distributions.rows(rows)
    own.add(sample, restored: SoftTargetLosses.restored(stored.rows(rows), by: store))
    for index in others.indices {
      let other = others[index].store
      others[index].loss.add(
        sample, restored: SoftTargetLosses.restored(other.stored(sample), by: other))
    }
  }

  private static func restored(_ stored: Matrix, by store: SoftTargetStore) -> Matrix {
    var result = stored
    result.withRows(0..<result.rows) { _, row in store.restore(&row) }
    return store.spread(result)
  }

  /// Adds the counts of another value.
  mutating func add(_ other: SoftTargetLosses) {
    own.add(other.own)
    for index in others.indices { others[index].loss.add(other.others[index].loss) }
  }

  func report(frames: Int, bytes: Int, temperature: Double) -> SoftTargetReport {
    func form(_ store: SoftTargetStore, _ loss: SoftTargetStore.Loss) -> SoftTargetReport.Form {
      SoftTargetReport.Form(
        largest: store.largest, bytesAFrame: store.bits / 8 * store.columns,
        divergence: loss.meanDivergence,
        agreement: loss.agreement)
    }
    return SoftTargetReport(
      temperature: temperature, frames: frames, bytes: bytes, measuredFrames: own.frames,
      own: form(store, own), others: others.map { form($0.store, $0.loss) })
  }
}
