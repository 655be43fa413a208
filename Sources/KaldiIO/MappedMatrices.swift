import Foundation
package import LinearAlgebra
package import Storage

/// The single-precision matrices of a binary archive, of which rows are read from the mapped file when
/// they are asked for; memory does not grow with the archive.
package struct MappedMatrices: Sendable {
  /// One matrix.
  package struct Entry: Sendable, Equatable {
    package let key: String
    package let rows: Int
    package let columns: Int
    /// Where its values start in the file.
    fileprivate let offset: Int
  }

  package let path: String
  /// In the order of the archive; a key stands once.
  package let entries: [Entry]
  private let bytes: Data

  /// Maps an archive and reads the shapes of its matrices.
  ///
  /// - Throws: `FileFault` when it is cut short, corrupt, or holds anything else.
  package init(path: String) throws(FileFault) {
    self.path = path
    bytes = try TextFile.bytes(of: path)
    var reader = ByteReader(path: path, bytes: bytes)
    var entries: [Entry] = []
    while let key = try Archive.takeKey(&reader) {
      let start = reader.offset
      let header = try reader.take(5, "the header of a binary float matrix")
      guard header.elementsEqual("\0BFM ".utf8) else {
        throw reader.fault("a binary float matrix (FM)", found: "another value", at: start)
      }
      let rows = try reader.takeInteger("the number of rows")
      let columns = try reader.takeInteger("the number of columns")
      let room = reader.bytes.count - reader.offset
      guard isShape(rows, columns), rows * columns <= room / 4 else {
        throw reader.fault(
          "\(rows)×\(columns) values", found: "\(room) bytes to the end of the file", at: start)
      }
      entries.append(Entry(key: key, rows: rows, columns: columns, offset: reader.offset))
      reader.skip(4 * rows * columns)
      reader.key = ""
    }
    self.entries = entries
    try requireUnique(entries.map(\.key), in: path)
  }

  /// Copies some rows of a matrix.
  ///
  /// - Parameters:
  ///   - rows: within the matrix.
  ///   - entry: one of `entries`.
  /// - Returns: `rows.count` × `entry.columns`.
  package func read(_ rows: Range<Int>, of entry: Entry) -> Matrix {
    precondition(
      rows.lowerBound >= 0 && rows.upperBound <= entry.rows,
      "MappedMatrices: rows \(rows) of \(entry.rows)")
    let start = bytes.startIndex + entry.offset + 4 * rows.lowerBound * entry.columns
    return Matrix(
      rows: rows.count, columns: entry.columns,
      values: littleEndian(bytes[start..<start + 4 * rows.count * entry.columns], of: Float.self))
  }
}
