import Foundation
package import Storage
package import SystemPackage
import Yams

extension Recipe {
  /// Reads a recipe file.
  ///
  /// - Parameters:
  ///   - path: the file's path.
  ///   - settings: options that override the file's, each such as `student.training.epochs=20`,
  ///     with a YAML value.
  /// - Throws: `FileFault` when the file is missing or not YAML, an option is unknown, a value has
  ///   the wrong type or is out of range (each with the option's name), or a setting is malformed.
  package init(path: FilePath, settings: [String] = []) throws(FileFault) {
    var text = try TextFile.text(of: path)
    if !settings.isEmpty { text = try Recipe.text(text, with: settings, path: path) }
    let recipe: Recipe = try decodeYAML(
      text, settings.isEmpty ? .file(path) : .named("\(path.text) with --set"),
      lines: settings.isEmpty ? .told : .others)
    self = recipe.paths == .recipe ? recipe.resolved(from: path.absolute.folder) : recipe
    self.text = text
  }

  /// Whether a text has the form `OPTION=VALUE`, with points between the names of nested sections.
  package static func isSetting(_ text: String) -> Bool {
    let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    return parts.count == 2
      && !parts[0].split(separator: ".", omittingEmptySubsequences: false).contains("")
  }

  /// A recipe's text with some of its options set.
  private static func text(_ text: String, with settings: [String], path: FilePath)
    throws(FileFault)
    -> String
  {
    guard var root = try? Yams.compose(yaml: text), root.mapping != nil else {
      throw FileFault.malformed(path: path, expected: "YAML options", found: "other contents")
    }
    for setting in settings {
      let parts = setting.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      let keys = parts[0].split(separator: ".", omittingEmptySubsequences: false).map(String.init)
      guard Recipe.isSetting(setting), let value = try? Yams.compose(yaml: String(parts[1])) else {
        throw FileFault.malformed(
          path: .named("--set"), expected: "OPTION=VALUE, such as student.training.epochs=20",
          found: setting)
      }
      try set(keys[...], to: value, in: &root)
    }
    do {
      return try Yams.serialize(node: root)
    } catch {
      throw FileFault.malformed(path: path, expected: "YAML options", found: "\(error)")
    }
  }

  /// An option of a section: its own, or one merged from another section by `<<`.
  private static func inherited(_ key: String, in section: Node) -> Node? {
    if let own = section[key] { return own }
    guard let merged = section["<<"] else { return nil }
    return (merged.sequence.map(Array.init) ?? [merged]).lazy
      .compactMap { inherited(key, in: $0) }.first
  }

  /// Sets an option in a section, creating the sections above it where necessary, or in an entry of
  /// a list, by its number from 0.
  ///
  /// - Throws: `FileFault` for an entry that a list does not have.
  private static func set(
    _ keys: ArraySlice<String>, to value: Node, in section: inout Node
  ) throws(FileFault) {
    guard let key = keys.first else {
      section = value
      return
    }
    if var list = section.sequence {
      guard let index = Int(key), list.indices.contains(index) else {
        throw .malformed(
          path: .named("--set"), expected: "an entry from 0 to \(list.count - 1) of a list",
          found: key)
      }
      try set(keys.dropFirst(), to: value, in: &list[index])
      section = .sequence(list)
      return
    }
    if section.mapping == nil { section = [:] }
    var own = inherited(key, in: section) ?? [:]
    try set(keys.dropFirst(), to: value, in: &own)
    section[key] = own
  }
}
