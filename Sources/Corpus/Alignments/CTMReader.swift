package import Storage
package import SystemPackage

/// Reads NIST's CTM format (SCTK's `infmts.htm`; Kaldi's `ali-to-phones --ctm-output`).
///
/// A line is `UTTERANCE CHANNEL START DURATION LABEL [CONFIDENCE [TYPE [SPEAKER]]]`, with times in
/// seconds. A line that starts with `;;` is a comment. The lines of an utterance are in time order;
/// utterances may be in any order.
///
/// If a name has several channels (`A` or 1, `B` or 2, …; or 0, 1, … when there is a 0), each
/// channel is a separate alignment. Alternatives are marked by lines with `<ALT_BEGIN>`, `<ALT>`
/// and `<ALT_END>` in place of a label.
package enum CTMReader {
  /// Reads the spans of each utterance; an utterance with a malformed line has that line's fault.
  ///
  /// - Parameters:
  ///   - path: the file.
  ///   - firstAlternative: whether to take the first of several alternatives; otherwise an
  ///     utterance with alternatives has a fault.
  /// - Returns: the alignments, named by their utterances.
  /// - Throws: `FileFault` when the file cannot be read.
  package static func read(
    _ path: FilePath, firstAlternative: Bool = false
  ) throws(FileFault) -> AlignmentTable {
    var alternative = 0
    var spans: [String: [Substring: [LabelSpan]]] = [:]
    var faults: [String: FileFault] = [:]
    // The lines of an utterance are usually consecutive, so they are stored together.
    var (key, channel, own): (Substring, Substring, [LabelSpan]) = ("", "", [])
    try TextFile.forEachLine(of: path) { number, line, isUTF8 in
      guard !line.hasPrefix(";;") else { return }
      let fields = line.fields
      if fields[0] != key || fields.count > 1 && fields[1] != channel {
        if !own.isEmpty { spans[String(key), default: [:]][channel, default: []] += own }
        if alternative > 0, fields[0] != key {
          faults[String(key)] = .malformedLine(
            path: path, line: number, expected: "<ALT_END> of \(key)", found: "\"\(line)\"")
          alternative = 0
        }
        (key, channel, own) = (fields[0], fields.count > 1 ? fields[1] : "", [])
      }
      if fields.count >= 5, fields[4].hasPrefix("<ALT"), fields[4].hasSuffix(">") {
        switch fields[4] {
        case "<ALT_BEGIN>": alternative = 1
        case "<ALT>": alternative += 1
        default: alternative = 0
        }
        if !firstAlternative, faults[String(key)] == nil {
          faults[String(key)] = .malformedLine(
            path: path, line: number,
            expected: "one label at a time, or firstAlternative (--first-alternative)",
            found: "alternatives")
        }
        return
      }
      if alternative > 1 { return }
      if isUTF8, (5...8).contains(fields.count),
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
    if !own.isEmpty { spans[String(key), default: [:]][channel, default: []] += own }
    if alternative > 0 {
      faults[String(key)] = .malformed(
        path: path, expected: "<ALT_END> of \(key)", found: "the end")
    }
    var entries: [AlignmentTable.Entry] = faults.map { name, fault in
      AlignmentTable.Entry(path: [name], spans: .failure(fault))
    }
    for (name, channels) in spans where faults[name] == nil {
      let first = channels["0"] == nil ? 1 : 0
      for (channel, own) in channels {
        entries.append(
          AlignmentTable.Entry(
            path: [name], channel: channels.count > 1 ? number(of: channel) - first + 1 : nil,
            spans: .success(own)))
      }
    }
    return AlignmentTable(entries)
  }

  /// The number of a channel, where `A` is 1; 0 for any other name.
  private static func number(of channel: Substring) -> Int {
    if let number = Int(channel) { return number }
    let letters = "ABCDEFGH"
    guard channel.count == 1, let place = letters.firstIndex(of: Character(channel.uppercased()))
    else { return 0 }
    return letters.distance(from: letters.startIndex, to: place) + 1
  }
}
