package import SystemPackage

/// The rule by which the program replaces files: only in a folder that bears one of its own marks.
///
/// Files that someone else put there are never removed or replaced.
package enum OwnFiles {
  /// Throws when a folder holds files that would be replaced but no mark of the program.
  ///
  /// - Parameters:
  ///   - replaced: the names in the folder that would be replaced.
  ///   - folder: the folder, which need not exist.
  ///   - marks: the names that mark a folder as the program's; it writes one before anything else.
  ///   - remedy: what the user can do about it.
  /// - Throws: `FileFault.malformed` with the first such name.
  package static func require(
    _ replaced: [FilePath.Component], in folder: FilePath, marks: [FilePath.Component],
    remedy: String
  ) throws(FileFault) {
    for mark in marks where try FileSystem.exists(folder.appending(mark)) { return }
    for name in replaced where try FileSystem.exists(folder.appending(name)) {
      throw .malformed(
        path: folder, expected: "nothing, or files that limbeck made, since they would be replaced",
        found: "\(name) without the \(marks[0]) that limbeck leaves; \(remedy)")
    }
  }
}
