package import Storage
package import SystemPackage

/// Reads tiers of a Praat TextGrid, long or short (Praat's manual, "TextGrid file formats").
///
/// Only free-standing values count in such a file: numbers and flags (`<exists>`) with white space
/// around them, and texts in double quotes, where a doubled quote stands for one. Everything else
/// is a comment; `!` begins a comment that lasts to the end of its line. The long form is therefore
/// the short one with comments.
///
/// The values are `"ooTextFile" "TextGrid"`, the start and the end in seconds, `<exists>`, and the
/// number of tiers. Each tier has its class, name, start, end, number of intervals or points, and
/// the intervals (`IntervalTier`: start, end and text) or points (`TextTier`: time and text). A
/// point's label lasts until the next point. The encoding is UTF-8 or UTF-16.
package enum TextGridReader {
  /// Reads one tier of a file.
  ///
  /// - Parameters:
  ///   - path: the file.
  ///   - name: the tier's name, or the part of it after `SPEAKER - `, as MFA names tiers.
  /// - Returns: the tier's spans.
  /// - Throws: `FileFault` with the malformed line, or with the names of all tiers unless exactly
  ///   one tier has the name.
  package static func read(_ path: FilePath, tier name: String) throws(FileFault) -> [LabelSpan] {
    let tiers = try tiers(of: path)
    let named = tiers.filter { $0.name == name }
    let matches = named.isEmpty ? tiers.filter { $0.name.hasSuffix(" - " + name) } : named
    guard matches.count == 1 else {
      throw .malformed(
        path: path, expected: "one tier \(name)",
        found: tiers.isEmpty ? "no tiers" : tiers.map(\.name).joined(separator: ", "))
    }
    return matches[0].spans
  }

  /// Reads the tiers of all speakers in a file.
  ///
  /// - Parameters:
  ///   - path: the file.
  ///   - name: the pattern of the tiers' names.
  /// - Returns: the spans of each tier whose name matches, in the order of the file.
  /// - Throws: `FileFault` with the malformed line, or when no tier matches or a speaker has
  ///   several.
  static func read(
    _ path: FilePath, tiers name: SpeakerTier
  ) throws(FileFault) -> [(speaker: String, spans: [LabelSpan])] {
    let tiers = try tiers(of: path)
    let found = tiers.compactMap { tier in
      name.speaker(of: tier.name).map { (speaker: $0, spans: tier.spans) }
    }
    guard !found.isEmpty, Set(found.map(\.speaker)).count == found.count else {
      throw .malformed(
        path: path, expected: "one tier \(name.pattern) for each speaker",
        found: tiers.isEmpty ? "no tiers" : tiers.map(\.name).joined(separator: ", "))
    }
    return found
  }

  private static func tiers(
    of path: FilePath
  ) throws(FileFault) -> [(name: String, spans: [LabelSpan])] {
    var reader = TextGridScanner(path: path, text: try text(of: path))
    return try readTiers(&reader)
  }

  /// The text of a file in Praat's text form; faults say which other form a file has.
  private static func text(of path: FilePath) throws(FileFault) -> String {
    let bytes = try TextFile.bytes(of: path)
    let expected = "a TextGrid in Praat's text form"
    if bytes.starts(with: "ooBinaryFile".utf8) {
      throw .malformed(
        path: path, expected: expected,
        found: "its binary form; in Praat, save it with \"Save as text file\"")
    }
    if bytes.first(where: { $0 > 0x20 }) == UInt8(ascii: "{") {
      throw .malformed(
        path: path, expected: expected, found: "JSON; write it as a long or short TextGrid")
    }
    return try TextFile.markedText(of: path)
  }

  private static func readTiers(
    _ reader: inout TextGridScanner
  ) throws(FileFault) -> [(name: String, spans: [LabelSpan])] {
    guard try reader.text("ooTextFile").hasPrefix("ooTextFile") else {
      throw reader.fault("ooTextFile")
    }
    guard try reader.text("TextGrid") == "TextGrid" else { throw reader.fault("TextGrid") }
    _ = try reader.time("the start")
    _ = try reader.time("the end")
    guard try reader.flag("<exists> for its tiers") == "<exists>" else { return [] }
    let count = try reader.count("the number of tiers")
    var tiers: [(name: String, spans: [LabelSpan])] = []
    for _ in 0..<count { tiers.append(try readTier(&reader)) }
    try reader.end()
    return tiers
  }

  private static func readTier(
    _ reader: inout TextGridScanner
  ) throws(FileFault) -> (name: String, spans: [LabelSpan]) {
    let kind = try reader.text("the class of a tier")
    guard ["IntervalTier", "TextTier"].contains(kind) else {
      throw reader.fault("IntervalTier or TextTier")
    }
    let name = try reader.text("the name of a tier")
    _ = try reader.time("the start of a tier")
    let end = try reader.time("the end of a tier")
    let count = try reader.count("the number of its parts")
    if kind == "TextTier" {
      var points: [(time: Double, label: String)] = []
      for _ in 0..<count {
        points.append((try reader.time("the time of a point"), try reader.label("its text")))
      }
      let last = points.last?.time ?? 0
      return (name, [LabelSpan](points: points, end: max(last, end)))
    }
    var spans: [LabelSpan] = []
    for _ in 0..<count {
      let start = try reader.time("the start of an interval")
      let end = try reader.time("the end of an interval")
      guard start <= end else { throw reader.fault("an end not before \(start)") }
      spans.append(LabelSpan(start: start, end: end, label: try reader.label("its text")))
    }
    return (name, spans)
  }
}

