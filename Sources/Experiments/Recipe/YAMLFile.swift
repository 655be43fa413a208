import Foundation
package import Storage
package import SystemPackage
import Yams

/// Reads a value from a YAML file.
///
/// A file without options is an empty section. Every fault names the file and the option, and if
/// possible the line and what was found. Integers are decimal: `010`, `0x10` and `1:30`, which YAML
/// 1.1 reads as 8, 16 and 90, are faults.
package func decodeYAML<Value: Decodable>(
  _ path: FilePath, as type: Value.Type = Value.self
) throws(FileFault) -> Value {
  try decodeYAML(try TextFile.text(of: path), .file(path), lines: .told)
}

/// Whether a text's line numbers are those of its file and may be reported.
enum YAMLLines {
  case told, others
}

/// Reads a value from YAML text.
///
/// - Parameters:
///   - text: the YAML text.
///   - path: its source's name in faults.
///   - lines: whether faults give line numbers.
/// - Returns: the value.
/// - Throws: `FileFault` as `decodeYAML(_:as:)`.
func decodeYAML<Value: Decodable>(
  _ text: String, _ path: Origin, lines: YAMLLines
) throws(FileFault) -> Value {
  let root: Node?
  do { root = try Yams.compose(yaml: text) } catch {
    throw .malformed(path: path, expected: "YAML", found: firstLine(of: "\(error)"))
  }
  guard let root else { return try decode("{}", path, root: nil, lines: lines) }
  if let odd = oddity(in: root) {
    throw fault(
      path, at: lines == .told ? odd.node : nil, expected: odd.expected, found: inWords(odd.node))
  }
  return try decode(text, path, root: root, lines: lines)
}

private func decode<Value: Decodable>(
  _ text: String, _ path: Origin, root: Node?, lines: YAMLLines
) throws(FileFault) -> Value {
  func wrong(_ expected: String, _ keys: [any CodingKey], else found: String) -> FileFault {
    let node = root.flatMap { value(at: keys[...], in: $0) }
    let place = dotted(keys)
    return fault(
      path, at: lines == .told ? node : nil,
      expected: place.isEmpty ? expected : "\(expected) for \(place)",
      found: node.map { inWords($0) } ?? found)
  }
  do {
    return try YAMLDecoder().decode(Value.self, from: text)
  } catch let DecodingError.keyNotFound(key, context) {
    throw .malformed(
      path: path, expected: "the option \(dotted(context.codingPath + [key]))", found: "none")
  } catch let DecodingError.typeMismatch(type, context) {
    throw wrong(inWords(type), context.codingPath, else: "another kind of value")
  } catch let DecodingError.dataCorrupted(context) {
    if let fault = context.underlyingError as? OptionFault {
      throw .malformed(path: path, expected: "valid options", found: fault.description)
    }
    throw wrong(
      context.codingPath.isEmpty ? "YAML" : "a valid value", context.codingPath,
      else: firstLine(of: context.underlyingError.map { "\($0)" } ?? context.debugDescription))
  } catch {
    throw .malformed(path: path, expected: "valid options", found: firstLine(of: "\(error)"))
  }
}

private func fault(_ path: Origin, at node: Node?, expected: String, found: String) -> FileFault {
  guard let line = node?.mark?.line else {
    return .malformed(path: path, expected: expected, found: found)
  }
  return .malformedLine(path: path, line: line, expected: expected, found: found)
}

/// The value of an option by its path; nil where a section merges it from another by `<<`.
private func value(at keys: ArraySlice<any CodingKey>, in node: Node) -> Node? {
  guard let key = keys.first else { return node }
  let below: Node?
  if let index = key.intValue {
    let sequence = node.sequence
    below = sequence.flatMap { $0.indices.contains(index) ? $0[index] : nil }
  } else {
    below = node.mapping?[Node(key.stringValue)]
  }
  return below.flatMap { value(at: keys.dropFirst(), in: $0) }
}

/// The first node that YAML would ignore or read as something other than it appears to be, and what
/// is expected in its place.
private func oddity(in node: Node) -> (node: Node, expected: String)? {
  switch node {
  case .scalar(let scalar):
    let isOdd =
      scalar.style == .plain
      && scalar.string.wholeMatch(
        of: #/[-+]?(0[0-9_]+|0[xob][0-9a-fA-F_]+|[0-9][0-9_]*(:[0-9]+)+)/#)
        != nil
    return isOdd ? (node, "a decimal number, or quotes around a text") : nil
  case .mapping(let mapping):
    return mapping.lazy.compactMap { key, value in
      guard let name = key.scalar?.string else { return (key, "the name of an option") }
      let isMerged = name == "<<" && value.scalar != nil
      return isMerged ? (value, "a section to take options from for <<") : oddity(in: value)
    }.first
  case .sequence(let sequence): return sequence.lazy.compactMap { oddity(in: $0) }.first
  case .alias: return nil
  }
}

/// A value in words, for a message.
private func inWords(_ node: Node) -> String {
  switch node {
  case .scalar(let scalar): scalar.string.isEmpty ? "nothing" : scalar.string
  case .mapping: "a section"
  case .sequence: "a list"
  case .alias: "an alias"
  }
}

/// The name of a type, for a message.
private func inWords(_ type: any Any.Type) -> String {
  switch type {
  case is UInt64.Type: "an integer of at least 0"
  case is Int.Type: "an integer"
  case is Double.Type: "a number"
  case is Bool.Type: "true or false"
  case is String.Type: "a text"
  case is Node.Sequence.Type: "a list"
  default: "a section"
  }
}

private func firstLine(of text: String) -> String {
  text.split(separator: "\n").first.map(String.init) ?? text
}
