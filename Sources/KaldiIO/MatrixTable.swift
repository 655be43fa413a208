package import LinearAlgebra
package import Storage
package import SystemPackage

/// The matrices of an archive or a list by their keys, in any form; each is read on demand.
///
/// Memory grows with the number of matrices, not with their size. The exception is an archive that
/// is compressed with gzip or read from a pipe: its matrices are kept in memory.
package struct MatrixTable: Sendable {
  private enum Place: Sendable {
    case listed(Int)
    case archived(path: FilePath, offset: Int)
    case held(Matrix)
  }

  /// The table's name in faults.
  package let origin: Origin
  /// The keys in the order of the table.
  package let keys: [String]
  private let places: [String: Place]
  private let script: ArchiveScript?
  private let commands: CommandPolicy

  /// Reads the keys of a table, and the whole of an archive; the values of a list are not read.
  ///
  /// - Parameters:
  ///   - table: a path or a specifier, as for `ArchiveInput`.
  ///   - commands: whether the table, or an entry of a list, may be a command.
  /// - Throws: `FileFault` when the table is missing, cut short or corrupt, repeats a key, or is an
  ///   archive of values other than matrices.
  package init(_ table: String, commands: CommandPolicy) throws(FileFault) {
    self.commands = commands
    let input = try ArchiveInput(reading: table)
    if case .script(let path) = input {
      let list = try ArchiveScript(path: path)
      (origin, script) = (.file(path), list)
      keys = list.entries.map(\.key)
      places = Dictionary(
        uniqueKeysWithValues: list.entries.enumerated().map { ($1.key, .listed($0)) })
      return
    }
    var keys: [String] = []
    var places: [String: Place] = [:]
    origin = try input.withStream(commands: commands) { stream throws(FileFault) in
      let file = stream.size != nil && input.path != "-" ? input.path : nil
      try Archive.forEachPlaced(of: stream, as: .matrix) { key, value, offset throws(FileFault) in
        guard case .matrix(let matrix)? = value.converted(to: .matrix) else {
          throw .malformed(
            path: stream.origin, expected: "a matrix for \(key)", found: value.kind.rawValue)
        }
        keys.append(key)
        places[key] = file.map { .archived(path: $0, offset: offset) } ?? .held(matrix)
      }
      return stream.origin
    }
    (self.keys, self.places, script) = (keys, places, nil)
  }

  /// The files of a list's values, each once; empty for an archive.
  package var files: [FilePath] { script?.files ?? [] }

  /// The number of columns of the first readable matrix that has rows.
  ///
  /// - Throws: `FileFault` when there is none.
  package func columns() throws(FileFault) -> Int {
    var fault = FileFault.malformed(path: origin, expected: "a matrix", found: "none")
    for key in keys {
      do throws(FileFault) {
        if let matrix = try matrix(key), matrix.rows > 0 { return matrix.columns }
      } catch {
        fault = error
        if error.isOfMachine { break }
      }
    }
    throw fault
  }

  /// Reads the matrix of a key; nil when the table lacks the key.
  ///
  /// - Throws: `FileFault` when the value cannot be read or is not a matrix.
  package func matrix(_ key: String) throws(FileFault) -> Matrix? {
    let value: KaldiValue
    switch places[key] {
    case nil: return nil
    case .held(let matrix): return matrix
    case .archived(let path, let offset):
      value = try Archive.readValue(path, at: offset, as: .matrix, key: key)
    case .listed(let index):
      guard let script else { return nil }
      value = try script.value(of: script.entries[index], as: .matrix, commands: commands)
    }
    guard case .matrix(let matrix)? = value.converted(to: .matrix) else {
      throw .malformed(path: origin, expected: "a matrix for \(key)", found: value.kind.rawValue)
    }
    return matrix
  }
}
