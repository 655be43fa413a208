import Storage

/// The files of a Kaldi data directory that are checked, and what each must contain.
enum DataFile: String, CaseIterable {
  case wavScript = "wav.scp"
  case segments
  case utteranceToSpeaker = "utt2spk"
  case speakerToUtterances = "spk2utt"
  case text
  case features = "feats.scp"
  case voiceActivity = "vad.scp"
  case frameCounts = "utt2num_frames"
  case utteranceDurations = "utt2dur"
  case languages = "utt2lang"
  case originals = "utt2uniq"
  case utteranceWarps = "utt2warp"
  case statistics = "cmvn.scp"
  case genders = "spk2gender"
  case speakerWarps = "spk2warp"
  case recordingDurations = "reco2dur"
  case sides = "reco2file_and_channel"

  /// What the keys of a file are ids of.
  enum Keys: String {
    case utterance, speaker, recording
  }

  /// What the file's keys are ids of.
  ///
  /// Those of `wav.scp` are recordings, which are the utterances if there is no `segments`.
  var keys: Keys {
    switch self {
    case .wavScript, .recordingDurations, .sides: .recording
    case .speakerToUtterances, .statistics, .genders, .speakerWarps: .speaker
    case .segments, .utteranceToSpeaker, .text, .features, .voiceActivity, .frameCounts,
      .utteranceDurations, .languages, .originals, .utteranceWarps:
      .utterance
    }
  }

  /// The severity of a missing file; nil when the file is optional.
  var absence: Finding.Severity? {
    switch self {
    case .wavScript: .error
    case .utteranceToSpeaker, .speakerToUtterances, .text: .warning
    default: nil
    }
  }

  /// What a line contains, for messages.
  var line: String {
    switch self {
    case .wavScript: "a recording and its path"
    case .segments: "an utterance, its recording, a start and an end in seconds"
    case .utteranceToSpeaker: "an utterance and its speaker"
    case .speakerToUtterances: "a speaker and its utterances"
    case .text: "an utterance and its words"
    case .features, .voiceActivity: "an utterance and a place in an archive"
    case .frameCounts: "an utterance and its number of frames, above 0"
    case .utteranceDurations: "an utterance and its seconds, above 0"
    case .languages: "an utterance and its language"
    case .originals: "an utterance and the one it was made from"
    case .utteranceWarps: "an utterance and a warp between 0.5 and 1.5"
    case .statistics: "a speaker and a place in an archive"
    case .genders: "a speaker and m or f"
    case .speakerWarps: "a speaker and a warp between 0.5 and 1.5"
    case .recordingDurations: "a recording and its seconds, above 0"
    case .sides: "a recording, its file, and A or B"
    }
  }

  /// Whether a value is valid in this file; the values of `segments` are checked elsewhere.
  func accepts(_ value: String) -> Bool {
    let fields = value[...].fields
    switch self {
    case .wavScript, .segments, .speakerToUtterances, .text, .features, .voiceActivity,
      .statistics:
      return true
    case .utteranceToSpeaker, .languages, .originals: return fields.count == 1
    case .frameCounts: return Int(value) ?? 0 > 0
    case .utteranceDurations, .recordingDurations:
      return Double(value).map { $0 > 0 && $0.isFinite } ?? false
    case .utteranceWarps, .speakerWarps:
      return Double(value).map { $0 > 0.5 && $0 < 1.5 } ?? false
    case .genders: return value == "m" || value == "f"
    case .sides: return fields.count == 2 && ["A", "B", "1"].contains(fields[1])
    }
  }
}
