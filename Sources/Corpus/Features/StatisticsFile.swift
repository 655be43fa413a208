package import Features
import KaldiIO
package import Storage
import SystemPackage

/// Kaldi's statistics of mean and variance (`transform/cmvn.cc`).
///
/// For each utterance or speaker, or once for all, a matrix [2 × columns + 1]: the sums and the
/// count, then the sums of squares and a zero.
package enum StatisticsFile {
  /// The key of the statistics of all utterances.
  static let global = "global"

  /// Reads an ark, an scp, or a file of one matrix without a key.
  ///
  /// - Parameters:
  ///   - table: a path or a specifier, as for `ArchiveInput`.
  ///   - columns: the number of features that the statistics must have.
  /// - Returns: the statistics by key; those without a key as `global`.
  /// - Throws: `FileFault` when the file is none of these, or a value has the wrong shape.
  package static func read(
    _ table: String, columns: Int
  ) throws(FileFault) -> [String: NormalizationStatistics] {
    let entries = try ArchiveInput(reading: table).entries(
      as: .doubleMatrix, commands: .refused, withoutKey: global)
    var statistics: [String: NormalizationStatistics] = [:]
    for (key, value) in entries {
      guard case .doubleMatrix(let matrix)? = value.converted(to: .doubleMatrix), matrix.rows == 2,
        matrix.columns == columns + 1, matrix.values[columns] > 0,
        matrix.values.allSatisfy(\.isFinite)
      else {
        throw .malformed(
          path: .named(table),
          expected: "2 × \(columns + 1) finite sums with a positive count for \(key)",
          found: "another value")
      }
      statistics[key] = NormalizationStatistics(
        count: matrix.values[columns], sums: Array(matrix.values[..<columns]),
        squares: Array(matrix.values[(columns + 1)...].dropLast()))
    }
    return statistics
  }

  /// The path of a table of statistics, which a resumed run reads again.
  ///
  /// - Throws: `FileFault` for a malformed specifier, or one that is not a file.
  static func path(of table: String) throws(FileFault) -> FilePath {
    guard let path = try ArchiveInput(reading: table).path, path != "-" else {
      throw .malformed(
        path: .named(table), expected: "statistics in a file, which a resumed run can read again",
        found: "a stream")
    }
    return path
  }

  /// Writes an ark and its scp, in the byte order of the keys.
  static func write(
    _ statistics: [String: NormalizationStatistics], archive: FilePath, script: FilePath
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
