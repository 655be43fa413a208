import Foundation
package import Storage
package import SystemPackage

/// Where the audio of a recording comes from.
package enum Recording: Sendable, Equatable, CustomStringConvertible {
  case file(path: FilePath)
  /// A command of the shell, whose output is the audio.
  case command(String)
  /// Features of it are all that there is.
  case absent

  package var description: String {
    switch self {
    case .file(let path): path.string
    case .command(let command): "\(command) |"
    case .absent: "no recording"
    }
  }

  /// Gives `body` the path of a file with the audio, and what it is called; a command's output is a temporary
  /// file, called as the command.
  ///
  /// - Throws: `FileFault` when a command fails, and what `body` throws.
  package func withFile<Result>(
    _ body: (_ path: FilePath, _ name: Origin) throws -> Result
  ) throws -> Result {
    switch self {
    case .file(let path): try body(path, .file(path))
    case .command(let command):
      try ShellCommand.withOutput(of: command) { try body($0, .output(of: command)) }
    case .absent:
      throw FileFault.malformed(
        path: .named("a recording"), expected: "audio in wav.scp", found: "features alone")
    }
  }
}

/// One utterance of a data directory.
package struct Utterance: Sendable, Equatable {
  package let id: String
  /// The id of its recording, which is its own without `segments`.
  package let recordingID: String
  /// The recording that it is, or is a part of.
  package let recording: Recording
  /// Its part of the recording in seconds, whose end may be infinity, that of the recording; nil for all of it.
  package let seconds: ClosedRange<Double>?
  /// Which channel of the recording it is, from one; nil when `segments` does not say.
  package let channel: Int?
  /// Who speaks; nil when `utt2spk` does not say.
  package var speaker: String?

  /// - Parameters:
  ///   - id: its own.
  ///   - recordingID: nil for the same.
  ///   - recording: where its audio is.
  ///   - seconds: its part of the recording; nil for all of it.
  ///   - channel: from one; nil when it is not known.
  package init(
    id: String, recordingID: String? = nil, recording: Recording,
    seconds: ClosedRange<Double>? = nil, channel: Int? = nil
  ) {
    self.id = id
    self.recordingID = recordingID ?? id
    (self.recording, self.seconds, self.channel) = (recording, seconds, channel)
  }
}

extension Utterance {
  /// The same, of a channel where `segments` does not say which.
  package func onChannel(_ channel: Int?) -> Utterance {
    var own = Utterance(
      id: id, recordingID: recordingID, recording: recording, seconds: seconds,
      channel: self.channel ?? channel)
    own.speaker = speaker
    return own
  }
}

