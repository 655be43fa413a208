import Foundation
package import LinearAlgebra
package import Storage
package import SystemPackage

/// The check of a Kaldi data directory before any work is done with it: what Kaldi's
/// `utils/validate_data_dir.sh` and lhotse's `qa.py` look for, as far as it applies.
///
/// All faults are found in one run. What makes a difference to this program is an error; what it takes as
/// it is but Kaldi refuses, and what is merely unusual, is a warning.
package struct DataValidation: Sendable {
  private let path: FilePath
  private let root: FilePath?
  private let commands: CommandPolicy
  private let channel: Int?

  /// - Parameters:
  ///   - path: the folder.
  ///   - root: where relative paths in `wav.scp` start; nil for the current folder.
  ///   - commands: whether entries of `wav.scp` may be commands.
  ///   - channel: which channel of each recording is meant, from one; nil expects mono files.
  package init(path: FilePath, root: FilePath?, commands: CommandPolicy, channel: Int?) {
    (self.path, self.root, self.commands, self.channel) = (path, root, commands, channel)
  }

  /// Checks the files, and the audio when that is asked for.
  ///
  /// - Parameters:
  ///   - workers: share the recordings; nil leaves the audio alone.
  ///   - progress: told how many recordings of how many are done.
  /// - Returns: all findings, those of the files first.
  /// - Throws: `FileFault` when there is no such folder, and a fault of the machine.
  package func run(
    audio workers: Workers?, progress: @Sendable (_ done: Int, _ total: Int) -> Void = { _, _ in }
  ) throws -> ValidationReport {
    guard let facts = try FileSystem.facts(of: path) else { throw FileFault.missing(path: path) }
    guard facts.kind == .folder else {
      throw FileFault.malformed(path: path, expected: "a folder", found: "a file")
    }
    // A wav.scp or segments that cannot be used is among the findings of the files; without segments the
    // recordings are checked all the same.
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
      report.seconds = audio.seconds
    }
    return report
  }

  /// The directory as far as it can be used; nil where its files are at fault.
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
