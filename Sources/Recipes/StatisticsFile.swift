import Features
import KaldiIO
import Storage

/// Kaldi's statistics for mean and variance: for each utterance or speaker, or once for all, a matrix of
/// two rows: the sums and the count, the sums of squares and a zero (`transform/cmvn.cc`).
enum StatisticsFile {
  /// The key of statistics of all utterances.
  static let global = "global"

  /// Reads an ark, an scp (by its name), or a file of one matrix without a key.
  ///
  /// - Parameters:
  ///   - path: the file.
  ///   - columns: the number of features that there must be sums of.
  /// - Returns: the statistics by key; those without a key as `global`.
  /// - Throws: `FileFault` for a file that is none of these, or with other sums.
  static func read(
    _ path: String, columns: Int
  ) throws(FileFault) -> [String: NormalizationStatistics] {
    var entries: [Archive.Entry] = []
    let first = try TextFile.bytes(of: path).first
    if path.hasSuffix(".scp") {
      let script = try ArchiveScript(path: path)
      entries = try script.entries.map { entry throws(FileFault) in
        (entry.key, try script.value(of: entry, as: .doubleMatrix))
      }
    } else if first == 0 || first == UInt8(ascii: " ") || first == UInt8(ascii: "[") {
      entries = [(global, try Archive.readValue(path, as: .doubleMatrix))]
    } else {
      entries = try Archive.read(path, as: .doubleMatrix)
    }
    var statistics: [String: NormalizationStatistics] = [:]
    for (key, value) in entries {
      guard case .doubleMatrix(let matrix)? = value.converted(to: .doubleMatrix), matrix.rows == 2,
        matrix.columns == columns + 1, matrix.values[columns] > 0,
        matrix.values.allSatisfy(\.isFinite)
      else {
        throw .malformed(
          path: path, expected: "2 × \(columns + 1) finite sums with a positive count for \(key)",
          found: "another value")
      }
      statistics[key] = NormalizationStatistics(
        count: matrix.values[columns], sums: Array(matrix.values[..<columns]),
        squares: Array(matrix.values[(columns + 1)...].dropLast()))
    }
    return statistics
  }

  /// Writes an ark and its scp, in the order of the keys' bytes.
  static func write(
    _ statistics: [String: NormalizationStatistics], archive: String, script: String
  ) throws(FileFault) {
    var writer = try ArchiveWriter(archive, script: script)
    for (key, own) in statistics.sorted(by: {
      inByteOrder($0.key, $1.key)
    }) {
      let values = own.sums + [own.count] + own.squares + [0]
      try writer.write(
        key, .doubleMatrix(DoubleMatrix(rows: 2, columns: own.sums.count + 1, values: values)))
    }
    try writer.commit()
  }
}
