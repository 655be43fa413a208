import Audio
package import Features
package import LinearAlgebra
package import Storage
import SystemPackage

/// The sample rates of the audio of some data directories, as the headers of its files say.
package struct SampleRates: Sendable {
  /// The utterances at one rate.
  private struct Group {
    var utterances = 0
    /// The first of them.
    var example: String
  }

  /// For each directory by its name, the utterances at each rate in hertz.
  private let parts: [(name: String, groups: [Int: Group])]

  /// Reads the headers of all recordings.
  ///
  /// Recordings that cannot be opened are passed over here, and named when features are extracted.
  /// Commands are not run, except the first of all if there is no file.
  ///
  /// - Parameters:
  ///   - directories: each with its name for messages.
  ///   - workers: the threads that share the recordings.
  /// - Throws: the first machine fault.
  package init(
    of directories: [(name: String, data: DataDirectory)], workers: Workers
  ) throws {
    var parts = try directories.map { name, data in
      let rates = try SampleRates.rates(of: data, workers: workers)
      return (name: name, groups: SampleRates.groups(of: data, rates))
    }
    if parts.allSatisfy(\.groups.isEmpty) {
      for (place, directory) in directories.enumerated() {
        guard let first = try SampleRates.firstCommand(of: directory.data) else { continue }
        parts[place].groups = [first.rate: Group(utterances: 1, example: first.utterance)]
        break
      }
    }
    self.parts = parts
  }

  /// The first utterance whose audio a command writes, and its rate; nil if there is none.
  private static func firstCommand(
    of data: DataDirectory
  ) throws -> (utterance: String, rate: Int)? {
    for utterance in data.utterances {
      guard case .command = utterance.recording else { continue }
      do {
        return try utterance.recording.withFile { path, name in
          (utterance.id, try AudioReader(path, called: name, channel: 1).sampleRate)
        }
      } catch let fault as any Fault where !fault.isOfMachine {
        continue
      }
    }
    return nil
  }

  /// The rate of each recording that is a file, by its id.
  private static func rates(of data: DataDirectory, workers: Workers) throws -> [String: Int] {
    let files = data.recordings.compactMap { id, recording -> (id: String, path: FilePath)? in
      if case .file(let path) = recording { (id, path) } else { nil }
    }
    let found = workers.map(files.count) { index in
      Result { try AudioReader(files[index].path, channel: 1).sampleRate }
    }
    try Interruption.check()
    var rates: [String: Int] = [:]
    for (file, rate) in zip(files, found) {
      switch rate {
      case .success(let rate): rates[file.id] = rate
      case .failure(let fault as any Fault) where fault.isOfMachine: throw fault
      case .failure: continue
      }
    }
    return rates
  }

  private static func groups(of data: DataDirectory, _ rates: [String: Int]) -> [Int: Group] {
    var groups: [Int: Group] = [:]
    for utterance in data.utterances {
      guard let rate = rates[utterance.recordingID] else { continue }
      groups[rate, default: Group(example: utterance.id)].utterances += 1
    }
    return groups
  }

  /// The rate of all audio, or the required one.
  ///
  /// A required rate that some utterances of each directory have is right, whatever the others
  /// have.
  ///
  /// - Parameters:
  ///   - required: the rate that an option requires, in hertz; nil for that of the audio.
  ///   - option: the option's name, for messages.
  /// - Returns: the rate in hertz; nil if neither an option nor any file gives one.
  /// - Throws: `SampleRateFault` when the audio has several rates and none is required, or when no
  ///   utterance of a directory has the required rate.
  package func rate(required: Int?, option: String) throws(SampleRateFault) -> Int? {
    guard let required else {
      let all = sum(of: parts)
      guard all.count < 2 else {
        throw .mixed(parts: parts.map(\.name), option: option, found: text(all))
      }
      return all.keys.first
    }
    let wrong = parts.filter { !$0.groups.isEmpty && $0.groups[required] == nil }
    guard wrong.isEmpty else {
      throw .other(
        parts: wrong.map(\.name), option: option, expected: required, found: text(sum(of: wrong)))
    }
    return required
  }

  private func sum(of parts: [(name: String, groups: [Int: Group])]) -> [Int: Group] {
    var all: [Int: Group] = [:]
    for (rate, group) in parts.flatMap(\.groups) {
      all[rate, default: Group(example: group.example)].utterances += group.utterances
    }
    return all
  }

  /// `16000 Hz for 2500 utterances, such as a`, the most frequent rate first.
  private func text(_ groups: [Int: Group]) -> String {
    let sorted = groups.sorted { ($1.value.utterances, $0.key) < ($0.value.utterances, $1.key) }
    return sorted.map { rate, group in
      "\(rate) Hz for \(group.utterances) utterance\(group.utterances == 1 ? "" : "s"), "
        + "such as \(group.example)"
    }.joined(separator: ", and ")
  }
}

/// Audio at the wrong sample rate, or at several, found before any of it is decoded.
package enum SampleRateFault: Fault, Equatable {
  /// No utterance of some directories has the rate that an option requires, in hertz.
  case other(parts: [String], option: String, expected: Int, found: String)
  /// There are several rates, and no option names one.
  case mixed(parts: [String], option: String, found: String)

  /// Always `data`.
  package var exitStatus: ExitStatus { .data }

  package var description: String {
    switch self {
    case .other(let parts, let option, let expected, let found):
      """
      \(parts.joined(separator: ", ")): expected audio at \(expected) Hz, as \(option) says, found \
      \(found); leave the option out to use the rate of the audio
      """
    case .mixed(let parts, let option, let found):
      """
      \(parts.joined(separator: ", ")): expected audio at one sample rate, found \(found); resample \
      the audio to one rate, or set \(option) to one of these to skip the other utterances
      """
    }
  }
}

extension FeatureSettings {
  /// The options at the rate of the audio of some data directories, or at the required rate.
  ///
  /// - Parameters:
  ///   - rates: the rates of the audio.
  ///   - option: the name of the option that requires a rate, for messages.
  /// - Returns: options that are valid.
  /// - Throws: `SampleRateFault` when the audio has no such rate, `OptionFault` when an option does
  ///   not fit the rate.
  package func options(for rates: SampleRates, option: String) throws -> FeatureOptions {
    let rate = try rates.rate(required: sampleRate, option: option)
    // Without a readable file, only the reasons why are left to report.
    return try options(at: rate ?? logMel.sampleRate)
  }
}
