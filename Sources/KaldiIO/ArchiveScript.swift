import Foundation
import LinearAlgebra
package import Storage
package import SystemPackage

/// Reads Kaldi's `scp` files, lists of keys and the locations of their values.
///
/// A location is `PATH`, `PATH:OFFSET` or a command, `COMMAND |`. It may end with a range of rows
/// and columns, `PATH:OFFSET[0:99]` or `[0:99,3:5]`, which includes its ends (`util/kaldi-io.h`,
/// `util/kaldi-table.h`).
package struct ArchiveScript: Sendable {
  /// What a value is read from.
  fileprivate enum Source: Equatable {
    case file(FilePath, offset: Int)
    case command(String)
  }

  /// Where a value is.
  package struct Location: Sendable, Equatable {
    fileprivate let line: Int
    fileprivate let source: Source
    fileprivate let rows: ClosedRange<Int>?
    fileprivate let columns: ClosedRange<Int>?
  }

  /// The path of the `scp`.
  package let path: FilePath
  /// The entries in the order of the file; keys are unique.
  package let entries: [(key: String, location: Location)]

  /// The files that hold the values, each once, in byte order.
  package var files: [FilePath] {
    let files = entries.compactMap { entry -> FilePath? in
      guard case .file(let path, _) = entry.location.source else { return nil }
      return path
    }
    return Set(files).sorted(by: inByteOrder)
  }

  /// Reads the list, but not the values.
  ///
  /// - Throws: `FileFault` when the list is unreadable, has a malformed line or repeats a key.
  package init(path: FilePath) throws(FileFault) {
    self.path = path
    entries = try TextFile.lines(of: path).map { number, line throws(FileFault) in
      let (key, rest) = line.keyAndRest
      guard !rest.isEmpty else {
        throw FileFault.malformedLine(
          path: path, line: number, expected: "a key and a location", found: "\"\(line)\"")
      }
      return (String(key), try ArchiveScript.location(rest, path: path, line: number))
    }
    try requireUnique(entries.map(\.key), in: .file(path))
  }

  private static func location(
    _ text: Substring, path: FilePath, line: Int
  ) throws(FileFault) -> Location {
    var source = text
    var ranges: [ClosedRange<Int>?] = []
    if text.last == "]", let bracket = text.lastIndex(of: "[") {
      source = text[..<bracket]
      let parts = text[text.index(after: bracket)...].dropLast().split(
        separator: ",", omittingEmptySubsequences: false)
      ranges = try parts.map { part throws(FileFault) in
        if part == ":" { return nil }
        let ends = part.split(separator: ":").compactMap { Int($0) }
        guard ends.count == 2, ends[0] >= 0, ends[0] <= ends[1], parts.count <= 2 else {
          throw FileFault.malformedLine(
            path: path, line: line, expected: "a range as [first:last] or [first:last,first:last]",
            found: "\"\(text)\"")
        }
        return ends[0]...ends[1]
      }
    }
    guard !source.utf8.contains(0) else {
      throw .malformedLine(
        path: path, line: line, expected: "a usable path", found: "one with a NUL in it")
    }
    return Location(
      line: line, source: ArchiveScript.source(source), rows: ranges.first ?? nil,
      columns: ranges.count > 1 ? ranges[1] : nil)
  }

  private static func source(_ text: Substring) -> Source {
    if ShellCommand.parse(text) != nil { return .command(String(text)) }
    guard let colon = text.lastIndex(of: ":"), let offset = Int(text[text.index(after: colon)...]),
      offset >= 0
    else { return .file(FilePath(String(text)), offset: 0) }
    return .file(FilePath(String(text[..<colon])), offset: offset)
  }

  /// Reads the value of an entry.
  ///
  /// - Parameters:
  ///   - entry: one of `entries`.
  ///   - kind: the kind of a value whose form does not say it; nil guesses.
  ///   - commands: whether commands may be run.
  /// - Returns: the value, or the range of it that the entry names.
  /// - Throws: `FileFault` when the location does not hold such a value.
  package func value(
    of entry: (key: String, location: Location), as kind: KaldiValue.Kind? = nil,
    commands: CommandPolicy = .refused
  ) throws(FileFault) -> KaldiValue {
    let (key, location) = entry
    let value: KaldiValue
    switch location.source {
    case .file(let path, let offset):
      value = try Archive.readValue(path, at: offset, as: kind, key: key)
    case .command(let text):
      guard commands == .allowed, let command = ShellCommand.parse(text) else {
        throw .malformedLine(
          path: path, line: location.line, expected: "a path, or --allow-commands",
          found: "a command: \(text)")
      }
      value = try ByteStream.withOutput(of: command) { stream throws(FileFault) in
        try Archive.readValue(of: stream, as: kind, key: key)
      }
    }
    guard location.rows != nil || location.columns != nil else { return value }
    return try part(of: value, location)
  }

  private func part(of value: KaldiValue, _ location: Location) throws(FileFault) -> KaldiValue {
    guard case .matrix(let matrix)? = value.converted(to: .matrix) else {
      throw .malformedLine(
        path: path, line: location.line, expected: "a matrix to take a range of",
        found: "\(value.kind.rawValue)")
    }
    let rows = location.rows ?? 0...max(0, matrix.rows - 1)
    let columns = location.columns ?? 0...max(0, matrix.columns - 1)
    guard rows.upperBound < matrix.rows, columns.upperBound < matrix.columns else {
      throw .malformedLine(
        path: path, line: location.line,
        expected: "a range within \(matrix.rows)×\(matrix.columns)",
        found: "[\(rows.lowerBound):\(rows.upperBound),\(columns.lowerBound):\(columns.upperBound)]"
      )
    }
    let values = rows.flatMap { row in columns.map { matrix[row, $0] } }
    return .matrix(Matrix(rows: rows.count, columns: columns.count, values: values))
  }
}

extension ArchiveScript {
  /// Makes an `scp` of a single archive name that archive's current path.
  ///
  /// The file is written only if its content changes.
  ///
  /// - Parameters:
  ///   - path: the `scp`, with lines `KEY ARCHIVE:OFFSET`.
  ///   - archive: the archive.
  /// - Throws: `FileFault` when the `scp` cannot be read or written.
  package static func place(_ path: FilePath, of archive: FilePath) throws(FileFault) {
    let place = archive.absolute
    var lines = ""
    for (number, line) in try TextFile.lines(of: path) {
      let (key, rest) = line.keyAndRest
      guard let colon = rest.lastIndex(of: ":") else {
        throw .malformedLine(
          path: path, line: number, expected: "a key, an archive and an offset",
          found: "\"\(line)\"")
      }
      lines += "\(key) \(place)\(rest[colon...])\n"
    }
    try AtomicFile.write(lines, to: path)
  }
}
