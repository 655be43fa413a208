package import Foundation
package import SystemPackage

/// A folder that is removed with the value that made it.
package final class TemporaryFolder: Sendable {
  package let path: FilePath

  package init() throws {
    path = FilePath(NSTemporaryDirectory()).appending("limbeck-" + UUID().uuidString)
    try FileManager.default.createDirectory(atPath: path.string, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path.string) }

  /// The path of a file in the folder.
  package func file(_ name: String) -> FilePath { path.appending(name) }

  /// Writes a file in the folder, making folders on the way, and returns its path.
  @discardableResult
  package func write(_ bytes: Data, to name: String) throws -> FilePath {
    let url = URL(fileURLWithPath: file(name).string)
    try FileManager.default.createDirectory(
      at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    try bytes.write(to: url)
    return file(name)
  }

  @discardableResult
  package func write(_ text: String, to name: String) throws -> FilePath {
    try write(Data(text.utf8), to: name)
  }
}
