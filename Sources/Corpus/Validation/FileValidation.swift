import Foundation
import Storage
import SystemPackage

/// Checks the files of a data directory, without its audio.
struct FileValidation {
  private let path: FilePath
  private var tables: [DataFile: DataTable] = [:]
  private(set) var findings: [Finding] = []

  /// Checks all files.
  ///
  /// - Parameters:
  ///   - path: the folder.
  ///   - data: its recordings and utterances; nil when `wav.scp` is unusable.
  /// - Throws: a fault of the machine.
  init(path: FilePath, data: DataDirectory?) throws(FileFault) {
    self.path = path
    for file in DataFile.allCases { try read(file, data) }
    matchIDs()
    checkSpeakers(data)
    checkText()
    if let data { checkOverlaps(data) }
    checkTildes()
  }

  /// The value of a key in a file, and its line.
  func value(of key: String, in file: DataFile) -> (line: Int, text: String)? {
    tables[file]?.values[key]
  }

  /// All speakers; nil without `utt2spk`.
  var speakers: Set<String>? {
    tables[.utteranceToSpeaker].map { Set($0.values.values.map(\.text)) }
  }

  private mutating func add(
    _ severity: Finding.Severity, _ check: Finding.Check, _ file: DataFile, line: Int? = nil,
    id: String? = nil, _ message: String
  ) {
    findings.append(
      Finding(severity, check, file: path.appending(file.rawValue), line: line, id: id, message))
  }

  // MARK: - One file

  private mutating func read(_ file: DataFile, _ data: DataDirectory?) throws(FileFault) {
    let filePath = path.appending(file.rawValue)
    guard try FileSystem.exists(filePath) else {
      if let target = FileSystem.target(ofLink: filePath) {
        return add(
          .error, .presence, file,
          "expected a file, found a link to \(target.text), which does not exist")
      }
      if let severity = file.absence { add(severity, .presence, file, "no such file") }
      return
    }
    var table: DataTable
    do throws(FileFault) {
      checkBytes(of: file, try TextFile.bytes(of: filePath))
      table = try DataTable(filePath, expected: file.line)
    } catch {
      if error.isOfMachine { throw error }
      return add(.error, .presence, file, "\(error)")
    }
    guard !table.keys.isEmpty else {
      return add(.error, .presence, file, "expected \(file.line) on each line, found no lines")
    }
    for (key, value) in table.values where !file.accepts(value.text) {
      table.reject(key, expected: file.line, found: "\"\(key) \(value.text)\"")
    }
    // The data directory has already checked commands and segments.
    let judged =
      switch file {
      case .wavScript: data?.script ?? table
      case .segments: data?.segments ?? table
      default: table
      }
    for fault in judged.faults.sorted(by: { $0.line < $1.line }) {
      let check: Finding.Check =
        switch fault.kind {
        case .duplicate: .duplicate
        case .value where file == .segments: .segment
        case .form, .value: .form
        }
      add(
        .error, check, file, line: fault.line, id: fault.key,
        "expected \(fault.expected), found \(fault.found)")
    }
    checkOrder(of: file, table)
    checkCharacters(of: file, table)
    tables[file] = judged
  }

  private mutating func checkBytes(of file: DataFile, _ bytes: Data) {
    guard let last = bytes.last else { return }
    if bytes.starts(with: [0xEF, 0xBB, 0xBF]) {
      add(
        .warning, .form, file, line: 1,
        "expected no byte order mark, found one, which Kaldi treats as part of the first key")
    }
    if bytes.contains(UInt8(ascii: "\r")) {
      add(
        .warning, .form, file,
        "expected lines that end in LF, found CR, which Kaldi treats as part of the line")
    }
    if last != UInt8(ascii: "\n") {
      add(.warning, .form, file, "expected a line end after the last line, found none")
    }
  }

  /// Reports invisible characters in keys: controls, and spaces that do not separate fields.
  private mutating func checkCharacters(of file: DataFile, _ table: DataTable) {
    for (line, key) in table.keys {
      guard let bad = key.unicodeScalars.first(where: isHidden) else { continue }
      add(
        bad.properties.generalCategory == .control ? .error : .warning, .form, file, line: line,
        id: key,
        "expected an id of visible characters, found \(name(of: bad))"
      )
    }
  }

  /// The name of an invisible character, such as `NO-BREAK SPACE (U+00A0)`.
  private func name(of scalar: Unicode.Scalar) -> String {
    "\(scalar.properties.name ?? "a control character") (\(code(of: scalar)))"
  }

