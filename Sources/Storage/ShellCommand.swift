import Foundation

/// Whether entries of lists may be commands whose output is read: a list of files must not run programs
/// unless whoever calls says so.
package enum CommandPolicy: Sendable {
  case refused
  case allowed
}

/// A command of a Kaldi list, `COMMAND |`, run by the shell.
package enum ShellCommand {
  /// The command of a list's entry, or nil when the entry is a path.
  package static func parse(_ entry: some StringProtocol) -> String? {
    let trimmed = entry.trimmingCharacters(in: .whitespaces)
    guard trimmed.hasSuffix("|") else { return nil }
    return trimmed.dropLast().trimmingCharacters(in: .whitespaces)
  }

  /// Runs a command and gives `body` the path of a file with its output, which then goes.
  ///
  /// - Throws: `FileFault` when the command cannot be started or ends with another status than 0, and
  ///   what `body` throws.
  package static func withOutput<Result>(
    of command: String, _ body: (_ path: String) throws -> Result
  ) throws -> Result {
    let path = NSTemporaryDirectory() + "/limbeck-" + UUID().uuidString
    defer { try? FileManager.default.removeItem(atPath: path) }
    try run(command, writingTo: path)
    return try body(path)
  }

  private static func run(_ command: String, writingTo path: String) throws(FileFault) {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/bin/sh")
    process.arguments = ["-c", command]
    process.standardInput = FileHandle.nullDevice
    do {
      try Data().write(to: URL(fileURLWithPath: path))
      process.standardOutput = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
      try process.run()
    } catch {
      throw .unreadable(path: "\(command) |", reason: error.localizedDescription)
    }
    process.waitUntilExit()
    guard process.terminationReason == .exit, process.terminationStatus == 0 else {
      throw .unreadable(
        path: "\(command) |", reason: "the command ended with status \(process.terminationStatus)")
    }
  }
}
