import Foundation
import LinearAlgebra
package import Storage
import SystemPackage

/// The alignments of a corpus, each under the name that its file gives it.
///
/// An utterance's alignment is the one
/// - whose name is its id, or whose last two folders and file make it, joined by `_` or `-`
///   (`FCJF0/SA1.PHN` for `FCJF0_SA1`);
/// - else, whose name is the id of its recording;
/// - else, whose whole path below the corpus's folder is the end of its recording's path
///   (`DR1/FCJF0/SA1.PHN` for `/timit/TRAIN/DR1/FCJF0/SA1.WAV`).
///
/// An alignment of a recording counts its time from the recording's start, and is cut to the
/// utterance's segment. None is that of two recordings.
package struct AlignmentTable: Sendable {
  /// One alignment.
  struct Entry {
    /// The folders and the name of a file, without its extension.
    let path: [String]
    /// Which channel of the recording it is of, from one; nil when its name has no other.
    var channel: Int?
    /// Whose it is; nil where its file is of one speaker.
    var speaker: String?
    let spans: Result<[LabelSpan], FileFault>

    var name: String {
      path.joined(separator: "/") + (channel.map { ", channel \($0)" } ?? "")
        + (speaker.map { ", speaker \($0)" } ?? "")
    }

    /// Whether it can be an utterance's, by channel and speaker.
    func canBe(of utterance: Utterance) -> Bool {
      (channel.map { $0 == utterance.channel } ?? true)
        && (speaker.map { $0 == utterance.speaker } ?? true)
    }
  }

  private let entries: [Entry]
  /// What was passed over, in words.
  private(set) var remarks: [String] = []
  /// The places in `entries` of each name.
  private let places: [String: [Int]]
  /// The places of those whose name is a pattern.
  private let patterns: [Int]

  /// - Parameter entries: each alignment with its name, which for a file is its path: the folders that
  ///   lead to it and its name without extension.
  package init(_ entries: [(path: [String], spans: Result<[LabelSpan], FileFault>)]) {
    self.init(entries.map { Entry(path: $0.path, spans: $0.spans) })
  }

  /// The same from entries of which some are of one channel alone.
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

  /// Reads each file below a folder that has one of some extensions.
  ///
  /// - Parameters:
  ///   - folder: searched with all folders in it.
  ///   - extensions: in small letters; the files' may have capitals.
  ///   - workers: share the files.
  ///   - read: reads one: what each speaker said, or all.
  /// - Throws: `FileFault` when there is no such folder or no such file in it.
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
    // A Mac's file system keeps what others cannot hold in such a file beside each.
    let own = all.filter { $0.lastComponent?.string.hasPrefix("._") == false }
    let files = own.filter(AlignmentTable.isNamedInUTF8)
    let otherBytes = AlignmentTable.list(own.filter { !AlignmentTable.isNamedInUTF8($0) })
    guard !files.isEmpty else {
      throw .malformed(
        path: folder, expected: ".\(extensions.joined(separator: " or .")) files",
        found: own.isEmpty ? "none" : "none whose name is UTF-8, but \(otherBytes)")
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
      remarks.append("\(folder.text): \(all.count - own.count) files ._NAME of a Mac, passed over")
    }
    if own.count > files.count {
      remarks.append(
        "\(folder.text): passed over since their names are not UTF-8, and so no utterance's: \(otherBytes)"
      )
    }
  }

  /// Whether a file's name can be that of an utterance, whatever the folders are called that it is in.
  private static func isNamedInUTF8(_ path: FilePath) -> Bool {
    path.lastComponent.flatMap(String.init(validating:)) != nil
  }

  /// The first of some paths, in words.
  private static func list(_ paths: [FilePath]) -> String {
    let most = 5
    return paths.prefix(most).map(\.text).joined(separator: ", ")
      + (paths.count > most ? " and \(paths.count - most) more" : "")
  }

  /// The folders and the name in a path, without the extension.
  static func components(of path: FilePath) -> [String] {
    guard let name = path.lastComponent else { return [] }
    // A full stop at the end is a letter of the name.
    let stem = name.extension?.isEmpty == false ? name.stem : name.text
    return path.removingLastComponent().components.map(\.text) + [stem]
  }

  /// All labels.
  var labels: Set<String> {
    var labels: Set<String> = []
    for case .success(let spans) in entries.lazy.map(\.spans) {
      for span in spans { labels.insert(span.label) }
    }
    return labels
  }

  /// The alignment of an utterance.
  ///
  /// - Throws: `AlignmentFault` when there is none, more than one, or one that cannot be read.
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

  /// What is wrong with the alignments of some utterances taken together: those that would share one although
  /// they are of different recordings.
  ///
  /// - Returns: the fault of each such utterance; and those alignments that cannot be read and are of none
  ///   of the utterances.
  func conflicts(
    among utterances: [Utterance]
  ) -> (shared: [String: AlignmentFault], stray: [FileFault]) {
    var users: [Int: [Utterance]] = [:]
    for utterance in utterances {
      if let place = try? place(of: utterance).index { users[place, default: []].append(utterance) }
    }
    var shared: [String: AlignmentFault] = [:]
    // A pattern is meant for several recordings.
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

  /// Where an utterance's alignment is, and whether it is that of the whole recording.
  private func place(
    of utterance: Utterance
  ) throws(AlignmentFault) -> (index: Int, isRecording: Bool) {
    // A segment may have the name of its recording; the alignment is then the recording's.
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

  /// The entries whose pattern a name fits.
  private func fitting(_ name: String) -> [Int] {
    patterns.filter { place in
      unsafe fnmatch(entries[place].path.last ?? "", name, FNM_NOESCAPE) == 0
    }
  }

  /// Of several entries of one name, the one of the utterance's channel and speaker, or that lies where the
  /// recording does.
  private func only(_ named: [Int], of utterance: Utterance) throws(AlignmentFault) -> Int? {
    let places = named.filter { entries[$0].canBe(of: utterance) }
    if places.count == 1 || named.isEmpty { return places.first }
    guard !places.isEmpty else { throw .ambiguous(named.map { entries[$0].name }) }
    // A name alone is that of recordings in any folder.
    if let place = try recorded(utterance), entries[place].path.count > 1 { return place }
    throw .ambiguous(places.map { entries[$0].name })
  }

  /// The entry whose path is the end of the recording's.
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
