import Foundation
import LinearAlgebra
package import Storage
import SystemPackage

/// The alignments of a corpus, each with the name that its file gives it.
///
/// An utterance's alignment is found by the first of these rules that gives one:
/// - its name, or its folder and its name joined by `_` or `-`, is the utterance's id
///   (`FCJF0/SA1.PHN` for `FCJF0_SA1`);
/// - the same holds for the id of the utterance's recording;
/// - its path below the alignments' folder is the end of the recording's path (`DR1/FCJF0/SA1.PHN`
///   for `/timit/TRAIN/DR1/FCJF0/SA1.WAV`);
/// - its name is a pattern that matches the utterance's id, or else its recording's id.
///
/// An alignment of a recording counts time from the recording's start, and is cut to the
/// utterance's segment. Except for patterns, an alignment is never used for two recordings.
package struct AlignmentTable: Sendable {
  /// One alignment.
  struct Entry {
    /// The folders that lead to the file, and its name without extension.
    let path: [String]
    /// Its channel of the recording, counted from one; nil when the recording has only one.
    var channel: Int?
    /// The speaker; nil when the file does not distinguish speakers.
    var speaker: String?
    let spans: Result<[LabelSpan], FileFault>

    var name: String {
      path.joined(separator: "/") + (channel.map { ", channel \($0)" } ?? "")
        + (speaker.map { ", speaker \($0)" } ?? "")
    }

    /// Whether its channel and speaker are compatible with an utterance's.
    func canBe(of utterance: Utterance) -> Bool {
      (channel.map { $0 == utterance.channel } ?? true)
        && (speaker.map { $0 == utterance.speaker } ?? true)
    }
  }

  private let entries: [Entry]
  /// One message for each kind of file that was skipped.
  private(set) var remarks: [String] = []
  /// The indices in `entries` for each name.
  private let places: [String: [Int]]
  /// The indices of the entries whose name is a pattern.
  private let patterns: [Int]

  /// - Parameter entries: each alignment with its path: the folders that lead to the file, and its
  ///   name without extension.
  package init(_ entries: [(path: [String], spans: Result<[LabelSpan], FileFault>)]) {
    self.init(entries.map { Entry(path: $0.path, spans: $0.spans) })
  }

  /// A table of entries that may belong to a single channel or speaker.
  init(_ entries: [Entry]) {
    self.entries = entries.sorted { inByteOrder($0.name, $1.name) }
    var places: [String: [Int]] = [:]
    var patterns: [Int] = []
    for (place, entry) in self.entries.enumerated() {
      let path = entry.path
      guard let name = path.last else { continue }
      if name.contains(where: { $0 == "*" || $0 == "?" }) {
        patterns.append(place)
        continue
      }
      places[name, default: []].append(place)
      guard path.count > 1 else { continue }
      for joint in ["_", "-"] {
        places[path[path.count - 2] + joint + name, default: []].append(place)
      }
    }
    (self.places, self.patterns) = (places, patterns)
  }

  /// Reads every file below a folder that has one of the given extensions.
  ///
  /// - Parameters:
  ///   - folder: searched with all its subfolders.
  ///   - extensions: in lower case; case is ignored in file names.
  ///   - workers: the threads among which the files are shared.
  ///   - read: reads one file, and returns the spans of each speaker, or one entry without a
  ///     speaker.
  /// - Throws: `FileFault` when the folder does not exist or contains no such file, and for faults
  ///   of the machine. A malformed file becomes an entry with its fault.
  init(
    folder: FilePath, extensions: [String], workers: Workers,
    _ read:
      @Sendable (_ path: FilePath) throws(FileFault) -> [(speaker: String?, spans: [LabelSpan])]
  ) throws(FileFault) {
    guard let facts = try FileSystem.facts(of: folder) else { throw .missing(path: folder) }
    guard facts.kind == .folder else {
      throw .malformed(
        path: folder, expected: "a folder of .\(extensions.joined(separator: " and .")) files",
        found: "a file")
    }
    let all = try filePaths(below: folder)
      .filter { extensions.contains($0.extension?.lowercased() ?? "") }
    // On other file systems, macOS keeps a file's metadata in a `._NAME` file beside it.
    let own = all.filter { $0.lastComponent?.string.hasPrefix("._") == false }
    let files = own.filter(AlignmentTable.isNamedInUTF8)
    let otherBytes = AlignmentTable.list(own.filter { !AlignmentTable.isNamedInUTF8($0) })
    guard !files.isEmpty else {
      throw .malformed(
        path: folder, expected: ".\(extensions.joined(separator: " or .")) files",
        found: own.isEmpty ? "none" : "none with a UTF-8 name, but \(otherBytes)")
    }
    let results = workers.map(files.count) { index -> [Entry] in
      let path = AlignmentTable.components(of: files[index])
      do throws(FileFault) {
        return try read(folder.pushing(files[index])).map {
          Entry(path: path, speaker: $0.speaker, spans: .success($0.spans))
        }
      } catch {
        return [Entry(path: path, spans: .failure(error))]
      }
    }
    for entry in results.joined() {
      if case .failure(let fault) = entry.spans, fault.isOfMachine { throw fault }
    }
    self.init(Array(results.joined()))
    if all.count > own.count {
      remarks.append("\(folder.text): \(all.count - own.count) files ._NAME of macOS, skipped")
    }
    if own.count > files.count {
      remarks.append(
        "\(folder.text): skipped, as names that are not UTF-8 match no utterance: \(otherBytes)"
      )
    }
  }

  /// Whether a file's name is UTF-8, as every utterance's id is; its folders' names do not matter.
  private static func isNamedInUTF8(_ path: FilePath) -> Bool {
    path.lastComponent.flatMap(String.init(validating:)) != nil
  }

  /// The first few paths as text, and the number of the others.
  private static func list(_ paths: [FilePath]) -> String {
    let most = 5
    return paths.prefix(most).map(\.text).joined(separator: ", ")
      + (paths.count > most ? " and \(paths.count - most) more" : "")
  }

  /// The folders of a path and the file name without its extension.
  static func components(of path: FilePath) -> [String] {
    guard let name = path.lastComponent else { return [] }
    // A full stop at the end belongs to the name.
    let stem = name.extension?.isEmpty == false ? name.stem : name.text
    return path.removingLastComponent().components.map(\.text) + [stem]
  }

  /// All labels that occur.
  var labels: Set<String> {
    var labels: Set<String> = []
    for case .success(let spans) in entries.lazy.map(\.spans) {
      for span in spans { labels.insert(span.label) }
    }
    return labels
  }

  /// The alignment of an utterance, with times from the utterance's start.
  ///
  /// - Throws: `AlignmentFault` when there is none, there are several, or it cannot be read.
  package func spans(of utterance: Utterance) throws(AlignmentFault) -> [LabelSpan] {
    let spans: [LabelSpan]
    let (place, isRecording) = try place(of: utterance)
    do throws(FileFault) {
      spans = try entries[place].spans.get()
    } catch {
      throw .file(error)
    }
    guard isRecording, let part = utterance.seconds else { return spans }
    return spans.compactMap { $0.cut(to: part) }
  }

  /// The faults that show only when the alignments of several utterances are compared.
  ///
  /// - Returns: `shared`, a fault for each utterance whose alignment also matches an utterance of
  ///   another recording; and `stray`, the faults of unreadable alignments that match none of the
  ///   utterances.
  func conflicts(
    among utterances: [Utterance]
  ) -> (shared: [String: AlignmentFault], stray: [FileFault]) {
    var users: [Int: [Utterance]] = [:]
    for utterance in utterances {
      if let place = try? place(of: utterance).index { users[place, default: []].append(utterance) }
    }
    var shared: [String: AlignmentFault] = [:]
    // A pattern may serve several recordings.
    for (place, own) in users where !patterns.contains(place) {
      guard let first = own.first,
        let other = own.first(where: { $0.recording != first.recording })
      else { continue }
      for utterance in own {
        let another = utterance.recording == first.recording ? other : first
        shared[utterance.id] = .shared(entries[place].name, with: another.id)
      }
    }
    let stray = entries.indices.compactMap { place -> FileFault? in
      guard users[place] == nil, case .failure(let fault) = entries[place].spans else { return nil }
      return fault
    }
    return (shared, stray)
  }

  /// The index of an utterance's alignment, and whether it is that of the whole recording.
  private func place(
    of utterance: Utterance
  ) throws(AlignmentFault) -> (index: Int, isRecording: Bool) {
    // If a segment has its recording's id, the alignment is the recording's.
    let isSegment = utterance.seconds != nil && utterance.recordingID == utterance.id
    if let place = try only(places[utterance.id] ?? [], of: utterance) { return (place, isSegment) }
    if let place = try only(places[utterance.recordingID] ?? [], of: utterance) {
      return (place, true)
    }
    if let place = try recorded(utterance) { return (place, true) }
    if let place = try only(fitting(utterance.id), of: utterance) { return (place, isSegment) }
    guard let place = try only(fitting(utterance.recordingID), of: utterance) else {
      throw .missing
    }
    return (place, true)
  }

  /// The indices of the patterns that match a name.
  private func fitting(_ name: String) -> [Int] {
    patterns.filter { place in
      unsafe fnmatch(entries[place].path.last ?? "", name, FNM_NOESCAPE) == 0
    }
  }

  /// Chooses among entries with the same name: by channel and speaker, then by the recording's
  /// path.
  ///
  /// - Returns: nil when there are no entries.
  /// - Throws: `AlignmentFault.ambiguous` when none or several of the entries remain.
  private func only(_ named: [Int], of utterance: Utterance) throws(AlignmentFault) -> Int? {
    let places = named.filter { entries[$0].canBe(of: utterance) }
    if places.count == 1 || named.isEmpty { return places.first }
    guard !places.isEmpty else { throw .ambiguous(named.map { entries[$0].name }) }
    // A name without folders would match recordings in any folder.
    if let place = try recorded(utterance), entries[place].path.count > 1 { return place }
    throw .ambiguous(places.map { entries[$0].name })
  }

  /// The entry whose path is the longest end of the recording's path.
  private func recorded(_ utterance: Utterance) throws(AlignmentFault) -> Int? {
    guard case .file(let path) = utterance.recording else { return nil }
    let components = AlignmentTable.components(of: path)
    let matches = (places[components.last ?? ""] ?? []).filter {
      components.suffix(entries[$0].path.count).elementsEqual(entries[$0].path)
        && entries[$0].canBe(of: utterance)
    }
    guard let longest = matches.map({ entries[$0].path.count }).max() else { return nil }
    let best = matches.filter { entries[$0].path.count == longest }
    guard best.count == 1 else { throw .ambiguous(best.map { entries[$0].name }) }
    return best[0]
  }
}
