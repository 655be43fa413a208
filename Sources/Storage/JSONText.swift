import Foundation
package import SystemPackage

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

  /// Reads the value that a file holds.
  ///
  /// - Parameters:
  ///   - path: the file.
  ///   - expected: what it should hold, for the message.
  /// - Returns: the value.
  /// - Throws: `FileFault` when it cannot be read, or holds anything else.
  package static func read<Value: Decodable>(
    _ path: FilePath, expected: String
  ) throws(FileFault) -> Value {
    let data = try TextFile.bytes(of: path)
    do {
      return try JSONDecoder().decode(Value.self, from: data)
    } catch {
      throw .malformed(path: path, expected: expected, found: "\(error)")
    }
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
