import Storage

/// The files of a Kaldi data directory, with what each must hold.
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

  /// What its keys are ids of.
  enum Keys: String {
    case utterance, speaker, recording
  }

  /// What its keys are ids of; of `wav.scp` recordings, which are the utterances without `segments`.
  var keys: Keys {
    switch self {
    case .wavScript, .recordingDurations, .sides: .recording
    case .speakerToUtterances, .statistics, .genders, .speakerWarps: .speaker
    case .segments, .utteranceToSpeaker, .text, .features, .voiceActivity, .frameCounts,
      .utteranceDurations, .languages, .originals, .utteranceWarps:
      .utterance
    }
  }

  /// How bad it is when the file is not there; nil when it need not be.
  var absence: Finding.Severity? {
    switch self {
    case .wavScript: .error
    case .utteranceToSpeaker, .speakerToUtterances, .text: .warning
    default: nil
    }
  }

  /// What a line holds, in words.
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

  /// Whether a value is what the file asks for; segments are not looked at here.
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
