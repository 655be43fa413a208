package import SystemPackage

/// The rule by which the program replaces files: only those in a folder that bears a mark of its own.
///
/// What someone else has put there is never cleared or replaced.
package enum OwnFiles {
  /// Throws when a folder holds what would be replaced and no mark of the program.
  ///
  /// - Parameters:
  ///   - replaced: names in the folder that would be made anew.
  ///   - folder: need not exist.
  ///   - marks: names in the folder of which the program leaves one before it makes anything else.
  ///   - remedy: what the user can do about it.
  /// - Throws: `FileFault.malformed` with the first such name.
  package static func require(
    _ replaced: [FilePath.Component], in folder: FilePath, marks: [FilePath.Component],
    remedy: String
  ) throws(FileFault) {
    for mark in marks where try FileSystem.exists(folder.appending(mark)) { return }
    for name in replaced where try FileSystem.exists(folder.appending(name)) {
      throw .malformed(
        path: folder, expected: "nothing, or files that limbeck made, since they are replaced",
        found: "\(name) without the \(marks[0]) that limbeck leaves; \(remedy)")
    }
  }
}
