package import Storage
package import SystemPackage

/// Reads HTK's label files and master label files (The HTK Book 3.4, sections 6.2.1 and 6.3).
///
/// A label file has lines `START END LABEL [SCORE] …`, with times in units of 100 ns. Whatever
/// follows the first label (scores, labels of further levels) is ignored, and only the first of
/// several alternatives (separated by `///`) is read. A label may be quoted. A backslash escapes
/// the next character; followed by three octal digits it stands for a byte, which is how HTK writes
/// characters beyond ASCII.
///
/// A master label file begins with `#!MLF!#`. Each of its entries is the quoted name of a label
/// file, the lines of that file, and a line with a full stop. A name may be a pattern, in which `*`
/// stands for any characters and `?` for one; it is then the alignment of all utterances that
/// match. Folder searches (`"*" -> "…"`) are not supported.
package enum HTKLabelReader {
  /// Reads the spans of a label file.
  ///
  /// - Throws: `FileFault` when the file cannot be read, or for the first malformed line.
  package static func read(_ path: FilePath) throws(FileFault) -> [LabelSpan] {
    try spans(of: try TextFile.lossyLines(of: path)[...], in: path)
  }

  /// Reads the spans of each entry of a master label file; an entry with a malformed line has that
  /// line's fault.
  ///
  /// - Throws: `FileFault` when the file cannot be read or is not a master label file.
  package static func readMaster(_ path: FilePath) throws(FileFault) -> AlignmentTable {
    var lines = try TextFile.lossyLines(of: path)[...]
    guard let first = lines.popFirst(), first.text.trimmed == "#!MLF!#" else {
      throw .malformed(path: path, expected: "#!MLF!# on its first line", found: "none")
    }
    var entries: [(path: [String], spans: Result<[LabelSpan], FileFault>)] = []
    while let (number, line, _) = lines.popFirst() {
      let name = line.trimmed
      let body = lines.prefix { $0.text.trimmed != "." }
      lines = lines.dropFirst(body.count + 1)
      guard name.count > 2, name.first == "\"", name.last == "\"",
        name.count(where: { $0 == "\"" }) == 2
      else {
        // No utterance has this name, but the fault is reported.
        entries.append(
          (
            [String(name)],
            .failure(
              .malformedLine(
                path: path, line: number, expected: "the name of a label file in quotes",
                found: "\"\(line)\""))
          ))
        continue
      }
      let own = String(firstLabel(name) ?? name)
      let components = (try? FilePath(text: own)).map(AlignmentTable.components) ?? [own]
      do throws(FileFault) {
        entries.append((components, .success(try spans(of: body, in: path))))
      } catch {
        entries.append((components, .failure(error)))
      }
    }
    // Most entries begin with a pattern for the folder: "*/u1.lab".
    let plain = entries.map { ($0.path.filter { $0 != "*" }, $0.spans) }
    return AlignmentTable(
      plain.map { AlignmentTable.Entry(path: $0.0, spans: $0.1) })
  }

  private static func spans(
    of lines: ArraySlice<(number: Int, text: Substring, isUTF8: Bool)>, in path: FilePath
  ) throws(FileFault) -> [LabelSpan] {
    var spans: [LabelSpan] = []
    for (number, line, isUTF8) in lines {
      if line.trimmed == "///" { break }
      let (start, rest) = line.keyAndRest
      let (end, labels) = rest.keyAndRest
      guard isUTF8, let label = firstLabel(labels),
        let span = LabelSpan(start: start, end: end, unitsPerSecond: 1e7, label: label)
      else {
        throw .malformedLine(
          path: path, line: number,
          expected: "a start and an end not before it, in units of 100 ns, and a label",
          found: "\"\(line)\"")
      }
      spans.append(span)
    }
    return spans
  }

  /// The first label of the rest of a line, unquoted and unescaped.
  ///
  /// - Returns: nil when there is no label, the quotes are not closed, or the bytes are not UTF-8.
  private static func firstLabel(_ text: Substring) -> Substring? {
    guard let first = text.first else { return nil }
    let isQuoted = first == "\"" || first == "'"
    guard isQuoted || text.fields[0].contains("\\") else { return text.fields[0] }
    let quote = isQuoted ? first.asciiValue : nil
    var bytes: [UInt8] = []
    var rest = text.utf8.dropFirst(isQuoted ? 1 : 0)
    while let byte = rest.popFirst() {
      if byte == quote || quote == nil && (byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t"))
      {
        return String(validating: bytes, as: UTF8.self)?[...].trimmed
      }
      guard byte == UInt8(ascii: "\\") else {
        bytes.append(byte)
        continue
      }
      let digits = rest.prefix(3).prefix { (UInt8(ascii: "0")...UInt8(ascii: "7")).contains($0) }
      if digits.count == 3, let code = UInt8(String(decoding: digits, as: UTF8.self), radix: 8) {
        bytes.append(code)
        rest = rest.dropFirst(3)
      } else if let next = rest.popFirst() {
        bytes.append(next)
      } else {
        return nil
      }
    }
    return quote == nil ? String(validating: bytes, as: UTF8.self)?[...] : nil
  }
}
