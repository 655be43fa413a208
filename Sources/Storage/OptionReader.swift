package import SystemPackage

/// Reads the options of one section of a YAML or JSON file.
///
/// Each option has a default. An unknown key is an error that suggests the nearest option.
package struct OptionReader<Key: CodingKey & CaseIterable> {
  private let container: KeyedDecodingContainer<Key>

  /// - Parameters:
  ///   - decoder: the section.
  ///   - others: keys of the section that another reader handles.
  ///   - keys: the options.
  /// - Throws: `OptionFault` for a key that is neither in `Key` nor in `others`, `DecodingError` when
  ///   the section is not a mapping.
  package init(
    _ decoder: any Decoder, besides others: [String] = [], keys: Key.Type = Key.self
  ) throws {
    let known = Key.allCases.map(\.stringValue) + others
    for key in try decoder.container(keyedBy: AnyKey.self).allKeys
    where !known.contains(key.stringValue) {
      throw OptionFault.unknown(
        key: dotted(decoder.codingPath + [key]),
        nearest: nearest(to: key.stringValue, among: known), known: known.sorted())
    }
    container = try decoder.container(keyedBy: Key.self)
  }

  /// The value of an option, or its default when the key is absent.
  package func callAsFunction<Value: Decodable>(
    _ key: Key, default value: @autoclosure () -> Value
  ) throws -> Value {
    try optional(key) ?? value()
  }

  /// An option's named subsections, or its default when the key is absent.
  package func callAsFunction<Value: Decodable>(
    _ key: Key, default value: @autoclosure () -> [String: Value]
  ) throws -> [String: Value] {
    guard container.contains(key), try !container.decodeNil(forKey: key) else { return value() }
    let sections = try container.nestedContainer(keyedBy: AnyKey.self, forKey: key)
    return try sections.allKeys.reduce(into: [:]) { read, name in
      read[name.stringValue] = try within("\(key.stringValue).\(name.stringValue)") {
        try sections.decode(Value.self, forKey: name)
      }
    }
  }

  /// The value of an option with an enumerated set of words, which a fault lists.
  package func callAsFunction<Value: Decodable & CaseIterable & RawRepresentable<String>>(
    _ key: Key, default value: @autoclosure () -> Value
  ) throws -> Value {
    try optional(key) ?? value()
  }

  /// The value of a required option.
  package func callAsFunction<Value: Decodable>(_ key: Key) throws -> Value {
    try within(key.stringValue) { try container.decode(Value.self, forKey: key) }
  }

  /// The value of an option, or nil when the key is absent.
  package func optional<Value: Decodable>(_ key: Key) throws -> Value? {
    try within(key.stringValue) { try container.decodeIfPresent(Value.self, forKey: key) }
  }

  /// The value of an option with an enumerated set of words, which a fault lists.
  package func optional<Value: Decodable & CaseIterable & RawRepresentable<String>>(
    _ key: Key
  ) throws -> Value? {
    guard let text = try container.decodeIfPresent(String.self, forKey: key) else { return nil }
    guard let chosen = Value(rawValue: text) else {
      throw OptionFault.outOfRange(
        key: key.stringValue,
        expected: Value.allCases.map(\.rawValue).joined(separator: ", "), found: text)
    }
    return chosen
  }

  /// The path in a required option.
  package func callAsFunction(_ key: Key) throws -> FilePath { try path(self(key), of: key) }

  /// The path in an option; nil when the key is absent.
  package func optional(_ key: Key) throws -> FilePath? {
    try optional(key).map { try path($0, of: key) }
  }

  private func path(_ text: String, of key: Key) throws(OptionFault) -> FilePath {
    do throws(FileFault) { return try FilePath(text: text) } catch {
      throw OptionFault.outOfRange(
        key: key.stringValue, expected: "a usable path", found: "one with a NUL in it")
    }
  }
}

/// An option that does not exist or has a value out of range.
package enum OptionFault: Fault, Equatable {
  case unknown(key: String, nearest: String?, known: [String])
  /// The key is empty when the section as a whole is at fault.
  case outOfRange(key: String, expected: String, found: String)
  /// The value is possible, but not together with the values of other options.
  case unfit(key: String, expected: String, found: String)

  /// Always `data`: the file of options is wrong.
  package var exitStatus: ExitStatus { .data }

  /// The option's dotted name with the nearest known option or the expected range.
  package var description: String {
    switch self {
    case .unknown(let key, let nearest?, _): "unknown option \(key); did you mean \(nearest)?"
    case .unknown(let key, nil, let known):
      "unknown option \(key); the options here are \(known.joined(separator: ", "))"
    case .outOfRange(let key, let expected, let found), .unfit(let key, let expected, let found):
      "\(key): expected \(expected), found \(found)"
    }
  }
}

/// Throws when an option's value is out of range.
package func requireOption(
  _ condition: Bool, _ key: String, expected: String, found: some Any
) throws(OptionFault) {
  guard condition else {
    throw OptionFault.outOfRange(key: key, expected: expected, found: "\(found)")
  }
}

/// Throws when an option's value does not fit those of other options.
package func requireFit(
  _ condition: Bool, _ key: String, expected: String, found: some Any
) throws(OptionFault) {
  guard condition else {
    throw OptionFault.unfit(key: key, expected: expected, found: "\(found)")
  }
}

/// Reads a section or an entry of a list, such as `[1]`, and puts its name before the options in its faults.
package func within<Value>(_ section: String, _ read: () throws -> Value) throws -> Value {
  func joined(_ key: String) -> String {
    key.isEmpty || key.hasPrefix("[") ? section + key : "\(section).\(key)"
  }
  do {
    return try read()
  } catch OptionFault.outOfRange(let key, let expected, let found) {
    throw OptionFault.outOfRange(key: joined(key), expected: expected, found: found)
  } catch OptionFault.unfit(let key, let expected, let found) {
    throw OptionFault.unfit(key: joined(key), expected: expected, found: found)
  }
}

/// The name of an option within its file, as in `students.small.hidden` or `grids[0].rate`.
package func dotted(_ path: [any CodingKey]) -> String {
  path.reduce("") { text, key in
    if let index = key.intValue { return "\(text)[\(index)]" }
    return text.isEmpty ? key.stringValue : "\(text).\(key.stringValue)"
  }
}

/// A coding key of any name.
private struct AnyKey: CodingKey {
  let stringValue: String
  var intValue: Int? { nil }
  init?(stringValue: String) { self.stringValue = stringValue }
  init?(intValue: Int) { nil }
}

/// The candidate with the smallest edit distance to `word`, if that is at most 2 or a third of its length.
package func nearest(to word: String, among candidates: [String]) -> String? {
  let scored = candidates.map { (distance: editDistance(word, $0), word: $0) }
  guard let best = scored.min(by: { $0.distance < $1.distance }),
    best.distance <= max(2, word.count / 3)
  else { return nil }
  return best.word
}

/// The Levenshtein distance, ignoring case.
private func editDistance(_ first: String, _ second: String) -> Int {
  let (first, second) = (Array(first.lowercased()), Array(second.lowercased()))
  var previous = Array(0...second.count)
  for (i, letter) in first.enumerated() {
    var current = [i + 1]
    for (j, other) in second.enumerated() {
      current.append(
        min(previous[j] + (letter == other ? 0 : 1), previous[j + 1] + 1, current[j] + 1))
    }
    previous = current
  }
  return previous[second.count]
}
