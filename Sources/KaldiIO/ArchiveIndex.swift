import Foundation
package import LinearAlgebra
package import Storage
package import SystemPackage

/// A binary archive of matrices whose rows are read on demand.
///
/// The matrices are in single precision (`FM`) or in two bytes per value (`CM2`). Memory grows with
/// the number of matrices, not with their size.
package struct MatrixArchive: Sendable {
  /// A matrix of the archive.
  package struct Entry: Sendable, Equatable {
    /// The key, usually an utterance id.
    package let key: String
    /// The number of rows.
    package let rows: Int
    /// The number of values in a row.
    package let columns: Int
    /// The offset of its values in the file, or its index in `held`.
    fileprivate let offset: Int
    /// The scale of two-byte codes; nil for floats.
    fileprivate var scale: Scale?

    fileprivate var bytesAValue: Int { scale == nil ? 4 : 2 }
  }

  /// What to do with archives whose rows cannot be read on demand.
  ///
  /// These are archives in text form, or of double-precision or otherwise compressed matrices.
  package enum OtherForms {
    /// Throws a fault.
    case refused
    /// Reads all of it into memory.
    case held
  }

  /// The path of the archive.
  package var path: FilePath { file.path }
  /// The entries in the order of the archive; keys are unique.
  package let entries: [Entry]
  private let file: RandomAccessFile
  /// The matrices of an archive in another form.
  private let held: [Matrix]

  /// Opens an archive and reads the shapes of its matrices.
  ///
  /// - Throws: `FileFault` when the archive is cut short or corrupt, repeats a key, or holds values
  ///   of another kind or a form that `otherForms` refuses.
  package init(path: FilePath, otherForms: OtherForms = .refused) throws(FileFault) {
    file = try RandomAccessFile(path)
    do {
      entries = try MatrixArchive.entries(of: file)
      held = []
    } catch {
      guard otherForms == .held, !error.isOfMachine else { throw error }
      let matrices = try Archive.readMatrices(path)
      entries = matrices.enumerated().map { index, entry in
        Entry(
          key: entry.key, rows: entry.matrix.rows, columns: entry.matrix.columns, offset: index)
      }
      held = matrices.map(\.matrix)
    }
    try requireUnique(entries.map(\.key), in: .file(path))
  }

  /// Reads the headers of all matrices.
  private static func entries(of file: RandomAccessFile) throws(FileFault) -> [Entry] {
    var entries: [Entry] = []
    var place = 0
    while let (key, start) = try file.takeKey(&place) {
      let entry = try entry(key, at: start, of: file)
      entries.append(entry)
      place = entry.offset + entry.bytesAValue * entry.rows * entry.columns
    }
    return entries
  }

  /// Reads the header of a matrix.
  private static func entry(
    _ key: String, at start: Int, of file: RandomAccessFile
  ) throws(FileFault) -> Entry {
    let header = try file.header(at: start, count: 15, of: key)
    var entry: Entry
    if header.starts(with: "\0BFM ".utf8), header[5] == 4, header[10] == 4 {
      entry = Entry(
        key: key, rows: integer(header, 6), columns: integer(header, 11), offset: start + 15)
    } else if header.starts(with: "\0BCM2 ".utf8) {
      let header = try file.header(at: start, count: 22, of: key)
      let bounds = [6, 10].map {
        Float(bitPattern: UInt32(truncatingIfNeeded: integer(header, $0)))
      }
      guard bounds.allSatisfy(\.isFinite) else {
        throw .malformedBytes(
          path: file.path, offset: start, expected: "a finite range of codes for \(key)",
          found: "another")
      }
      entry = Entry(
        key: key, rows: integer(header, 14), columns: integer(header, 18), offset: start + 22)
      entry.scale = Scale(least: bounds[0], range: bounds[1])
    } else {
      throw .malformedBytes(
        path: file.path, offset: start,
        expected: "a binary float matrix (FM, CM2) for \(key)", found: "another value")
    }
    let room = file.size - entry.offset
    guard isShape(entry.rows, entry.columns),
      entry.rows * entry.columns <= room / entry.bytesAValue
    else {
      throw .malformedBytes(
        path: file.path, offset: start,
        expected: "\(entry.rows)×\(entry.columns) values for \(key)",
        found: "\(room) bytes to the end of the file")
    }
    return entry
  }

  /// Reads some rows of a matrix.
  ///
  /// - Parameters:
  ///   - rows: the rows to read, within the matrix.
  ///   - entry: one of `entries`.
  ///   - tile: whole rows of a matrix, [`rows.count` × `entry.columns`], overwritten.
  /// - Throws: `FileFault` when they cannot be read.
  package func read(_ rows: Range<Int>, of entry: Entry, into tile: Tile) throws(FileFault) {
    precondition(
      rows.lowerBound >= 0 && rows.upperBound <= entry.rows && tile.rows == rows.count
        && tile.columns == entry.columns,
      "MatrixArchive: rows \(rows) of \(entry.rows) into \(tile.rows)×\(tile.columns)")
    guard held.isEmpty else {
      let own = held[entry.offset]
      for (index, row) in rows.enumerated() {
        tile.withRow(index) { RowKernels.copy(own.row(row), into: &$0) }
      }
      return
    }
    if let scale = entry.scale {
      var codes = [UInt16](repeating: 0, count: rows.count * entry.columns)
      do {
        try unsafe codes.withUnsafeMutableBytes {
          try unsafe file.read(at: entry.offset + 2 * rows.lowerBound * entry.columns, into: $0)
        }
      } catch {
        throw error as? FileFault ?? .unreadable(path: path, reason: "\(error)")
      }
      for row in 0..<rows.count {
        tile.withRow(row) {
          for column in $0.indices {
            $0[column] = scale.value(
              of: UInt16(littleEndian: codes[row * entry.columns + column]))
          }
        }
      }
      return
    }
    try unsafe file.read(
      at: entry.offset + 4 * rows.lowerBound * entry.columns, into: tile.contiguousBytes)
  }

  /// Reads some rows of a matrix, [`rows.count` × `entry.columns`].
  package func read(_ rows: Range<Int>, of entry: Entry) throws(FileFault) -> Matrix {
    let values = SharedMatrix(rows: rows.count, columns: entry.columns)
    try read(rows, of: entry, into: values.tile)
    return values.matrix
  }
}

