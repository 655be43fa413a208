package import LinearAlgebra
package import Storage
package import SystemPackage

/// The matrices of an archive or a list by their keys, whatever form they are stored in; each is read when it is
/// asked for.
///
/// Memory grows with the number of matrices and not with their size, but for an archive that is packed with gzip or
/// comes from a pipe, which is held.
package struct MatrixTable: Sendable {
  private enum Place: Sendable {
    case listed(Int)
    case archived(path: FilePath, offset: Int)
    case held(Matrix)
  }

  /// What faults call it.
  package let origin: Origin
  /// In the order of the table.
  package let keys: [String]
  private let places: [String: Place]
  private let script: ArchiveScript?
  private let commands: CommandPolicy

  /// - Parameters:
  ///   - table: a path or a specifier, as of `ArchiveInput`.
  ///   - commands: whether it, or an entry of a list, may be a command.
  /// - Throws: `FileFault` for what is no table, is cut short or corrupt, or has a key twice; or for an archive that
  ///   holds anything but matrices. The values of a list are not read.
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

  /// The files that values are read from, each once.
  package var files: [FilePath] { script?.files ?? [] }

  /// The number of columns of the first matrix that can be read.
  ///
  /// - Throws: `FileFault` when none can.
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

  /// The matrix of a key; nil where the table does not have it.
  ///
  /// - Throws: `FileFault` for a place that holds no matrix.
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
