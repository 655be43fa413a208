package import Features
import KaldiIO
package import LinearAlgebra
package import Storage
import SystemPackage

/// The features of an `scp` or `ark` table, copied to a temporary folder that is removed with this
/// value.
package struct TableFolder: ~Copyable {
  /// The table's name in faults.
  package let origin: Origin
  /// The copy of the features.
  package let features: FeatureFolder
  /// The options in `features.json` beside the table, or just the number of columns if there is
  /// none.
  package let options: FeatureOptions
  /// The entries that cannot be read, with the reasons.
  package let unreadable: [Ledger.Entry]
  private let scratch: ScratchFolder

  /// Copies the features; speakers come from `utt2spk` beside the table.
  ///
  /// - Parameters:
  ///   - table: a path or a specifier, as for `ArchiveInput`.
  ///   - commands: whether the table, or an entry of a list, may be a command.
  ///   - workers: the threads that share the utterances.
  ///   - reporter: receives warnings about unreadable entries.
  /// - Throws: `FileFault` for anything but a table of matrices.
  package init(
    _ table: String, commands: CommandPolicy = .refused, workers: Workers, reporter: Reporter
  ) throws {
    let frames = try MatrixTable(table, commands: commands)
    let own = FeatureOptions(frames: .given(GivenFrames(columns: try frames.columns())))
    let scratch = try ScratchFolder()
    let data = scratch.path.appending("data")
    try FileSystem.makeFolder(data)
    // Standard input has no folder, so use the current one.
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
