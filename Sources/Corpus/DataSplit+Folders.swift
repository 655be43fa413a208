import Foundation
import Storage
package import SystemPackage

/// Writing the parts of a data directory as data directories.
extension DataSplit {
  /// What a division came to.
  package struct Outcome: Sendable {
    /// The number of utterances and units in each part.
    package let parts: [(part: CorpusPart, utterances: Int, units: Int)]
    /// What the parts have in common, in words; see `PartOverlap`.
    package let remarks: [String]
  }

  /// Writes `OUT/train`, `OUT/development` and `OUT/test`, and `OUT/split.json` with the options.
  ///
  /// Each part gets its lines of every file that a data directory may have, in their order. A part
  /// whose share is 0 is not written.
  ///
  /// - Parameters:
  ///   - data: the data directory.
  ///   - out: the folder of the parts.
  /// - Returns: the number of utterances in each part, and what parts share.
  /// - Throws: `SplitFault` when a part would be empty or a speaker is not known; `FileFault` when
  ///   `out` is not the program's or a file cannot be read or written.
  package func write(_ data: DataDirectory, to out: FilePath) throws -> Outcome {
    try OwnFiles.require(
      ["train", "development", "test", "wav.scp"], in: out, marks: ["split.json"],
      remedy: "name another folder, or move it away")
    let units = try units(of: data)
    let parts = units.mapValues(part(of:))
    let found = Dictionary(grouping: units.keys) { parts[$0] ?? .train }
    for part in wanted where found[part] == nil {
      let all = Set(units.values)
      throw SplitFault.emptyPart(
        part, of: data.path, units: all.count, unit, seed: fittingSeed(for: all))
    }
    try AtomicFile.write(JSONText.document(self), to: out.appending("split.json"))
    var tables: [(file: DataFile, lines: [Substring])] = []
    for file in DataFile.allCases {
      let path = data.path.appending(file.rawValue)
      guard try FileSystem.exists(path) else { continue }
      tables.append((file, try TextFile.lossyLines(of: path).map(\.text)))
    }
    for part in CorpusPart.allCases {
      let keys = Keys(of: found[part] ?? [], in: data, speakers: try speakers(in: data))
      try write(tables, with: keys, to: out.appending(part.rawValue))
    }
    return Outcome(
      parts: wanted.map { part in
        let own = found[part] ?? []
        return (part, own.count, Set(own.compactMap { units[$0] }).count)
      },
      remarks: try overlaps(in: out))
  }

  private func speakers(in data: DataDirectory) throws(FileFault) -> [String: String] {
    try FileSystem.exists(data.speakersPath) ? try data.speakers() : [:]
  }

  /// The keys that a part has in the files of a data directory.
  private struct Keys {
    let utterances: Set<String>
    let recordings: Set<String>
    let speakers: Set<String>

    init(of ids: [String], in data: DataDirectory, speakers: [String: String]) {
      let own = Set(ids)
      utterances = own
      // Without segments, recordings are utterances, usable or not.
      recordings =
        data.segments == nil
        ? own : Set(data.utterances.lazy.filter { own.contains($0.id) }.map(\.recordingID))
      self.speakers = Set(ids.compactMap { speakers[$0] })
    }

    /// Whether the part has a line.
    func has(_ line: Substring, of file: DataFile) -> Bool {
      let key = String(line.keyAndRest.key)
      return switch file.keys {
      case .utterance: utterances.contains(key)
      case .recording: recordings.contains(key)
      case .speaker: speakers.contains(key)
      }
    }

    /// The part's version of a line, which names no utterance of other parts.
    func own(_ line: Substring, of file: DataFile) -> String {
      guard file == .speakerToUtterances else { return String(line) }
      let (speaker, rest) = line.keyAndRest
      let own = rest.fields.filter { utterances.contains(String($0)) }
      return ([speaker] + own).joined(separator: " ")
    }
  }

  /// Writes the files of one part, and removes those of an earlier division.
  private func write(
    _ tables: [(file: DataFile, lines: [Substring])], with keys: Keys, to folder: FilePath
  ) throws(FileFault) {
    var written: Set<DataFile> = []
    for (file, lines) in tables where !keys.utterances.isEmpty {
      let own = lines.filter { keys.has($0, of: file) }.map { keys.own($0, of: file) + "\n" }
      guard !own.isEmpty else { continue }
      try AtomicFile.write(own.joined(), to: folder.appending(file.rawValue))
      written.insert(file)
    }
    for file in DataFile.allCases where !written.contains(file) {
      try FileSystem.remove(folder.appending(file.rawValue))
    }
    if keys.utterances.isEmpty { try FileSystem.removeEmptyFolder(folder) }
  }

  private func overlaps(in out: FilePath) throws(FileFault) -> [String] {
    var parts: [(name: String, data: DataDirectory)] = []
    for part in wanted {
      let folder = out.appending(part.rawValue)
      // Recordings that are commands are compared by nothing, and not run here.
      parts.append((part.rawValue, try DataDirectory(path: folder, commands: .allowed)))
    }
    return try PartOverlap(parts, comparing: .files).remarks
  }
}
