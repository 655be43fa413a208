import Corpus
package import Features
import KaldiIO
package import LinearAlgebra
import Storage

/// The features of a table, `scp` or `ark`, as a folder that goes with the value.
package struct TableFolder: ~Copyable {
  /// Where the table is.
  package let path: String
  package let features: FeatureFolder
  /// What `features.json` beside the table says of them, or else no more than their number of columns.
  package let options: FeatureOptions
  /// The entries that cannot be read, with their reasons.
  let unreadable: [Ledger.Entry]
  private let scratch: ScratchFolder

  /// Copies the features; the speakers are those of `utt2spk` beside the table.
  ///
  /// - Parameters:
  ///   - table: a path or a specifier, as of `ArchiveInput`.
  ///   - workers: share the utterances.
  ///   - reporter: where what cannot be read is named.
  /// - Throws: `FileFault` for what is no table of matrices.
  package init(_ table: String, workers: Workers, reporter: Reporter) throws {
    let frames = try MatrixTable(table, commands: .refused)
    let own = FeatureOptions(frames: .given(GivenFrames(columns: try frames.columns())))
    let scratch = try ScratchFolder()
    let (data, folder) = (scratch.path + "/data", scratch.path + "/features")
    try FileSystem.makeFolder(data)
    let beside = FileSystem.folder(of: frames.path)
    if try FileSystem.exists(beside + "/utt2spk") {
      let keys = Set(frames.keys)
      let lines = try TextFile.lines(of: beside + "/utt2spk").map(\.text)
        .filter { keys.contains(String($0.keyAndRest.key)) }
      try AtomicFile.write(lines.map { $0 + "\n" }.joined(), to: data + "/utt2spk")
    }
    let features = FeatureFolder(path: folder)
    let directory = try DataDirectory(path: data, features: frames.keys)
    let ledger = try features.extract(
      directory, FeatureRequest(given: frames, options: own), workers: workers, reporter: reporter)
    let described = FeatureFolder(path: beside)
    let isDescribed = try FileSystem.exists(described.descriptionPath)
    options = try isDescribed ? described.options() : own
    path = frames.path
    unreadable = ledger.leftOut.filter { $0.stage == .features }
    self.features = features
    self.scratch = scratch
  }
}
