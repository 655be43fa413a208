package import Foundation
package import LinearAlgebra
package import Storage
package import SystemPackage

/// The form of the values in an archive.
package enum ArchiveForm: Sendable, Equatable {
  /// Kaldi's binary form.
  case binary
  /// The binary form, with single-precision matrices compressed.
  case compressed(MatrixCompression)
  /// Kaldi's text form.
  case text
}

/// Writes an archive and optionally its `scp`; both are renamed into place when complete.
package struct ArchiveWriter: ~Copyable {
  private var archive: AtomicFile
  private var script: AtomicFile?
  private let form: ArchiveForm

  /// Opens the files.
  ///
  /// - Parameters:
  ///   - path: the path of the `ark`.
  ///   - script: the path of the `scp`, which names the archive by its absolute path; nil for none.
  ///   - form: binary, compressed or text.
  /// - Throws: `FileFault` when a file cannot be written.
  package init(
    _ path: FilePath, script: FilePath? = nil, form: ArchiveForm = .binary
  ) throws(FileFault) {
    let archiveFile = try AtomicFile(path: path)
    var scriptFile: AtomicFile?
    if let script { scriptFile = try AtomicFile(path: script) }
    archive = archiveFile
    self.script = scriptFile
    self.form = form
  }

  /// Appends a value; its key must not contain blanks.
  ///
  /// - Throws: `FileFault` when the value cannot be written, or is a matrix that cannot be
  ///   compressed.
  package mutating func write(_ key: String, _ value: KaldiValue) throws(FileFault) {
    try ArchiveWriter.requireStorable(value, key, form: form, path: .file(archive.path))
    let entry = ArchiveEntry(key, value, form: form)
    try script?.write(
      "\(key) \(archive.path.absolute):\(archive.byteCount + entry.valueOffset)\n")
    try archive.write(entry.bytes)
  }

  /// Throws when a value cannot be stored.
  ///
  /// This is a matrix that cannot be compressed, or a value with more rows, columns or elements
  /// than Kaldi's 32 bits can count.
  package static func requireStorable(
    _ value: KaldiValue, _ key: String, form: ArchiveForm, path: Origin
  ) throws(FileFault) {
    guard value.largestCount <= Int32.max else {
      throw .malformed(
        path: path, expected: "at most \(Int32.max) rows, columns or values for \(key)",
        found: "\(value.largestCount)")
    }
    if case .compressed = form, case .matrix(let matrix)? = value.converted(to: .matrix),
      !CompressedMatrix.canStore(matrix)
    {
      throw .malformed(
        path: path, expected: "finite values of a finite range to compress for \(key)",
        found: "others")
    }
  }

  /// Renames the files into place, the archive first.
  package consuming func commit() throws(FileFault) {
    let script = self.script.take()
    try archive.commit()
    try script?.commit()
  }
}

/// The bytes of an entry of an archive.
package struct ArchiveEntry: Sendable {
  /// The key, a blank and the value.
  package let bytes: Data
  /// The offset of the value, after the key; an `scp` points to it.
  package let valueOffset: Int

  /// - Parameters:
  ///   - key: the key, without blanks.
  ///   - value: the value; a matrix to be compressed must satisfy `CompressedMatrix.canStore`.
  ///   - form: binary, compressed or text.
  package init(_ key: String, _ value: KaldiValue, form: ArchiveForm) {
    precondition(
      !key.isEmpty && !key.utf8.contains { isBlank($0) || $0 == UInt8(ascii: "\n") },
      "ArchiveEntry: a blank in the key \"\(key)\"")
    var bytes = Data("\(key) ".utf8)
    valueOffset = bytes.count
    switch form {
    case .binary: value.appendBinary(to: &bytes)
    case .compressed(let compression): value.appendBinary(to: &bytes, compression: compression)
    case .text: bytes.append(Data(value.text.utf8))
    }
    self.bytes = bytes
  }
}

extension ArchiveEntry {
  /// The bytes of a matrix's entry in two parts, so that rows can be appended to the second.
  ///
  /// - Returns: the key and the header with the number of rows, and the values.
  package static func splitMatrix(_ key: String, _ matrix: Matrix) -> (header: Data, values: Data) {
    let entry = ArchiveEntry(key, .matrix(matrix), form: .binary).bytes
    let length = key.utf8.count + 1 + KaldiValue.matrixHeader.length
    return (entry.prefix(length), entry.dropFirst(length))
  }

  /// The offset of the number of rows in the entry of a binary matrix.
  package static func rowCountOffset(_ key: String) -> Int {
    key.utf8.count + 1 + KaldiValue.matrixHeader.rows
  }

  /// The bytes of a number of rows.
  package static func rowCount(_ rows: Int) -> Data {
    var bytes = Data()
    bytes.append(value: Int32(rows))
    return bytes
  }
}
