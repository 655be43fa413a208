package import Corpus
import Features
import KaldiIO
import LinearAlgebra
import Models
package import Storage
import Synchronization
import SystemPackage

/// Where the frames come from that a model classifies.
package enum PosteriorSource: Sendable {
  /// A folder of limbeck's features.
  case features(FeatureFolder)
  /// The audio of a data directory.
  case audio(DataDirectory, channel: Int?)
  /// An `scp` or `ark` of features, as for `ArchiveInput`.
  case table(String, commands: CommandPolicy)
}

/// Features that are ready to be classified.
struct ReadyFeatures {
  let folder: FeatureFolder
  /// The options that they were made with.
  let made: FeatureOptions
  /// Their name in messages.
  let origin: Origin
  /// The utterances that have none, with the reasons, and what became of audio.
  let earlier: Ledger
}

extension PosteriorSource {
  /// Passes the features to `body`; features of audio are made first.
  ///
  /// - Parameters:
  ///   - classifier: the model that the features are for.
  ///   - work: the folder for features of audio, removed when `body` is done; nil for a temporary
  ///     one.
  ///   - workers: the threads that share the utterances.
  ///   - reporter: receives progress and warnings.
  ///   - body: called once.
  /// - Returns: what `body` returns.
  /// - Throws: `FileFault` when the features cannot be read or made, `ModelFault` when the model
  ///   expects others; and what `body` throws.
  func withFeatures<Result>(
    for classifier: FrameClassifier, work: FilePath?, workers: Workers, reporter: Reporter,
    _ body: (ReadyFeatures) throws -> Result
  ) throws -> Result {
    switch self {
    case .features(let folder):
      let ready = ReadyFeatures(
        folder: folder, made: try folder.options(), origin: .file(folder.path), earlier: Ledger())
      return try body(ready.fitting(classifier))
    case .table(let text, let commands):
      let held = HeldWarnings(reporter)
      let table = try TableFolder(
        text, commands: commands, workers: workers, reporter: held.reporter(.none))
      held.release(besides: table.unreadable)
      var earlier = Ledger()
      for entry in table.unreadable { earlier.append(entry) }
      let ready = ReadyFeatures(
        folder: table.features, made: table.options, origin: table.origin, earlier: earlier)
      let result = try body(ready.fitting(classifier))
      // Removes the copy, which must last until here.
      _ = consume table
      return result
    case .audio(let data, let channel):
      guard classifier.features.logMel != nil else {
        throw FileFault.malformed(
          path: data.path, expected: "features, since the model was trained on another program's",
          found: "audio")
      }
      let request = FeatureRequest(options: classifier.features, channel: channel)
      let held = HeldWarnings(reporter)
      guard let work else {
        let scratch = try ScratchFolder()
        let folder = FeatureFolder(path: scratch.path.appending("features"))
        let ledger = try folder.extract(
          data, request, workers: workers, reporter: held.reporter(.none))
        held.release(besides: ledger.leftOut)
        let result = try body(ReadyFeatures(folder, of: data, request, ledger))
        _ = consume scratch
        return result
      }
      let folder = FeatureFolder(path: work)
      let ledger = try folder.extract(
        data, request, workers: workers, reporter: held.reporter(.all))
      held.release(besides: ledger.leftOut)
      let result = try body(ReadyFeatures(folder, of: data, request, ledger))
      try FileSystem.removeFolder(work)
      return result
    }
  }
}

/// Holds back warnings until it is known which of them name skipped utterances: those are named
/// together with the utterances that are skipped later.
private final class HeldWarnings: Sendable {
  /// Which lines other than warnings are passed on.
  enum Others { case all, none }

  private let target: Reporter
  private let lines = Mutex<[String]>([])

  init(_ target: Reporter) { self.target = target }

  /// A reporter whose warnings are held back.
  func reporter(_ others: Others) -> Reporter {
    Reporter(
      log: Reporter.Log { level, line in
        if level != .info {
          self.lines.withLock { $0.append(line) }
        } else if others == .all {
          self.target.log.info(line)
        }
      }, progress: target.progress)
  }

  /// Passes on the warnings that are not about skipped utterances.
  func release(besides skipped: [Ledger.Entry]) {
    let accounts = Set(skipped.map(\.account))
    for line in lines.withLock(\.self)
    where !accounts.contains(line) && !line.contains("more utterances skipped; see ") {
      target.log.warning(line)
    }
  }
}

extension ReadyFeatures {
  /// Features that were just made of audio.
  fileprivate init(
    _ folder: FeatureFolder, of data: DataDirectory, _ request: FeatureRequest, _ ledger: Ledger
  ) {
    self.init(
      folder: folder, made: request.options, origin: .file(data.path), earlier: ledger)
  }

  /// The same features, if they fit a model.
  fileprivate func fitting(_ classifier: FrameClassifier) throws -> ReadyFeatures {
    try classifier.system.first.requireFeatures(
      made, path: classifier.system.path, madeIn: origin)
    return self
  }
}
