package import SystemPackage

extension StringProtocol {
  /// The text with what does not show, or would change how a terminal shows the rest, by its code, as `<U+00A0>`:
  /// controls but for tabs and ends of lines, formats, and blanks other than the usual one.
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

/// Whether a scalar would not be seen in a line of text.
package func isHidden(_ scalar: Unicode.Scalar) -> Bool {
  // Most are of ASCII, and need no table.
  if scalar.isASCII {
    return scalar.value < 0x20 ? scalar != "\t" && scalar != "\n" : scalar.value == 0x7F
  }
  return switch scalar.properties.generalCategory {
  case .control, .format, .lineSeparator, .paragraphSeparator, .spaceSeparator: true
  default: false
  }
}

/// The code of a scalar, as `U+00A0`.
package func code(of scalar: Unicode.Scalar) -> String {
  let digits = String(scalar.value, radix: 16, uppercase: true)
  return "U+" + String(repeating: "0", count: max(0, 4 - digits.count)) + digits
}

extension FilePath {
  /// The path as text, with each byte that is not of UTF-8 by its number, as `\xE9`.
  package var text: String {
    String(validating: self) ?? visibleText(of: cString.dropLast().map { UInt8(bitPattern: $0) })
  }
}

extension FilePath.Component {
  /// The name as text, with each byte that is not of UTF-8 by its number.
  package var text: String { FilePath(root: nil, components: self).text }
}

/// A text with each byte that is not of UTF-8 by its number.
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

/// The two digits of a byte that is not of ASCII.
private func hexadecimal(_ byte: UInt8) -> String { String(byte, radix: 16, uppercase: true) }
