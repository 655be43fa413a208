import Yams

/// Writes a recipe with all its options, each with a comment.
///
/// Options that are off are lines such as `#patience: 3`: without the `#`, they are on.
struct RecipeWriter {
  private var lines: [String] = []
  /// The `training` sections that later ones may refer to.
  private var anchors: [(name: String, section: Node)] = []

  /// The text of a recipe.
  ///
  /// - Parameters:
  ///   - recipe: the recipe.
  ///   - heading: lines of a comment above it.
  /// - Returns: YAML that `Recipe` reads as the same recipe.
  /// - Throws: what YAML cannot express.
  static func text(of recipe: Recipe, heading: [String] = []) throws -> String {
    guard let root = try Yams.compose(yaml: try YAMLEncoder().encode(recipe)),
      let sections = root.mapping
    else { preconditionFailure("RecipeWriter: a recipe that is no mapping") }
    var writer = RecipeWriter()
    writer.lines = heading.map { $0.isEmpty ? "#" : "# \($0)" }
    writer.add(sections, at: [])
    return writer.lines.map { $0 + "\n" }.joined()
  }

  /// Adds the options of a section, then those of it that are off.
  private mutating func add(_ section: Node.Mapping, at path: [String]) {
    for (key, value) in section {
      let name = key.string ?? ""
      // A baseline always has its student's layers.
      if path.last == "baseline", name == "hidden" { continue }
      add(name, value, at: path)
    }
    let present = Set(section.keys.compactMap(\.string))
    for option in RecipeNotes.off(at: path, beside: present) {
      space(before: path + [option.key])
      line("#\(option.key): \(option.example)", path, note: option.note)
    }
  }

  private mutating func add(_ key: String, _ value: Node, at path: [String]) {
    let own = path + [key]
    space(before: own)
    let note = RecipeNotes.note(at: own)
    guard let section = value.mapping, !section.isEmpty else {
      return line("\(key): \(RecipeWriter.inline(value))", path, note: note)
    }
    var anchor = ""
    if key == "training" {
      if let same = anchors.first(where: { $0.section == value }) {
        return line("training: *\(same.name)", path, note: "the same as under &\(same.name) above")
      }
      if let owner = path.last, path.count == 1 {
        anchors.append((owner, value))
        anchor = " &\(owner)"
      }
    }
    line("\(key):\(anchor)", path, note: note)
    add(section, at: own)
  }

  /// A blank line above each section of the recipe.
  private mutating func space(before path: [String]) {
    if path.count == 1, !lines.isEmpty { lines.append("") }
  }

  private mutating func line(_ text: String, _ path: [String], note: String?) {
    let option = String(repeating: "  ", count: path.count) + text
    guard let note else { return lines.append(option) }
    if path.isEmpty {
      lines += ["# \(note)", option]
    } else {
      lines.append(option.padding(to: 34) + "  # \(note)")
    }
  }

  /// A value on one line.
  private static func inline(_ value: Node) -> String {
    if value.mapping?.isEmpty == true { return "{}" }
    let list = Node.sequence(Node.Sequence([flow(value)], Tag(.seq), .flow))
    guard let text = try? Yams.serialize(node: list, width: -1, allowUnicode: true) else {
      preconditionFailure("RecipeWriter: a value that YAML cannot express")
    }
    return String(text.drop { $0 != "[" }.dropFirst().prefix { $0 != "\n" }.dropLast())
  }

  /// A value whose lists and sections are written on one line.
  private static func flow(_ value: Node) -> Node {
    switch value {
    case .sequence(let list): .sequence(Node.Sequence(list.map(flow), list.tag, .flow))
    case .mapping(let section):
      .mapping(Node.Mapping(section.map { ($0, flow($1)) }, section.tag, .flow))
    case .scalar(let scalar): .scalar(plain(scalar))
    case .alias: value
    }
  }

  /// A number as people write it, 0.05 rather than 5e-2; any other value unchanged.
  private static func plain(_ scalar: Node.Scalar) -> Node.Scalar {
    guard scalar.style == .any || scalar.style == .plain, scalar.string.contains("e"),
      let number = Double(scalar.string), number.isFinite
    else { return scalar }
    var own = scalar
    let isWhole = number.rounded() == number && abs(number) < 1e15
    own.string = isWhole ? "\(Int(number))" : "\(number)"
    return own
  }
}

extension String {
  /// The text, filled up with blanks to a number of characters.
  fileprivate func padding(to count: Int) -> String {
    self + String(repeating: " ", count: max(0, count - self.count))
  }
}
