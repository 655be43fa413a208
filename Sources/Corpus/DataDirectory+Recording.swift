package import Storage
package import SystemPackage

extension DataDirectory {
  /// One audio file as a data directory of one utterance, named after the file without its extension.
  ///
  /// It has no speakers; its path is that of the file.
  ///
  /// - Throws: `FileFault` when there is no such file, or no key of a table can be its name.
  package init(recording path: FilePath) throws(FileFault) {
    guard try FileSystem.exists(path) else { throw .missing(path: path) }
    let name = path.lastComponent?.stem ?? ""
    guard !name.isEmpty, !name.utf8.contains(where: { $0 <= 0x20 }) else {
      throw .malformed(
        path: path, expected: "a file name that can be an utterance id, without blanks",
        found: "\"\(name)\"")
    }
    (self.path, faults, segments) = (path, Ledger(), nil)
    utterances = [Utterance(id: name, recording: .file(path: path))]
    recordings = [name: .file(path: path)]
    script = DataTable(path, keys: [name])
  }
}
