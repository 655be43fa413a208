package import Foundation
package import SystemPackage

/// The folder of the recipes.
package let recipesFolder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
  .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("recipes")

/// Runs a script of the recipes.
///
/// - Parameters:
///   - name: its path below the recipes' folder.
///   - arguments: what it is called with.
/// - Returns: its exit status, and what it wrote to standard error.
/// - Throws: when it cannot be started.
package func runRecipe(
  _ name: String, _ arguments: FilePath...
) throws -> (status: Int32, errors: String) {
  let process = Process()
  process.executableURL = recipesFolder.appendingPathComponent(name)
  process.arguments = arguments.map(\.string)
  let errors = Pipe()
  process.standardError = errors
  process.standardOutput = FileHandle.nullDevice
  try process.run()
  let text = try errors.fileHandleForReading.readToEnd() ?? Data()
  process.waitUntilExit()
  return (process.terminationStatus, String(decoding: text, as: UTF8.self))
}
