import Foundation
package import LinearAlgebra
package import Storage
package import SystemPackage

/// Checks a Kaldi data directory before it is used.
///
/// It looks for what Kaldi's `utils/validate_data_dir.sh` and lhotse's `qa.py` look for, as far as
/// that applies, and finds all faults in one run. Whatever affects this program is an error.
/// Whatever this program accepts but Kaldi refuses, and whatever is merely unusual, is a warning.
package struct DataValidation: Sendable {
  private let path: FilePath
  private let root: FilePath?
  private let commands: CommandPolicy
  private let channel: Int?

  /// - Parameters:
  ///   - path: the folder.
  ///   - root: the folder that relative paths in `wav.scp` start from; nil for the current folder.
  ///   - commands: whether entries of `wav.scp` may be commands.
  ///   - channel: the channel of each recording to read, counted from one; nil expects mono files.
  package init(path: FilePath, root: FilePath?, commands: CommandPolicy, channel: Int?) {
    (self.path, self.root, self.commands, self.channel) = (path, root, commands, channel)
  }

  /// Checks the files and, on request, the audio.
  ///
  /// - Parameters:
  ///   - workers: the threads among which the recordings are shared; nil to skip the audio.
  ///   - progress: called after each recording with the numbers done and in all.
  /// - Returns: all findings, those about the files first.
  /// - Throws: `FileFault` when the folder does not exist or is a file, and faults of the machine.
  package func run(
    audio workers: Workers?, progress: @Sendable (_ done: Int, _ total: Int) -> Void = { _, _ in }
  ) throws -> ValidationReport {
    guard let facts = try FileSystem.facts(of: path) else { throw FileFault.missing(path: path) }
    guard facts.kind == .folder else {
      throw FileFault.malformed(path: path, expected: "a folder", found: "a file")
    }
    // FileValidation reports an unusable wav.scp or segments. If only segments is unusable, the
    // recordings are still checked.
    var data = try directory(.asListed)
    if data == nil { data = try directory(.ignored) }
    let files = try FileValidation(path: path, data: data)
    var report = ValidationReport(path: path)
    report.add(files.findings)
    report.speakers = files.speakers?.count
    guard let data else { return report }
    (report.utterances, report.recordings) = (data.count, data.recordings.count)
    if let workers {
      let audio = try AudioValidation(data: data, channel: channel, files: files)
        .run(workers, progress: progress)
      report.add(audio.findings)
      (report.seconds, report.sampleRates) = (audio.seconds, audio.sampleRates)
    }
    return report
  }

  /// The directory; nil when its files make it unusable.
  ///
  /// - Throws: a fault of the machine.
  private func directory(_ segments: DataDirectory.SegmentUse) throws(FileFault) -> DataDirectory? {
    do throws(FileFault) {
      return try DataDirectory(path: path, root: root, commands: commands, segments: segments)
    } catch {
      if error.isOfMachine { throw error }
      return nil
    }
  }
}
