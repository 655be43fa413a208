package import Storage

/// Reads NIST's CTM (`infmts.htm` of SCTK's documents; Kaldi's `ali-to-phones --ctm-output`).
///
/// A line is `UTTERANCE CHANNEL START DURATION LABEL [CONFIDENCE]`, times in seconds; a line that
/// starts with `;;` is a comment. The lines of an utterance stand in the order of time, the utterances
/// in any. Alternatives (`<ALT_BEGIN>`) are not taken.
package enum CTMReader {
  /// The spans of each utterance; of one with a bad line, that line's fault.
  package static func read(_ path: String) throws(FileFault) -> AlignmentTable {
    var spans: [String: [LabelSpan]] = [:]
    var faults: [String: FileFault] = [:]
    // The lines of one utterance mostly stand together, and are taken over at once.
    var (key, own): (Substring, [LabelSpan]) = ("", [])
    try TextFile.forEachLine(of: path) { number, line, isUTF8 in
      guard !line.hasPrefix(";;") else { return }
      let fields = line.fields
      if fields[0] != key {
        if !own.isEmpty { spans[String(key), default: []] += own }
        (key, own) = (fields[0], [])
      }
      if isUTF8, fields.count == 5 || fields.count == 6,
        let start = LabelSpan.seconds(fields[2]), let duration = LabelSpan.seconds(fields[3])
      {
        own.append(LabelSpan(start: start, end: start + duration, label: String(fields[4])))
      } else if faults[String(key)] == nil {
        faults[String(key)] = .malformedLine(
          path: path, line: number,
          expected: "an utterance, a channel, a start and a duration in seconds, and a label",
          found: "\"\(line)\"")
      }
    }
    if !own.isEmpty { spans[String(key), default: []] += own }
    return AlignmentTable(
      faults.map { ([$0.key], .failure($0.value)) }
        + spans.filter { faults[$0.key] == nil }.map { ([$0.key], .success($0.value)) })
  }
}
