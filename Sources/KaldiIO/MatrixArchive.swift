import Foundation
package import LinearAlgebra
package import Storage

/// Kaldi archives of single-precision matrices, binary: `KEY \0BFM \4ROWS\4COLUMNS values`, numbers
/// little-endian (`matrix/kaldi-matrix.cc`, `util/kaldi-table-inl.h`).
package enum MatrixArchive {
  /// Writes an archive and its `scp`; both appear when they are whole.
  package struct Writer: ~Copyable {
    private var archive: AtomicFile
    private var script: AtomicFile

    /// Opens both files.
    ///
    /// - Parameters:
    ///   - archive: the path of the `ark`.
    ///   - script: the path of the `scp`, which names the archive by `archive`'s absolute path.
    /// - Throws: `FileFault` when one of them cannot be written.
    package init(archive: String, script: String) throws(FileFault) {
      let archiveFile = try AtomicFile(path: archive)
      let scriptFile = try AtomicFile(path: script)
      self.archive = archiveFile
      self.script = scriptFile
    }

    /// Appends a matrix, whose key has no blanks.
    package mutating func write(_ key: String, _ matrix: Matrix) throws(FileFault) {
      precondition(
        !key.contains(where: { " \t\n".contains($0) }), "MatrixArchive: a blank in the key \(key)")
      try archive.write(key + " ")
      try script.write("\(key) \(absolutePath(archive.path)):\(archive.byteCount)\n")
      var bytes = Data("\0BFM ".utf8)
      bytes.reserveCapacity(15 + 4 * matrix.values.count)
      appendInteger(Int32(matrix.rows), to: &bytes)
      appendInteger(Int32(matrix.columns), to: &bytes)
      unsafe matrix.values.withUnsafeBytes { unsafe bytes.append(contentsOf: $0) }
      try archive.write(bytes)
    }

    /// Gives both files their names, the archive first.
    package consuming func commit() throws(FileFault) {
      try archive.commit()
      try script.commit()
    }
  }

  /// Reads all matrices of an archive, in its order; a key that stands twice is a fault.
  package static func read(_ path: String) throws(FileFault) -> [(key: String, matrix: Matrix)] {
    var reader = ByteReader(path: path, bytes: try TextFile.bytes(of: path))
    var entries: [(key: String, matrix: Matrix)] = []
    while !reader.isAtEnd {
      let key = try reader.take(until: UInt8(ascii: " "), "a key and a blank")
      entries.append((String(decoding: key, as: UTF8.self), try takeMatrix(&reader)))
    }
    try requireUnique(entries.map(\.key), in: path)
    return entries
  }

  private static func takeMatrix(_ reader: inout ByteReader) throws(FileFault) -> Matrix {
    let start = reader.offset
    let header = try reader.take(5, "the header of a binary float matrix")
    guard header.elementsEqual("\0BFM ".utf8) else {
      throw .malformedBytes(
        path: reader.path, offset: start, expected: "a binary float matrix (FM)",
        found: "\"\(String(decoding: header.filter { $0 > 31 && $0 < 127 }, as: UTF8.self))\"")
    }
    let rows = try reader.takeInteger("the number of rows")
    let columns = try reader.takeInteger("the number of columns")
    guard rows >= 0, columns >= 0, rows * columns <= reader.bytes.count / 4 else {
      throw .malformedBytes(
        path: reader.path, offset: start, expected: "a shape that fits the file",
        found: "\(rows)×\(columns)")
    }
    let values = try reader.take(4 * rows * columns, "\(rows)×\(columns) values")
    return Matrix(rows: rows, columns: columns, values: littleEndianFloats(values))
  }
}

/// `path` from the root of the file system, so that an `scp` works from any folder.
func absolutePath(_ path: String) -> String {
  URL(fileURLWithPath: path).standardizedFileURL.path
}

/// Appends Kaldi's binary form of a 32-bit integer.
func appendInteger(_ value: Int32, to bytes: inout Data) {
  bytes.append(4)
  unsafe withUnsafeBytes(of: value.littleEndian) { unsafe bytes.append(contentsOf: $0) }
}
