package import Storage
package import SystemPackage

/// Reads label tracks exported by Audacity (its manual, "Importing and Exporting Labels").
///
/// A line is `START⇥END⇥LABEL`, with times in seconds. A line that starts with `\` gives the
/// frequencies of the label above it, and is skipped. A label whose start equals its end is a
/// point; if all labels are points, each lasts until the next one.
package enum AudacityLabelReader {
  /// Reads the spans of a file.
  ///
  /// - Throws: `FileFault` when the file cannot be read, or for the first malformed line.
  package static func read(_ path: FilePath) throws(FileFault) -> [LabelSpan] {
    var spans: [LabelSpan] = []
    for (number, line) in try TextFile.lines(of: path) where !line.hasPrefix("\\") {
      let fields = line.split(separator: "\t", maxSplits: 2, omittingEmptySubsequences: false)
      guard fields.count >= 2,
        let span = LabelSpan(
          start: fields[0], end: fields[1], unitsPerSecond: 1,
          label: fields.count < 3 ? "" : fields[2].trimmed)
      else {
        throw .malformedLine(
          path: path, line: number,
          expected: "a start and an end not before it, in seconds, and a label, separated by tabs",
          found: "\"\(line)\"")
      }
      spans.append(span)
    }
    guard spans.allSatisfy({ $0.start == $0.end }) else { return spans }
    return [LabelSpan](points: spans.map { ($0.start, $0.label) }, end: .infinity)
  }
}
