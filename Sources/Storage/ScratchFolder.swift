import Foundation
package import SystemPackage

/// A folder for files that are of no use to anyone else; it goes with the value.
package struct ScratchFolder: ~Copyable {
  package let path: FilePath

  /// Makes a folder where the system wants such: in `TMPDIR`, or in `/tmp`.
  ///
  /// - Throws: `FileFault` of the machine, which names `TMPDIR`.
  package init() throws(FileFault) {
    var template = ScratchFolder.template
    guard unsafe mkdtemp(&template) != nil else { throw ScratchFolder.fault(errno) }
    path = FilePath(platformString: template)
  }

  deinit { try? FileSystem.removeFolder(path) }

  /// The folder that `TMPDIR` names; nil where it names none.
  private static var named: FilePath? {
    guard let text = unsafe getenv("TMPDIR") else { return nil }
    let path = unsafe FilePath(platformString: text)
    return path.isEmpty ? nil : path
  }

  /// Where temporary files are made.
  static var place: FilePath { named ?? "/tmp" }

  /// The path of a temporary file as `mkdtemp` and `mkstemp` take it, who change its end.
  static var template: [CChar] { place.appending("limbeck-XXXXXX").cString }

  /// The fault of a call that was to make a temporary file.
  static func fault(_ code: Int32) -> FileFault {
    .unwritable(
      path: place,
      reason: FileFault.words(for: code) + (named == nil ? "" : " (the folder that TMPDIR names)"))
  }
}
