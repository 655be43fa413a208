import Foundation
import Storage
import Yams

/// Options that are decoded in spite of mistakes, so that all mistakes are found in one run.
///
/// A mistake is noted and its option removed, so that the default takes its place; then decoding
/// starts again.
struct YAMLOptions {
  /// One mistake.
  struct Mistake {
    /// The dotted path of the value at fault; nil when there is none.
    var place: String?
    /// What is expected.
    let expected: String
    /// What was found.
    let found: String
    /// Whether the value is of the wrong kind, so that its text says best what was found.
    var isOfKind = false
    /// Whether a required option is missing.
    var isMissing = false
    /// The option that an unknown one is probably meant to be.
    var meant: String?
    /// Whether an option does not fit others, and thus may fit once those are right.
    var isOfSeveral = false
  }

  /// The mistakes so far; not empty after `decode` has returned nil.
  private(set) var mistakes: [Mistake] = []

  /// The options without those at fault.
  private var tree: Node
  /// The dotted paths of options that were removed or filled in, at which no other mistake counts.
  private var settled: Set<String> = []

  /// The greatest number of attempts, and thus of mistakes found.
  private static let mostAttempts = 50

  /// The options of a tree, not decoded yet.
  init(_ root: Node) { tree = root }

  /// The value of the options; nil when there are mistakes.
  mutating func decode<Value: Decodable>() -> Value? {
    for _ in 0..<YAMLOptions.mostAttempts {
      do {
        let value: Value = try YAMLDecoder().decode(from: tree)
        return mistakes.isEmpty ? value : nil
      } catch {
        guard note(mistake(error)) else { return nil }
      }
    }
    return nil
  }

  /// Notes a mistake unless it follows from another, and repairs it.
  ///
  /// - Returns: whether decoding may get further now.
  private mutating func note(_ mistake: Mistake) -> Bool {
    let place = mistake.place ?? ""
    let follows = settled.contains { place == $0 || place.hasPrefix($0 + ".") }
    if !follows && !(mistake.isOfSeveral && !mistakes.isEmpty) { mistakes.append(mistake) }
    guard !place.isEmpty else { return false }
    settled.insert(place)
    if let meant = mistake.meant {
      let section = place.split(separator: ".").dropLast().joined(separator: ".")
      settled.insert(section.isEmpty ? meant : "\(section).\(meant)")
    }
    // A text stands for a missing option; where a section is expected instead, an empty one.
    if mistake.isMissing { return tree.set("none", at: place) }
    if follows { return mistake.expected.hasPrefix("a section") && tree.set([:], at: place) }
    return tree.set(nil, at: place)
  }

  private func mistake(_ error: any Error) -> Mistake {
    switch error {
    case let fault as OptionFault: return mistake(fault)
    case DecodingError.keyNotFound(let key, let context):
      let place = dotted(context.codingPath + [key])
      return Mistake(place: place, expected: "the option \(place)", found: "none", isMissing: true)
    case DecodingError.typeMismatch(let type, let context):
      return wrong(inWords(type), context, found: "another kind of value")
    case DecodingError.dataCorrupted(let context):
      if let fault = context.underlyingError as? OptionFault { return mistake(fault) }
      return wrong(
        context.codingPath.isEmpty ? "YAML" : "a valid value", context,
        found: firstLine(
          of: context.underlyingError.map { "\($0)" } ?? context.debugDescription))
    default: return Mistake(expected: "valid options", found: firstLine(of: "\(error)"))
    }
  }

  private func mistake(_ fault: OptionFault) -> Mistake {
    var mistake = Mistake(expected: "valid options", found: fault.description)
    switch fault {
    case .unknown(let key, let nearest, _): (mistake.place, mistake.meant) = (key, nearest)
    case .outOfRange(let key, _, _): mistake.place = key
    case .unfit(let key, _, _): (mistake.place, mistake.isOfSeveral) = (key, true)
    }
    return mistake
  }

  /// A value of the wrong kind.
  private func wrong(
    _ expected: String, _ context: DecodingError.Context, found: String
  ) -> Mistake {
    let place = dotted(context.codingPath)
    return Mistake(
      place: place, expected: place.isEmpty ? expected : "\(expected) for \(place)", found: found,
      isOfKind: true)
  }
}

extension Node {
  /// The value of an option by its dotted path, as in `grids[0].rate`; nil where there is none, also
  /// where a section merges it from another by `<<`.
  func value(at place: String) -> Node? {
    keys(of: place).reduce(self) { node, key in
      switch key {
      case .name(let name): node?.mapping?[name]
      case .index(let index):
        node?.sequence.flatMap { $0.indices.contains(index) ? $0[index] : nil }
      }
    }
  }

  /// Sets or, for nil, removes the value of an option.
  ///
  /// - Returns: whether the option's section exists, and for nil whether the option did.
  fileprivate mutating func set(_ value: Node?, at place: String) -> Bool {
    set(value, at: keys(of: place)[...])
  }

  private mutating func set(_ value: Node?, at keys: ArraySlice<YAMLKey>) -> Bool {
    guard let key = keys.first else { return false }
    let rest = keys.dropFirst()
    switch key {
    case .name(let name):
      guard var own = mapping, value != nil || own[name] != nil else { return false }
      if rest.isEmpty {
        own[name] = value
      } else {
        guard var below = own[name], below.set(value, at: rest) else { return false }
        own[name] = below
      }
      self = .mapping(own)
    case .index(let index):
      guard var own = sequence, own.indices.contains(index), !rest.isEmpty else { return false }
      guard own[index].set(value, at: rest) else { return false }
      self = .sequence(own)
    }
    return true
  }
}

/// A step of a dotted path.
private enum YAMLKey {
  case name(String)
  case index(Int)
}

/// The steps of a dotted path such as `grids[0].rate`.
private func keys(of place: String) -> [YAMLKey] {
  place.split(separator: ".").flatMap { part -> [YAMLKey] in
    let pieces = part.split(separator: "[")
    return pieces.map { piece in
      guard piece.hasSuffix("]"), let index = Int(piece.dropLast()) else {
        return .name(String(piece))
      }
      return .index(index)
    }
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