/// A Kaldi data directory: `wav.scp`, and `segments` and `utt2spk` where they exist.
///
/// Lines that cannot be used do not stop the others: their utterances are in `faults`.
package struct DataDirectory: Sendable {
  /// What a `segments` file is taken for.
  package enum SegmentUse {
    case asListed
    /// Each recording is an utterance.
    case ignored
  }

  package let path: FilePath
  /// In the order of their ids' bytes, whatever order the files have.
  package private(set) var utterances: [Utterance]
  /// The utterances of lines that are malformed, stand twice or name no recording, and those that `text` or
  /// `utt2spk` alone has, with file and line.
  package let faults: Ledger
  /// What can be used of `wav.scp`, by id.
  package let recordings: [String: Recording]
  /// The lines of `wav.scp`, and of `segments` where it is.
  let script: DataTable
  let segments: DataTable?

  /// How many utterances the files name, usable or not.
  package var count: Int { utterances.count + faults.leftOutCount }

  /// The ids of these.
  package var ids: Set<String> {
    Set(utterances.map(\.id)).union(faults.leftOut.map(\.utterance))
  }

  /// Reads the files; audio is not opened.
  ///
  /// - Parameters:
  ///   - path: the folder.
  ///   - root: where relative paths in `wav.scp` start; nil for the current folder, as in Kaldi.
  ///   - commands: whether entries of `wav.scp` may be commands; else they are faults.
  ///   - use: whether `segments` decides what the utterances are.
  ///   - keys: the utterances that have features, in place of `wav.scp`; nil asks for that.
  /// - Throws: `FileFault` for a missing `wav.scp`, or for it or `segments` without any line.
  package init(
    path: FilePath, root: FilePath? = nil, commands: CommandPolicy = .refused,
    segments use: SegmentUse = .asListed, features keys: [String]? = nil
  ) throws(FileFault) {
    self.path = path
    let scriptPath = path.appending("wav.scp")
    var script: DataTable
    if let keys {
      script = DataTable(scriptPath, keys: keys)
    } else {
      script = try DataTable(scriptPath, expected: DataFile.wavScript.line)
    }
    guard !script.keys.isEmpty else {
      throw .malformed(path: scriptPath, expected: "at least one recording", found: "none")
    }
    var recordings =
      keys == nil
      ? DataDirectory.recordings(&script, root: root, commands: commands)
      : script.values.mapValues { _ in .absent }
    self.script = script
    let segmentPath = path.appending("segments")
    if use == .asListed, try FileSystem.exists(segmentPath) {
      var segments = try DataTable(segmentPath, expected: DataFile.segments.line)
      guard !segments.keys.isEmpty else {
        throw .malformed(path: segmentPath, expected: "at least one utterance", found: "none")
      }
      if keys != nil {
        let ids = segments.values.values.compactMap { $0.text[...].fields.first.map(String.init) }
        recordings = Dictionary(ids.map { ($0, .absent) }) { first, _ in first }
      }
      utterances = DataDirectory.utterances(&segments, recordings, unusable: script.reasons)
        .sorted { inByteOrder($0.id, $1.id) }
      self.segments = segments
    } else {
      utterances = recordings.map { Utterance(id: $0.key, recording: $0.value) }
        .sorted { inByteOrder($0.id, $1.id) }
      segments = nil
    }
    self.recordings = recordings
    // What is wrong with a recording shows in its segments.
    let list = segments ?? script
    var reasons = list.reasons
    let listed = Set(list.keys.map(\.key))
    for file in [DataFile.text, .utteranceToSpeaker] {
      let other = path.appending(file.rawValue)
      guard try FileSystem.exists(other) else { continue }
      let table = try DataTable(other, expected: file.line)
      if file == .utteranceToSpeaker {
        for index in utterances.indices {
          utterances[index].speaker = table.values[utterances[index].id]?.text
        }
      }
      for (line, key) in table.keys where !listed.contains(key) {
        reasons[key] =
          FileFault.malformedLine(
            path: other, line: line, expected: "an utterance of \(list.path.text)", found: key
          ).description
      }
    }
    var faults = Ledger()
    // Keys of the same letters in other bytes are utterances of their own, each of which is skipped.
    let spelled = Set(list.keys.map(\.key))
    let named = list.distinctKeys + reasons.keys.filter { !spelled.contains($0) }
    for key in named.sorted(by: inByteOrder) {
      if let reason = reasons[key] { faults.leaveOut(key, .data, reason: reason) }
    }
    self.faults = faults
  }

  private static func recordings(
    _ script: inout DataTable, root: FilePath?, commands: CommandPolicy
  ) -> [String: Recording] {
    var recordings: [String: Recording] = [:]
    for (key, value) in script.values {
      guard let command = ShellCommand.parse(value.text) else {
        let path = FilePath(value.text)
        recordings[key] = .file(path: root?.pushing(path) ?? path)
        continue
      }
      if commands == .allowed {
        recordings[key] = .command(command)
      } else {
        script.reject(
          key, expected: "the path of an audio file, or --allow-commands",
          found: "a command, which is not run: \(value.text)")
      }
    }
    return recordings
  }

  private static func utterances(
    _ segments: inout DataTable, _ recordings: [String: Recording], unusable: [String: String]
  ) -> [Utterance] {
    var utterances: [Utterance] = []
    for (key, value) in segments.values {
      let fields = value.text[...].fields
      // Kaldi's extract-segments counts channels from zero.
      let channel =
        fields.count == 4 ? Int(fields[3]).flatMap { (0..<1024) ~= $0 ? $0 + 1 : nil } : nil
      guard fields.count == 3 || channel != nil, let start = fields[1].decimal,
        let listed = fields[2].decimal, start >= 0, start < longestRecording,
        case let end = listed == -1 ? .infinity : listed, end > start,
        end == .infinity || end < longestRecording
      else {
        segments.reject(
          key,
          expected:
            "an utterance, its recording, a start before an end in seconds (-1 for the recording's), and "
            + "at most a channel from 0",
          found: "\"\(key) \(value.text)\"")
        continue
      }
      let recordingID = String(fields[0])
      guard let recording = recordings[recordingID] else {
        segments.reject(
          key, expected: "a recording of wav.scp",
          found: unusable[recordingID] ?? "\"\(recordingID)\"")
        continue
      }
      utterances.append(
        Utterance(
          id: key, recordingID: recordingID, recording: recording, seconds: start...end,
          channel: channel))
    }
    return utterances
  }

  /// The path of `utt2spk`, which need not exist.
  package var speakersPath: FilePath { path.appending("utt2spk") }

  /// The speaker of each utterance.
  ///
  /// - Throws: `FileFault` for a missing `utt2spk`; an utterance whose line is malformed or stands
  ///   twice is not in the result.
  package func speakers() throws(FileFault) -> [String: String] {
    try DataTable(speakersPath, expected: DataFile.utteranceToSpeaker.line).values
      .filter { !$0.value.text.contains(" ") }.mapValues(\.text)
  }
}

/// Some months in seconds; a time beyond it is a mistake.
private let longestRecording = 1e7
