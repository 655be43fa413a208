import Audio
import Foundation
package import Storage
import SystemPackage

/// What the parts of a corpus have in common; such overlap makes scores on them too good.
package struct PartOverlap: Sendable {
  /// How recordings are compared.
  package enum Comparison: Sendable {
    /// Recordings are equal if they are the same file.
    case files
    /// Recordings are also equal if their files have the same bytes.
    case bytes
  }

  /// For each pair of parts, a line for utterances, speakers and recordings that they share, with
  /// the number and the first id.
  package let remarks: [String]

  /// - Parameters:
  ///   - parts: the data directories with the names used in `remarks`.
  ///   - comparison: how recordings are compared.
  /// - Throws: `FileFault` when a file that exists cannot be read. Missing files have nothing in
  ///   common.
  package init(
    _ parts: [(name: String, data: DataDirectory)], comparing comparison: Comparison
  ) throws(FileFault) {
    var remarks: [String] = []
    var facts: [(name: String, ids: Set<String>, speakers: Set<String>, data: DataDirectory)] = []
    for (name, data) in parts {
      let hasSpeakers = try FileSystem.exists(data.speakersPath)
      let speakers = hasSpeakers ? Set(try data.speakers().values) : []
      facts.append((name, data.ids, speakers, data))
    }
    for (index, first) in facts.enumerated() {
      for second in facts[(index + 1)...] {
        let shared = [
          ("utterances", first.ids.intersection(second.ids)),
          ("speakers", first.speakers.intersection(second.speakers)),
          ("recordings", try PartOverlap.recordings(first.data, second.data, comparison)),
        ]
        for (what, ids) in shared {
          guard let example = ids.min(by: inByteOrder) else { continue }
          remarks.append(
            "\(first.name) and \(second.name) share \(ids.count) \(what), for example \(example)")
        }
      }
    }
    self.remarks = remarks
  }

  /// The ids of one directory's recordings that another directory has too.
  private static func recordings(
    _ first: DataDirectory, _ second: DataDirectory, _ comparison: Comparison
  ) throws(FileFault) -> Set<String> {
    let (own, other) = (try files(of: first), try files(of: second))
    var shared: Set<String> = []
    let others = Set(other.map(\.facts.identity))
    for file in own where others.contains(file.facts.identity) { shared.insert(file.id) }
    guard comparison == .bytes else { return shared }
    // Only files of equal size can be equal, so only they are read.
    let sizes = Set(other.map(\.facts.size))
    let candidates = own.filter { !shared.contains($0.id) && sizes.contains($0.facts.size) }
    guard !candidates.isEmpty else { return shared }
    let ownSizes = Set(candidates.map(\.facts.size))
    var heads: [Fingerprint: [FilePath]] = [:]
    for file in other where ownSizes.contains(file.facts.size) {
      heads[try head(of: file.path), default: []].append(file.path)
    }
    for file in candidates {
      // Most differ at the start and need not be read any further.
      guard let others = heads[try head(of: file.path)] else { continue }
      let digest = try Fingerprint(ofFile: file.path)
      for path in others where try Fingerprint(ofFile: path) == digest { shared.insert(file.id) }
    }
    return shared
  }

  /// The digest of the first 8 KiB of a file.
  private static func head(of path: FilePath) throws(FileFault) -> Fingerprint {
    Fingerprint(of: Data(try RandomAccessFile(path).bytes(at: 0, count: 1 << 13)))
  }

  /// The recordings that are files, not commands.
  private static func files(
    of data: DataDirectory
  ) throws(FileFault) -> [(id: String, path: FilePath, facts: FileSystem.Facts)] {
    var files: [(id: String, path: FilePath, facts: FileSystem.Facts)] = []
    for (id, recording) in data.recordings {
      guard case .file(let path) = recording, let facts = try FileSystem.facts(of: path),
        facts.kind == .file
      else { continue }
      files.append((id, path, facts))
    }
    return files
  }
}
