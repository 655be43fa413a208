import Foundation
package import Storage
package import SystemPackage

/// Where the audio of a recording comes from.
package enum Recording: Sendable, Equatable, CustomStringConvertible {
  /// An audio file.
  case file(path: FilePath)
  /// A shell command whose output is the audio.
  case command(String)
  /// There is no audio, only features.
  case absent

  /// The path, or the command with Kaldi's trailing `|`.
  package var description: String {
    switch self {
    case .file(let path): path.string
    case .command(let command): "\(command) |"
    case .absent: "no recording"
    }
  }

  /// Passes `body` the path of a file with the audio, and the name to call it by in messages.
  ///
  /// A command's output is written to a temporary file, which is named after the command in
  /// messages.
  ///
  /// - Throws: `FileFault` when a command fails or there is no audio, and whatever `body` throws.
  package func withFile<Result>(
    _ body: (_ path: FilePath, _ name: Origin) throws -> Result
  ) throws -> Result {
    switch self {
    case .file(let path): try body(path, .file(path))
    case .command(let command):
      try ShellCommand.withOutput(of: command) { try body($0, .output(of: command)) }
    case .absent:
      throw FileFault.malformed(
        path: .named("a recording"), expected: "audio in wav.scp", found: "only features")
    }
  }
}

/// One utterance of a data directory.
package struct Utterance: Sendable, Equatable {
  /// The key in `segments`, or in `wav.scp` without `segments`.
  package let id: String
  /// The id of its recording; without `segments`, the utterance's own id.
  package let recordingID: String
  /// The recording that contains it.
  package let recording: Recording
  /// Its part of the recording, in seconds; nil for all of it.
  ///
  /// An infinite upper bound stands for the end of the recording.
  package let seconds: ClosedRange<Double>?
  /// Its channel of the recording, counted from one; nil when `segments` does not say.
  package let channel: Int?
  /// The speaker's id; nil when `utt2spk` does not say.
  package var speaker: String?

  /// - Parameters:
  ///   - id: the utterance's id.
  ///   - recordingID: the recording's id; nil for the same one.
  ///   - recording: where the audio is.
  ///   - seconds: its part of the recording; nil for all of it.
  ///   - channel: counted from one; nil when it is not known.
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
  /// The same utterance, on `channel` if `segments` does not name a channel.
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
/// An unusable line does not affect the others; its utterance is in `faults`.
package struct DataDirectory: Sendable {
  /// How a `segments` file is used.
  package enum SegmentUse {
    /// Each of its lines is an utterance.
    case asListed
    /// It is not read, and each recording is an utterance.
    case ignored
  }

  /// The folder.
  package let path: FilePath
  /// The usable utterances, in byte order of their ids, whatever order the files have.
  package internal(set) var utterances: [Utterance]
  /// The unusable utterances, each with the file and the line at fault.
  ///
  /// Their lines are malformed, appear twice or name no recording, or only `text` or `utt2spk` has
  /// them.
  package let faults: Ledger
  /// The usable recordings of `wav.scp`, by id.
  package let recordings: [String: Recording]
  /// The lines of `wav.scp`.
  let script: DataTable
  /// The lines of `segments`; nil when it does not exist or is ignored.
  let segments: DataTable?

  /// The number of utterances that the files name, usable or not.
  package var count: Int { utterances.count + faults.leftOutCount }

  /// The ids of all utterances that the files name, usable or not.
  package var ids: Set<String> {
    Set(utterances.map(\.id)).union(faults.leftOut.map(\.utterance))
  }

  /// Reads the files; audio is not opened.
  ///
  /// - Parameters:
  ///   - path: the folder.
  ///   - root: the folder that relative paths in `wav.scp` start from; nil for the current folder,
  ///     as in Kaldi.
  ///   - commands: whether entries of `wav.scp` may be commands; otherwise they are faults.
  ///   - use: whether `segments` decides what the utterances are.
  ///   - keys: the ids of the utterances that have features, used instead of `wav.scp`; nil to read
  ///     `wav.scp`.
  /// - Throws: `FileFault` when `wav.scp` is missing, or when it or `segments` has no lines.
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
    // A recording's fault is reported for each of its segments.
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
    // Keys with the same letters in different bytes are different utterances; each is skipped.
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
            "an utterance, its recording, a start before an end in seconds (-1 for the "
            + "recording's), and optionally a channel from 0",
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
  /// Utterances whose lines are malformed or appear twice are omitted.
  ///
  /// - Throws: `FileFault` when `utt2spk` is missing or cannot be read.
  package func speakers() throws(FileFault) -> [String: String] {
    try DataTable(speakersPath, expected: DataFile.utteranceToSpeaker.line).values
      .filter { !$0.value.text.contains(" ") }.mapValues(\.text)
  }
}

/// About four months, in seconds; any longer time is a mistake.
private let longestRecording = 1e7
