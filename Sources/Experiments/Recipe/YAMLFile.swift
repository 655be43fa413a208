import Foundation
package import Storage
package import SystemPackage
import Yams

/// Reads a value from a YAML file.
///
/// A file without options is an empty section. All mistakes are reported together. Each names the
/// file and the option, and if possible the line and what was found. Integers are decimal: `010`, `0x10` and `1:30`, which YAML
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
  let root: Node
  do {
    let resolver = Resolver.basic.appending(.merge)
    root = try Parser(yaml: text, resolver: resolver).singleRoot() ?? [:]
  } catch {
    throw .malformed(path: path, expected: "YAML", found: firstLine(of: "\(error)"))
  }
  func fault(at node: Node?, expected: String, found: String) -> FileFault {
    guard lines == .told, let line = node?.mark?.line else {
      return .malformed(path: path, expected: expected, found: found)
    }
    return .malformedLine(path: path, line: line, expected: expected, found: found)
  }
  let odd = oddities(in: root)
  guard odd.isEmpty else {
    throw .all(odd.map { fault(at: $0.node, expected: $0.expected, found: inWords($0.node)) })
  }
  var options = YAMLOptions(root)
  let value: Value? = options.decode()
  guard let value else {
    throw .all(
      options.mistakes.map { mistake in
        let node = mistake.place.flatMap { root.value(at: $0) }
        return fault(
          at: node, expected: mistake.expected,
          found: mistake.isOfKind ? node.map { inWords($0) } ?? mistake.found : mistake.found)
      })
  }
  return value
}

/// The nodes that YAML would ignore or read as something other than they appear to be, and what is
/// expected in their place.
private func oddities(in node: Node) -> [(node: Node, expected: String)] {
  switch node {
  case .scalar(let scalar):
    let isOdd =
      scalar.style == .plain
      && scalar.string.wholeMatch(
        of: #/[-+]?(0[0-9_]+|0[xob][0-9a-fA-F_]+|[0-9][0-9_]*(:[0-9]+)+)/#)
        != nil
    return isOdd ? [(node, "a decimal number, or quotes around a text")] : []
  case .mapping(let mapping):
    return mapping.flatMap { key, value in
      guard let name = key.scalar?.string else { return [(key, "the name of an option")] }
      let isMerged = name == "<<" && value.scalar != nil
      return isMerged ? [(value, "a section to take options from for <<")] : oddities(in: value)
    }
  case .sequence(let sequence): return sequence.flatMap { oddities(in: $0) }
  case .alias: return []
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

/// The first line of an error's description.
func firstLine(of text: String) -> String {
  text.split(separator: "\n").first.map(String.init) ?? text
}
