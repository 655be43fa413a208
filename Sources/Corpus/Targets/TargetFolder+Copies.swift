import Classes
package import Features
import KaldiIO
package import Storage

extension TargetFolder {
  /// An utterance of a perturbed copy.
  package struct Copy {
    /// The id of the utterance, which the copy shares.
    package let id: String
    /// Those of its features.
    package let frames: Int
    /// How many times as fast as the utterance itself it is.
    package let speed: Double

    /// An utterance of a copy, by its id, the frames of its features and its speed, positive.
    package init(id: String, frames: Int, speed: Double) {
      (self.id, self.frames, self.speed) = (id, frames, speed)
    }
  }

  /// Makes the targets of a perturbed copy from those of the original utterances.
  ///
  /// Each frame takes the class of the original frame that is nearest to the moment it comes from. Noise, volume and
  /// masks change no class.
  ///
  /// - Parameters:
  ///   - original: the targets of the utterances themselves.
  ///   - copies: in the order of their ids' bytes.
  ///   - grid: where the frames lie, of the utterances and of the copy.
  ///   - reporter: where the names of skipped utterances go.
  /// - Throws: `FileFault` when `original` cannot be read or the folder cannot be written.
  package func prepare(
    copyOf original: TargetFolder, _ copies: [Copy], grid: FrameGrid, reporter: Reporter
  ) throws(FileFault) {
    let classes = try ClassInventory(path: original.classesPath)
    let source = try IntegerArchive(path: original.archivePath)
    let entries = Dictionary(uniqueKeysWithValues: source.entries.map { ($0.key, $0) })
    var (ledger, counts) = (Ledger(), ClassCounts(classes: classes.count))
    var archive = try begin()
    for copy in copies {
      try Interruption.check()
      guard let own = entries[copy.id], own.count > 0 else {
        ledger.leaveOut(
          copy.id, .targets, reason: "the utterance has no targets", framesIn: copy.frames)
        continue
      }
      let labels = try source.read(0..<own.count, of: own)
      let warped = (0..<copy.frames).map {
        labels[grid.source(ofFrame: $0, atSpeed: copy.speed, count: labels.count)]
      }
      var entry = Ledger.Entry(copy.id, .targets)
      (entry.framesIn, entry.framesOut, entry.labels) = (copy.frames, copy.frames, own.count)
      ledger.append(entry)
      counts.add(warped)
      try archive.write(copy.id, .integers(warped))
    }
    try finish(archive, try original.description(), counts, ledger, classes)
    reporter.name(ledger.leftOut, in: ledgerPath)
  }
}
