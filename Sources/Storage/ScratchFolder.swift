import Foundation

/// A folder for files that are of no use to anyone else; it goes with the value.
package struct ScratchFolder: ~Copyable {
  package let path: String

  /// Makes a folder where the system wants such: in `TMPDIR`, or in `/tmp`.
  ///
  /// - Throws: `FileFault` of the machine, which names `TMPDIR`.
  package init() throws(FileFault) {
    var template = Array((ScratchFolder.place + "/limbeck-XXXXXX").utf8CString)
    guard unsafe mkdtemp(&template) != nil else { throw ScratchFolder.fault(errno) }
    path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  deinit { try? FileSystem.removeFolder(path) }

  /// The folder that `TMPDIR` names; nil where it names none.
  private static var named: String? {
    ProcessInfo.processInfo.environment["TMPDIR"].flatMap { $0.isEmpty ? nil : $0 }
  }

  /// Where temporary files are made.
  static var place: String { named ?? "/tmp" }

  /// The fault of a call that was to make a temporary file.
  static func fault(_ code: Int32) -> FileFault {
    .unwritable(
      path: place,
      reason: FileFault.words(for: code) + (named == nil ? "" : " (the folder that TMPDIR names)"))
  }
}
