import Foundation
package import SystemPackage

/// A folder for temporary files, removed with the value.
package struct ScratchFolder: ~Copyable {
  /// In `TMPDIR` or `/tmp`.
  package let path: FilePath

  /// Creates a temporary folder in `TMPDIR`, or in `/tmp`.
  ///
  /// - Throws: a machine `FileFault` that names `TMPDIR`.
  package init() throws(FileFault) {
    var template = ScratchFolder.template
    guard unsafe mkdtemp(&template) != nil else { throw ScratchFolder.fault(errno) }
    path = FilePath(platformString: template)
  }

  deinit { try? FileSystem.removeFolder(path) }

  /// The folder that `TMPDIR` names; nil when it is unset or empty.
  private static var named: FilePath? {
    guard let text = unsafe getenv("TMPDIR") else { return nil }
    let path = unsafe FilePath(platformString: text)
    return path.isEmpty ? nil : path
  }

  /// The folder for temporary files.
  static var place: FilePath { named ?? "/tmp" }

  /// A path template for `mkdtemp` and `mkstemp`, which overwrite its end.
  static var template: [CChar] { place.appending("limbeck-XXXXXX").cString }

  /// The fault for a failed call that creates a temporary file.
  static func fault(_ code: Int32) -> FileFault {
    .unwritable(
      path: place,
      reason: FileFault.words(for: code) + (named == nil ? "" : " (the folder that TMPDIR names)"))
  }
}