/// An archive of integer vectors, parts of which are read on demand.
///
/// An archive in text form is kept in memory.
package struct IntegerArchive: Sendable {
  /// A vector of the archive.
  package struct Entry: Sendable, Equatable {
    /// The key, usually an utterance id.
    package let key: String
    /// The number of integers.
    package let count: Int
    /// The offset of its integers in the file, or their index in `held`.
    fileprivate let offset: Int
  }

  /// The path of the archive.
  package let path: FilePath
  /// The entries in the order of the archive; keys are unique.
  package let entries: [Entry]
  /// Nil for an archive in text form.
  private let file: RandomAccessFile?
  private let held: [Int32]

  /// Opens an archive and reads the lengths of its vectors.
  ///
  /// - Throws: `FileFault` when the archive is cut short or corrupt, repeats a key, or holds values
  ///   of another kind.
  package init(path: FilePath) throws(FileFault) {
    self.path = path
    let file = try RandomAccessFile(path)
    var entries: [Entry] = []
    var held: [Int32] = []
    var place = 0
    var isText = false
    while let (key, start) = try file.takeKey(&place) {
      if entries.isEmpty, try file.bytes(at: start, count: 2) != [0, UInt8(ascii: "B")] {
        isText = true
        break
      }
      let header = try file.header(at: start, count: 7, of: key)
      guard header.prefix(3).elementsEqual("\0B\u{4}".utf8) else {
        throw .malformedBytes(
          path: path, offset: start, expected: "a binary vector of integers for \(key)",
          found: "another value")
      }
      let count = integer(header, 3)
      guard count >= 0, count <= (file.size - start - 7) / 5 else {
        throw .malformedBytes(
          path: path, offset: start, expected: "\(count) integers for \(key)",
          found: "\(file.size - start - 7) bytes to the end of the file")
      }
      entries.append(Entry(key: key, count: count, offset: start + 7))
      place = start + 7 + 5 * count
    }
    if isText {
      for (key, values) in try Archive.readIntegers(path) {
        entries.append(Entry(key: key, count: values.count, offset: held.count))
        held += values
      }
    }
    self.file = isText ? nil : file
    (self.entries, self.held) = (entries, held)
    try requireUnique(entries.map(\.key), in: .file(path))
  }

  /// Reads some of the integers of a vector; `range` is within the vector.
  package func read(_ range: Range<Int>, of entry: Entry) throws(FileFault) -> [Int32] {
    precondition(
      range.lowerBound >= 0 && range.upperBound <= entry.count,
      "IntegerArchive: \(range) of \(entry.count)")
    guard let file else {
      return Array(held[entry.offset + range.lowerBound..<entry.offset + range.upperBound])
    }
    let bytes = try file.bytes(at: entry.offset + 5 * range.lowerBound, count: 5 * range.count)
    guard bytes.count == 5 * range.count,
      stride(from: 0, to: bytes.count, by: 5).allSatisfy({ bytes[$0] == 4 })
    else {
      throw .malformedBytes(
        path: path, offset: entry.offset + 5 * range.lowerBound,
        expected: "integers of 4 bytes for \(entry.key)", found: "other bytes")
    }
    return stride(from: 1, to: bytes.count, by: 5).map {
      Int32(truncatingIfNeeded: integer(bytes, $0))
    }
  }
}

extension RandomAccessFile {
  /// The key at an offset, and the offset of its value; nil at the end of the file.
  fileprivate func takeKey(_ place: inout Int) throws(FileFault) -> (key: String, value: Int)? {
    guard place < size else { return nil }
    var length = 128
    while true {
      let bytes = try bytes(at: place, count: length)
      if let end = bytes.firstIndex(where: { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") })
      {
        guard end > 0, let key = String(validating: bytes[..<end], as: UTF8.self) else {
          throw .malformedBytes(
            path: path, offset: place, expected: "a key in UTF-8 and a blank",
            found: end == 0 ? "a blank" : "other bytes")
        }
        return (key, place + end + 1)
      }
      guard bytes.count == length else {
        throw .malformedBytes(
          path: path, offset: place, expected: "a key and a blank", found: "the end of the file")
      }
      length *= 4
    }
  }

  fileprivate func header(at offset: Int, count: Int, of key: String) throws(FileFault) -> [UInt8] {
    let header = try bytes(at: offset, count: count)
    guard header.count == count else {
      throw .malformedBytes(
        path: path, offset: offset, expected: "a value for \(key)", found: "the end of the file")
    }
    return header
  }
}

/// The little-endian 32-bit integer at an index.
private func integer(_ bytes: [UInt8], _ place: Int) -> Int {
  let bits = (0..<4).reduce(UInt32(0)) { $0 | UInt32(bytes[place + $1]) << (8 * UInt32($1)) }
  return Int(Int32(bitPattern: bits))
}
