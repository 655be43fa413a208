package import Corpus
import Foundation
package import LinearAlgebra
import Storage
package import SystemPackage
import Yams

/// A first recipe for a corpus, with every option spelled out.
package struct RecipeDraft: Sendable {
  /// A part of the corpus, as it was found.
  private struct Part: Sendable {
    let name: String
    let data: DataDirectory
    let speakers: Int?

    var text: String {
      let people = speakers.map { "\($0) speaker\($0 == 1 ? "" : "s")" } ?? "unknown speakers"
      return "\(name): \(data.count) utterances by \(people)"
    }
  }

  /// The folder of the parts.
  private let folder: FilePath
  private let parts: [Part]
  private let targets: TargetOptions
  /// The rate of the audio in hertz; nil if no recording can be opened.
  package let sampleRate: Int?

  /// Looks at a corpus.
  ///
  /// - Parameters:
  ///   - folder: contains the data directories `train`, `development` (or `dev`) and `test`.
  ///   - targets: the alignments; paths start at the current folder.
  ///   - workers: the threads that read the headers of recordings.
  /// - Throws: `FileFault` when a part is missing or cannot be read, `SampleRateFault` when the audio
  ///   has several rates.
  package init(of folder: FilePath, targets: TargetOptions, workers: Workers) throws {
    self.folder = folder
    self.targets = targets.resolved(from: FilePath(".").absolute)
    parts = try CorpusPart.allCases.map { part in
      // Commands are not run here.
      let data = try DataDirectory(
        path: try RecipeDraft.folder(of: part, in: folder), commands: .refused)
      let speakers = try FileSystem.exists(data.speakersPath) ? try data.speakers() : nil
      return Part(
        name: part.rawValue, data: data, speakers: speakers.map { Set($0.values).count })
    }
    sampleRate = try SampleRates(of: parts.map { ($0.name, $0.data) }, workers: workers)
      .rate(required: nil, option: "features: sampleRate")
  }

  private static func folder(
    of part: CorpusPart, in folder: FilePath
  ) throws(FileFault) -> FilePath {
    let names = part == .development ? [part.rawValue, "dev"] : [part.rawValue]
    for name in names where try FileSystem.exists(folder.appending("\(name)/wav.scp")) {
      return folder.appending(name)
    }
    let isWhole = try FileSystem.exists(folder.appending("wav.scp"))
    throw .malformed(
      path: folder, expected: "\(names.joined(separator: " or "))/wav.scp",
      found: "none\(isWhole ? ", but wav.scp" : ""); limbeck split DATA OUT makes OUT/train, "
        + "OUT/development and OUT/test")
  }

  /// What was found, a line for each part and one for the audio.
  package var findings: [String] {
    parts.map(\.text) + [sampleRate.map { "audio at \($0) Hz" } ?? "no audio that can be opened"]
  }

  /// The recipe.
  ///
  /// - Parameter path: its file, in whose folder relative paths start.
  /// - Returns: YAML with a comment for each option.
  /// - Throws: `FileFault` when a value cannot be an option.
  package func text(for path: FilePath) throws -> String {
    let recipe: Recipe = try decodeYAML(
      Yams.serialize(node: try choices()), .file(path), lines: .others)
    let heading =
      [
        "A recipe of limbeck for \(folder.absolute.text). Run it with",
        "  limbeck run \(path.text) exp/NAME", "Found:",
      ] + findings.map { "  \($0)" } + [
        "Options have their defaults. A line that begins with #option: is an option that is off."
      ]
    return try recipe.completeText(
      in: path.absolute.folder, sampleRate: sampleRate, heading: heading.map(\.visible))
  }

  /// The options that have no default.
  private func choices() throws -> Node {
    func text(_ value: String) -> Node { Node(value, Tag(.str), .doubleQuoted) }
    var corpus = Node.Mapping(
      parts.map { (Node($0.name), text($0.data.path.absolute.string)) })
    let isRelative = parts.contains { part in
      part.data.recordings.values.contains {
        if case .file(let path) = $0 { !path.isAbsolute } else { false }
      }
    }
    if isRelative { corpus["root"] = text(FilePath(".").absolute.string) }
    guard let targets = try Yams.compose(yaml: try YAMLEncoder().encode(targets)) else {
      preconditionFailure("RecipeDraft: targets that are no mapping")
    }
    return [
      "paths": Node(PathBase.recipe.rawValue), "corpus": .mapping(corpus), "targets": targets,
    ]
  }
}
