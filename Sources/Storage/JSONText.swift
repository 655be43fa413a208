import Foundation

/// Values as JSON with sorted keys, so that the same value always gives the same text.
package enum JSONText {
  /// One line without a line break; the value's numbers must be finite.
  package static func line(_ value: some Encodable) -> String {
    encode(value, [.sortedKeys, .withoutEscapingSlashes])
  }

  /// Indented lines; the value's numbers must be finite.
  package static func document(_ value: some Encodable) -> String {
    encode(value, [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]) + "\n"
  }

  private static func encode(
    _ value: some Encodable, _ formatting: JSONEncoder.OutputFormatting
  ) -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = formatting
    guard let data = try? encoder.encode(value) else {
      preconditionFailure("JSONText: \(value) does not encode, as with a number that is not finite")
    }
    return String(decoding: data, as: UTF8.self)
  }
}