/// Reads the free-standing values of a Praat text file one after the other.
private struct TextGridScanner {
  private enum Token: Equatable {
    case text(String)
    case number(Substring)
    case flag(Substring)
    case end
  }

  private let path: FilePath
  private var rest: Substring.UnicodeScalarView
  private var line = 1
  /// The last token, for faults.
  private var token = Token.end
  private var tokenLine = 1

  init(path: FilePath, text: String) {
    self.path = path
    rest = text[...].unicodeScalars
  }

  /// A fault about the last token.
  func fault(_ expected: String) -> FileFault {
    let found =
      switch token {
      case .text(let text): "\"\(text)\""
      case .number(let word), .flag(let word): String(word)
      case .end: "the end of the file"
      }
    return .malformedLine(path: path, line: tokenLine, expected: expected, found: found)
  }

  mutating func text(_ what: String) throws(FileFault) -> String {
    guard case .text(let text) = try next() else { throw fault("\(what), in quotes") }
    return text
  }

  /// A text without white space around it.
  mutating func label(_ what: String) throws(FileFault) -> String {
    String(try text(what)[...].trimmed)
  }

  mutating func time(_ what: String) throws(FileFault) -> Double {
    guard case .number(let word) = try next(), let time = LabelSpan.seconds(word) else {
      throw fault("\(what) in seconds")
    }
    return time
  }

  mutating func count(_ what: String) throws(FileFault) -> Int {
    guard case .number(let word) = try next(), let count = Int(word), count >= 0 else {
      throw fault(what)
    }
    return count
  }

  mutating func flag(_ what: String) throws(FileFault) -> String {
    guard case .flag(let flag) = try next() else { throw fault(what) }
    return String(flag)
  }

  /// Throws unless the file ends here.
  mutating func end() throws(FileFault) {
    guard try next() == .end else { throw fault("nothing more after the last tier") }
  }

  private mutating func next() throws(FileFault) -> Token {
    token = .end
    while true {
      skipBlanks()
      tokenLine = line
      guard let first = rest.first else { return token }
      if first == "!" {
        rest = rest.drop { !isLineEnd($0) }
      } else if first == "\"" {
        token = .text(try quoted())
        return token
      } else {
        let word = Substring(rest.prefix { !$0.properties.isWhitespace })
        rest = rest.dropFirst(word.unicodeScalars.count)
        if word.first == "<", word.last == ">" {
          token = .flag(word)
          return token
        }
        if let first = word.utf8.first, isNumberStart(first), Double(word) != nil {
          token = .number(word)
          return token
        }
      }
    }
  }

  private mutating func skipBlanks() {
    while let scalar = rest.first, scalar.properties.isWhitespace {
      if scalar == "\n" || scalar == "\r" {
        line += 1
        if scalar == "\r", rest.dropFirst().first == "\n" { rest.removeFirst() }
      }
      rest.removeFirst()
    }
  }

  /// Reads a quoted text, which may contain line ends.
  private mutating func quoted() throws(FileFault) -> String {
    rest.removeFirst()
    var text = String.UnicodeScalarView()
    while let scalar = rest.popFirst() {
      if scalar == "\"" {
        guard rest.first == "\"" else { return String(text) }
        rest.removeFirst()
      }
      if scalar == "\n" { line += 1 }
      text.append(scalar)
    }
    throw .malformedLine(
      path: path, line: tokenLine, expected: "a closing quote", found: "the end of the file")
  }
}

private func isLineEnd(_ scalar: Unicode.Scalar) -> Bool { scalar == "\n" || scalar == "\r" }

/// Whether a byte can begin a number; `nan` and `inf` are thus words.
private func isNumberStart(_ byte: UInt8) -> Bool {
  (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || byte == UInt8(ascii: "-")
    || byte == UInt8(ascii: "+") || byte == UInt8(ascii: ".")
}
