/// The pattern of tier names in a TextGrid of several speakers, such as `{speaker} - phones`.
struct SpeakerTier: Sendable {
  let pattern: String
  private let (before, after): (String, String)

  /// Returns nil unless the name contains `{speaker}`.
  init?(_ pattern: String) {
    guard let place = pattern.firstRange(of: "{speaker}") else { return nil }
    self.pattern = pattern
    (before, after) = (String(pattern[..<place.lowerBound]), String(pattern[place.upperBound...]))
  }

  /// The speaker in a tier's name; nil when the name does not match the pattern.
  func speaker(of name: String) -> String? {
    guard name.count > before.count + after.count, name.hasPrefix(before), name.hasSuffix(after)
    else { return nil }
    return String(name.dropFirst(before.count).dropLast(after.count))
  }
}
