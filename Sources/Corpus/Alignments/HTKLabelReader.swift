package import Storage

/// Reads HTK's label files and master label files (The HTK Book 3.4, sections 6.2.1 and 6.3).
///
/// A label file has lines `START END LABEL [SCORE] …`, in units of 100 ns. What follows the first
/// label (scores, labels of further levels) is passed over, and of several alternatives (`///`) the
/// first is taken. A label may stand in quotes, where a backslash takes the next character as it is. A master label file begins with `#!MLF!#`; each
/// of its entries has the name of a label file in quotes, which may begin with `*/`, the lines of
/// that file, and a line of a full stop. Searches of folders (`"*" -> "…"`) are not taken.
package enum HTKLabelReader {
  /// The spans of a label file.
  ///
  /// - Throws: `FileFault` with the line.
  package static func read(_ path: String) throws(FileFault) -> [LabelSpan] {
    try spans(of: try TextFile.lossyLines(of: path)[...], in: path)
  }

  /// The spans of each entry of a master label file; of one with a bad line, that line's fault.
  ///
  /// - Throws: `FileFault` for a file that is none, or that cannot be read.
  package static func readMaster(_ path: String) throws(FileFault) -> AlignmentTable {
    var lines = try TextFile.lossyLines(of: path)[...]
    guard let first = lines.popFirst(), first.text.trimmed == "#!MLF!#" else {
      throw .malformed(path: path, expected: "#!MLF!# in its first line", found: "none")
    }
    var entries: [(path: [String], spans: Result<[LabelSpan], FileFault>)] = []
    while let (number, line, _) = lines.popFirst() {
      let name = line.trimmed
      let body = lines.prefix { $0.text.trimmed != "." }
      lines = lines.dropFirst(body.count + 1)
      guard name.count > 2, name.first == "\"", name.last == "\"",
        name.count(where: { $0 == "\"" }) == 2
      else {
        // No utterance has this name, but the fault is told.
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
      let components = AlignmentTable.components(of: String(name.dropFirst().dropLast()))
      do throws(FileFault) {
        entries.append((components.filter { $0 != "*" }, .success(try spans(of: body, in: path))))
      } catch {
        entries.append((components.filter { $0 != "*" }, .failure(error)))
      }
    }
    return AlignmentTable(entries)
  }

  private static func spans(
    of lines: ArraySlice<(number: Int, text: Substring, isUTF8: Bool)>, in path: String
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
          expected: "a start, an end not before it, in units of 100 ns, and a label",
          found: "\"\(line)\"")
      }
      spans.append(span)
    }
    return spans
  }

  /// The first label of the rest of a line, out of its quotes; nil when there is none or the quotes do not
  /// close.
  private static func firstLabel(_ text: Substring) -> Substring? {
    guard let quote = text.first, quote == "\"" || quote == "'" else {
      return text.fields.first
    }
    var label = ""
    var rest = text.dropFirst()
    while let character = rest.popFirst() {
      if character == quote { return label[...].trimmed }
      guard character == "\\" else {
        label.append(character)
        continue
      }
      // Octal codes of bytes are not read.
      guard let next = rest.popFirst(), !next.isNumber else { return nil }
      label.append(next)
    }
    return nil
  }
}
