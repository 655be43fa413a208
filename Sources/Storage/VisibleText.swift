package import SystemPackage

extension StringProtocol {
  /// The text with invisible characters replaced by their codes, such as `<U+00A0>`.
  ///
  /// These are control characters except tabs and line breaks, format characters, and blanks other than ASCII space.
  package var visible: String {
    guard unicodeScalars.contains(where: isHidden) else { return String(self) }
    return unicodeScalars.reduce(into: "") { text, scalar in
      if isHidden(scalar) {
        text += "<\(code(of: scalar))>"
      } else {
        text.unicodeScalars.append(scalar)
      }
    }
  }
}

/// Whether a scalar is invisible in a line of text.
package func isHidden(_ scalar: Unicode.Scalar) -> Bool {
  // Most are ASCII and need no table look-up.
  if scalar.isASCII {
    return scalar.value < 0x20 ? scalar != "\t" && scalar != "\n" : scalar.value == 0x7F
  }
  return switch scalar.properties.generalCategory {
  case .control, .format, .lineSeparator, .paragraphSeparator, .spaceSeparator: true
  default: false
  }
}

/// The code of a scalar, such as `U+00A0`.
package func code(of scalar: Unicode.Scalar) -> String {
  let digits = String(scalar.value, radix: 16, uppercase: true)
  return "U+" + String(repeating: "0", count: max(0, 4 - digits.count)) + digits
}

extension FilePath {
  /// The path as text, with each invalid UTF-8 byte escaped, such as `\xE9`.
  package var text: String {
    String(validating: self) ?? visibleText(of: cString.dropLast().map { UInt8(bitPattern: $0) })
  }
}

extension FilePath.Component {
  /// The name as text, with each invalid UTF-8 byte escaped.
  package var text: String { FilePath(root: nil, components: self).text }
}

/// Bytes as text, with each invalid UTF-8 byte escaped.
private func visibleText(of bytes: [UInt8]) -> String {
  var parser = Unicode.UTF8.ForwardParser()
  var rest = bytes.makeIterator()
  var place = 0
  var text = ""
  while true {
    switch parser.parseScalar(from: &rest) {
    case .valid(let scalar):
      text.unicodeScalars.append(Unicode.UTF8.decode(scalar))
      place += scalar.count
    case .error(let count):
      for byte in bytes[place..<place + count] { text += #"\x"# + hexadecimal(byte) }
      place += count
    case .emptyInput: return text
    }
  }
}

/// The two hexadecimal digits of a non-ASCII byte.
private func hexadecimal(_ byte: UInt8) -> String { String(byte, radix: 16, uppercase: true) }
