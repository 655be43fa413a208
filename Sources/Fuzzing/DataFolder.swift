import Foundation
import Storage
package import SystemPackage

/// A folder that receives the files of one input after another.
package struct DataFolder: Sendable {
  /// The names of the files in an input that consists of several.
  static let names = [
    "wav.scp", "segments", "utt2spk", "spk2utt", "text", "utt2dur", "utt2num_frames", "spk2gender",
  ]

  /// The folder's path.
  package let path: FilePath

  /// Uses a folder for inputs.
  ///
  /// - Parameter path: the folder, which no other process may use.
  package init(path: FilePath) { self.path = path }

  /// Writes a file, replacing any existing one.
  @discardableResult
  func write(_ bytes: Data, to name: String) throws(FileFault) -> FilePath {
    let path = path.appending(name)
    let file = try OpenFile(path, for: .writing)
    try file.truncate(to: 0)
    try file.write(bytes, at: 0)
    return path
  }

  /// Writes the files of an input: each follows a line `=== NAME`, and anything before the first is
  /// the `wav.scp`.
  func split(_ bytes: Data) throws(FileFault) {
    var files = ["wav.scp": Data()]
    var name = "wav.scp"
    for line in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
      let text = line.count < 24 ? String(decoding: line, as: UTF8.self) : ""
      if text.hasPrefix("=== "), DataFolder.names.contains(String(text.dropFirst(4))) {
        name = String(text.dropFirst(4))
        files[name] = Data()
      } else {
        files[name, default: Data()] += line + [UInt8(ascii: "\n")]
      }
    }
    for name in DataFolder.names where files[name] == nil {
      try FileSystem.remove(path.appending(name))
    }
    for (name, bytes) in files { try write(bytes, to: name) }
  }
}