  private mutating func checkOrder(of file: DataFile, _ table: DataTable) {
    let keys = table.keys
    if let index = keys.indices.dropFirst().first(where: {
      inByteOrder(keys[$0].key, keys[$0 - 1].key)
    }) {
      add(
        .warning, .order, file, line: keys[index].line,
        "expected keys in byte order, found \(keys[index].key) after "
          + "\(keys[index - 1].key); limbeck sorts them, but Kaldi does not")
    } else if file == .utteranceToSpeaker {
      let speakers = keys.compactMap { line, key in table.values[key].map { (line, $0.text) } }
      if let index = speakers.indices.dropFirst().first(where: {
        inByteOrder(speakers[$0].1, speakers[$0 - 1].1)
      }) {
        add(
          .warning, .order, file, line: speakers[index].0,
          "expected speakers in byte order, found \(speakers[index].1) after "
            + "\(speakers[index - 1].1); Kaldi expects speaker ids to be prefixes of utterance ids")
      }
    }
  }

  // MARK: - Files together

  /// The keys of a file, including those whose lines have faults.
  private func keys(_ file: DataFile) -> Set<String>? {
    tables[file].map { Set($0.keys.map(\.key)) }
  }

  private mutating func matchIDs() {
    let utteranceFile = tables[.segments] == nil ? DataFile.wavScript : .segments
    if let segments = tables[.segments], let script = tables[.wavScript] {
      let used = Set(
        segments.values.values.compactMap { $0.text[...].fields.first.map(String.init) })
      let recordings = Set(script.keys.map(\.key))
      for (line, key) in segments.keys {
        guard let field = segments.values[key]?.text[...].fields.first,
          let index = recordings.firstIndex(of: String(field)),
          !recordings[index].utf8.elementsEqual(field.utf8)
        else { continue }
        addOtherBytes(
          .segments, line: line, String(field), of: .recording, than: .wavScript)
      }
      for (line, key) in script.keys where !used.contains(key) && script.values[key] != nil {
        add(.warning, .match, .wavScript, line: line, id: key, "no segment uses it")
      }
    }
    let speakers = speakers
    for file in DataFile.allCases where file != .wavScript && file != utteranceFile {
      switch file.keys {
      case .utterance: match(file, keys(utteranceFile), of: utteranceFile)
      case .recording: match(file, keys(.wavScript), of: .wavScript)
      case .speaker: match(file, speakers, of: .utteranceToSpeaker)
      }
    }
  }

  /// Reports the ids that only one of two files has.
  private mutating func match(_ file: DataFile, _ ids: Set<String>?, of other: DataFile) {
    guard let table = tables[file], let ids, let own = keys(file) else { return }
    for id in ids.subtracting(own).sorted(by: inByteOrder) {
      add(
        .error, .match, file, id: id, "expected this \(file.keys) of \(other.rawValue), found none")
    }
    for (line, key) in table.keys {
      guard let index = ids.firstIndex(of: key), !ids[index].utf8.elementsEqual(key.utf8) else {
        continue
      }
      addOtherBytes(file, line: line, key, of: file.keys, than: other)
    }
    var seen: Set<String> = []
    for (line, key) in table.keys where !ids.contains(key) && seen.insert(key).inserted {
      add(
        .error, .match, file, line: line, id: key,
        "expected \(file.keys)s of \(other.rawValue), found one that it does not have")
    }
  }

  private mutating func checkSpeakers(_ data: DataDirectory?) {
    guard let speakers = tables[.utteranceToSpeaker]?.values.mapValues(\.text) else {
      return checkListedUtterances(data)
    }
    checkSpellingsOfSpeakers()
    if Set(speakers.values).count == 1 {
      add(
        .warning, .speaker, .utteranceToSpeaker,
        "expected several speakers, found one; if speakers are unknown, Kaldi's convention is "
          + "one speaker per utterance")
    }
    guard let table = tables[.speakerToUtterances] else { return }
    checkSpellings(of: table, in: Set(speakers.keys))
    var listed: [String: String] = [:]
    for (line, speaker) in table.keys {
      for field in table.values[speaker]?.text[...].fields ?? [] {
        let utterance = String(field)
        if let first = listed.updateValue(speaker, forKey: utterance) {
          add(
            .error, .speaker, .speakerToUtterances, line: line, id: utterance,
            "expected each utterance once, found it under \(first) and \(speaker)")
        } else if speakers[utterance] != speaker {
          add(
            .error, .speaker, .speakerToUtterances, line: line, id: utterance,
            "expected \(speakers[utterance].map { "the speaker \($0)" } ?? "an utterance") of "
              + "utt2spk, found it under \(speaker)")
        }
      }
    }
    for (utterance, speaker) in speakers.sorted(by: { inByteOrder($0.key, $1.key) })
    where listed[utterance] == nil && table.values[speaker] != nil {
      add(
        .error, .speaker, .speakerToUtterances, line: table.values[speaker]?.line, id: utterance,
        "expected it under \(speaker), as in utt2spk, found none")
    }
  }

