import Foundation
package import KaldiIO
import Networks
package import Storage
import SystemPackage

/// A description of a file or folder, recognised by its contents.
package struct Description: Sendable {
  /// Lines of text for people.
  package let text: String

  init(text: String) { self.text = text }

  /// Reads a file or folder, which is recognised by its contents, not by its name.
  ///
  /// - Parameters:
  ///   - place: a path, or a table as for `ArchiveInput`.
  ///   - kind: the kind of an archive's values if they carry no type; nil to guess.
  ///   - commands: whether `place`, or an entry of a list, may be the output of a command.
  /// - Throws: `FileFault` or `ModelFault` for anything incomplete or unknown, with what was found.
  package init(
    of place: String, as kind: KaldiValue.Kind? = nil, commands: CommandPolicy = .refused
  ) throws {
    let input = try ArchiveInput(reading: place)
    // A Kaldi specifier or a kind means that it is a table.
    let isTable = try kind != nil || place == "-" || input.path != FilePath(text: place)
    text = try Description.text(of: input, isTable: isTable, as: kind, commands)
  }

  /// Describes a folder, or a file that is not a list.
  static func text(of path: FilePath) throws -> String {
    try text(of: .archive(path), isTable: false, as: nil, .refused)
  }

  private static func text(
    of input: ArchiveInput, isTable: Bool, as kind: KaldiValue.Kind?, _ commands: CommandPolicy
  ) throws -> String {
    if let path = input.path, path != "-", try FileSystem.isFolder(path) {
      return try folder(path)
    }
    if case .script(let path) = input {
      return "list         \(path.text)\n"
        + (try tally(input, as: kind, commands) ?? "archive      empty\n")
    }
    guard !isTable, let path = input.path else {
      return try archive(input, as: kind, commands) ?? "archive      empty\n"
    }
    let head = try ByteStream(path).peek(headSize)
    return try ofContent(path, head) ?? archive(path, head, commands)
  }

  /// Describes a file that may be an archive, given its first bytes.
  private static func archive(
    _ path: FilePath, _ head: ArraySlice<UInt8>, _ commands: CommandPolicy
  ) throws -> String {
    do throws(FileFault) {
      if let text = try archive(.archive(path), as: nil, commands) { return text }
      if path.extension == "ark" { return "archive      empty\n" }
      if path.lastComponent == "ledger.jsonl" { return "ledger       0 entries\n" }
    } catch {
      if error.isOfMachine || looksLikeArchive(head) { throw error }
      if let text = try recipe(path) { return text }
    }
    throw FileFault.malformed(
      path: path, expected: "a model, a Kaldi archive or scp, or a file that limbeck writes",
      found: seen(head, of: try FileSystem.facts(of: path)?.size ?? 0))
  }

  /// Whether bytes begin with a key and Kaldi's mark of binary values.
  private static func looksLikeArchive(_ bytes: ArraySlice<UInt8>) -> Bool {
    let key = bytes.prefix { $0 > 0x20 }
    return bytes.dropFirst(key.count + 1).starts(with: [0, UInt8(ascii: "B")])
  }

  /// The first bytes of a file, for a message.
  private static func seen(_ head: ArraySlice<UInt8>, of size: Int) -> String {
    guard !head.isEmpty else { return "an empty file" }
    let head = head.prefix(24)
    guard head.allSatisfy({ (0x20..<0x7F).contains($0) || (9...13).contains($0) }) else {
      return "a file of \(size) bytes that begins with "
        + head.prefix(8).map { String(format: "%02x", $0) }.joined(separator: " ")
    }
    let line = String(decoding: head, as: UTF8.self).split(whereSeparator: \.isNewline).first ?? ""
    return "text that begins with \"\(line)\""
  }

  /// The number of first bytes by which a file is recognised.
  private static let headSize = 4096
}
