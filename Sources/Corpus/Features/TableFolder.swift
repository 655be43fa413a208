package import Features
import KaldiIO
package import LinearAlgebra
package import Storage
import SystemPackage

/// The features of a table, `scp` or `ark`, as a folder that goes with the value.
package struct TableFolder: ~Copyable {
  /// Where the table is.
  package let origin: Origin
  package let features: FeatureFolder
  /// What `features.json` beside the table says of them, or else no more than their number of columns.
  package let options: FeatureOptions
  /// The entries that cannot be read, with their reasons.
  package let unreadable: [Ledger.Entry]
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
    let data = scratch.path.appending("data")
    try FileSystem.makeFolder(data)
    // Of the standard input that is the current folder.
    let beside: FilePath = if case .file(let path) = frames.origin { path.folder } else { "." }
    let described = FeatureFolder(path: beside)
    if try FileSystem.exists(described.speakersPath) {
      let keys = Set(frames.keys)
      let lines = try TextFile.lines(of: described.speakersPath).map(\.text)
        .filter { keys.contains(String($0.keyAndRest.key)) }
      try AtomicFile.write(lines.map { $0 + "\n" }.joined(), to: data.appending("utt2spk"))
    }
    let features = FeatureFolder(path: scratch.path.appending("features"))
    let directory = try DataDirectory(path: data, features: frames.keys)
    let ledger = try features.extract(
      directory, FeatureRequest(given: frames, options: own), workers: workers, reporter: reporter)
    let isDescribed = try FileSystem.exists(described.descriptionPath)
    options = try isDescribed ? described.options() : own
    origin = frames.origin
    unreadable = ledger.leftOut.filter { $0.stage == .features }
    self.features = features
    self.scratch = scratch
  }
}