  /// Reports speakers of `utt2spk` that appear with the same letters in different bytes.
  private mutating func checkSpellingsOfSpeakers() {
    guard let table = tables[.utteranceToSpeaker] else { return }
    var first: [String: String] = [:]
    for (line, utterance) in table.keys {
      guard let speaker = table.values[utterance]?.text else { continue }
      let known = first[speaker] ?? speaker
      first[speaker] = known
      guard !known.utf8.elementsEqual(speaker.utf8) else { continue }
      add(
        .error, .speaker, .utteranceToSpeaker, line: line, id: utterance,
        "expected \(speaker) in the same bytes as on earlier lines, found the same letters in "
          + "other bytes (NFC and NFD), which Kaldi treats as another speaker")
    }
  }

  /// Reports utterances of `spk2utt` that `utt2spk` has with the same letters in different bytes.
  private mutating func checkSpellings(of table: DataTable, in utterances: Set<String>) {
    for (line, speaker) in table.keys {
      for field in table.values[speaker]?.text[...].fields ?? [] {
        guard let index = utterances.firstIndex(of: String(field)),
          !utterances[index].utf8.elementsEqual(field.utf8)
        else { continue }
        addOtherBytes(
          .speakerToUtterances, line: line, String(field), of: .utterance, than: .utteranceToSpeaker
        )
      }
    }
  }

  /// Reports an id that another file has with the same letters in different bytes.
  private mutating func addOtherBytes(
    _ file: DataFile, line: Int, _ id: String, of keys: DataFile.Keys, than other: DataFile
  ) {
    add(
      .error, .match, file, line: line, id: id,
      "expected the same bytes as in \(other.rawValue), found the same letters in other bytes "
        + "(NFC and NFD), which Kaldi treats as another \(keys)")
  }

  /// Compares `spk2utt` with the utterances themselves when there is no `utt2spk`.
  private mutating func checkListedUtterances(_ data: DataDirectory?) {
    guard let data, let table = tables[.speakerToUtterances] else { return }
    let known = Set(data.utterances.map(\.id)).union(data.faults.leftOut.map(\.utterance))
    var listed: Set<String> = []
    for (line, speaker) in table.keys {
      for field in table.values[speaker]?.text[...].fields ?? [] {
        let utterance = String(field)
        if !listed.insert(utterance).inserted {
          add(
            .error, .speaker, .speakerToUtterances, line: line, id: utterance,
            "expected each utterance once, found it again under \(speaker)")
        } else if !known.contains(utterance) {
          add(
            .error, .speaker, .speakerToUtterances, line: line, id: utterance,
            "expected an utterance of the directory, found one that it does not have")
        }
      }
    }
    for utterance in known.subtracting(listed).sorted(by: inByteOrder) {
      add(
        .error, .speaker, .speakerToUtterances, id: utterance,
        "expected every utterance under its speaker, found this one under none")
    }
  }

  private mutating func checkText() {
    guard let table = tables[.text] else { return }
    for (line, key) in table.keys {
      let words = table.values[key]?.text[...].fields ?? []
      if let bad = words.first(where: { ["<s>", "</s>", "#0"].contains($0) }) {
        add(
          .error, .text, .text, line: line, id: key,
          "expected words, found \(bad), which has a special meaning in Kaldi")
      }
      if let bad = words.joined().unicodeScalars.first(where: isHidden) {
        add(
          .warning, .text, .text, line: line, id: key,
          "expected words of visible characters, found \(name(of: bad)), which both limbeck and "
            + "Kaldi treat as part of a word")
      }
    }
  }

  private mutating func checkOverlaps(_ data: DataDirectory) {
    for utterances in Dictionary(grouping: data.utterances, by: \.recordingID)
      .sorted(by: { inByteOrder($0.key, $1.key) }).map(\.value)
    {
      let parts = utterances.compactMap { utterance in
        utterance.seconds.map { (id: utterance.id, seconds: $0) }
      }.sorted { ($0.seconds.lowerBound, $0.id) < ($1.seconds.lowerBound, $1.id) }
      for (first, second) in zip(parts, parts.dropFirst())
      where second.seconds.lowerBound < first.seconds.upperBound {
        add(
          .warning, .segment, .segments, line: data.segments?.values[second.id]?.line,
          id: second.id,
          "starts at \(second.seconds.lowerBound) s, before \(first.id) ends "
            + (first.seconds.upperBound.isInfinite
              ? "with its recording" : "at \(first.seconds.upperBound) s"))
      }
    }
  }

  private mutating func checkTildes() {
    for (line, key) in tables[.wavScript]?.keys ?? []
    where tables[.wavScript]?.values[key]?.text.hasPrefix("~") == true {
      add(
        .warning, .form, .wavScript, line: line, id: key,
        "expected a path, found ~, which only a shell expands to a home folder")
    }
  }
}
