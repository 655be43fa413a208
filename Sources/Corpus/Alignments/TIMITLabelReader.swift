package import Storage
package import SystemPackage

/// Reads TIMIT's label files, `.PHN` for phones and `.WRD` for words (LDC93S1, `README.DOC`).
///
/// A line is `START END LABEL`, in samples from the start of the recording. END is the first sample
/// after the label.
package enum TIMITLabelReader {
  /// Reads a file.
  ///
  /// - Parameters:
  ///   - path: the file.
  ///   - sampleRate: the recording's sample rate, in hertz.
  /// - Returns: its spans.
  /// - Throws: `FileFault` when the file cannot be read, or for the first malformed line.
  package static func read(_ path: FilePath, sampleRate: Int) throws(FileFault) -> [LabelSpan] {
    try TextFile.lines(of: path).map { number, line throws(FileFault) in
      let fields = line.fields
      guard fields.count == 3, fields[0...1].allSatisfy({ Int($0) != nil }),
        let span = LabelSpan(
          start: fields[0], end: fields[1], unitsPerSecond: Double(sampleRate), label: fields[2])
      else {
        throw FileFault.malformedLine(
          path: path, line: number,
          expected: "a start and an end not before it, in samples, and a label",
          found: "\"\(line)\"")
      }
      return span
    }
  }
}
