/// What the tiers of several speakers are called in one TextGrid, such as `{speaker} - phones`.
struct SpeakerTier: Sendable {
  let pattern: String
  private let (before, after): (String, String)

  /// - Parameter pattern: a name; nil where it says nothing of a speaker.
  init?(_ pattern: String) {
    guard let place = pattern.firstRange(of: "{speaker}") else { return nil }
    self.pattern = pattern
    (before, after) = (String(pattern[..<place.lowerBound]), String(pattern[place.upperBound...]))
  }

  /// Whose tier one of a name is; nil where it is not called so.
  func speaker(of name: String) -> String? {
    guard name.count > before.count + after.count, name.hasPrefix(before), name.hasSuffix(after)
    else { return nil }
    return String(name.dropFirst(before.count).dropLast(after.count))
  }
}
