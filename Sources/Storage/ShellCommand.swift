import Foundation
import Synchronization
package import SystemPackage

/// Whether entries of lists may be commands whose output is read.
///
/// A list of files must not run programs unless the caller allows it.
package enum CommandPolicy: Sendable {
  case refused
  case allowed
}

/// A command of a Kaldi list, `COMMAND |`, run by the shell.
package enum ShellCommand {
  /// The command in an entry of a list, or nil when the entry is a path.
  package static func parse(_ entry: some StringProtocol) -> String? {
    let trimmed = entry.trimmingCharacters(in: .whitespaces)
    guard trimmed.hasSuffix("|") else { return nil }
    return trimmed.dropLast().trimmingCharacters(in: .whitespaces)
  }

  /// Runs a command and passes `body` the path of a temporary file with its output.
  ///
  /// The file is in `TMPDIR`, or in `/tmp`, and has no name there, so that it vanishes with the process however that
  /// ends.
  ///
  /// - Throws: a machine `FileFault` when the temporary file cannot be created, or the command cannot be started or is
  ///   killed by a signal; a data `FileFault` when it exits with a non-zero status; and whatever `body` throws.
  package static func withOutput<Result>(
    of command: String, _ body: (_ path: FilePath) throws -> Result
  ) throws -> Result {
    let output = try temporaryFile()
    defer { close(output) }
    try run(command, writingTo: output)
    return try body(FilePath("/proc/self/fd").appending("\(output)"))
  }

  /// A descriptor of an empty unnamed file.
  private static func temporaryFile() throws(FileFault) -> Int32 {
    var template = ScratchFolder.template
    let opened = unsafe mkstemp(&template)
    guard opened >= 0 else { throw ScratchFolder.fault(errno) }
    unsafe _ = unlink(template)
    // Other commands must not inherit it.
    _ = fcntl(opened, F_SETFD, FD_CLOEXEC)
    return opened
  }

  /// Runs a command whose output is data.
  private static func run(_ command: String, writingTo output: Int32) throws(FileFault) {
    try requireSuccess(try exitStatus(of: command, writingTo: output), of: command)
  }

  private static func requireSuccess(_ status: Int, of command: String) throws(FileFault) {
    guard status == 0 else {
      throw .malformed(
        path: .output(of: command), expected: "exit status 0", found: "\(status)")
    }
  }

  /// Runs a shell command to completion, without input.
  ///
  /// - Parameters:
  ///   - command: the shell command.
  ///   - output: the descriptor for its standard output; nil for that of this process.
  /// - Returns: its exit status.
  /// - Throws: a machine `FileFault` when it cannot be started or is killed by a signal.
  package static func exitStatus(
    of command: String, writingTo output: Int32? = nil
  ) throws(FileFault) -> Int {
    try status(of: spawn(command, writingTo: output), command)
  }

  /// Held while commands start and pipes are created, so that no command inherits another's pipe and keeps it open.
  private static let spawning = Mutex(())

  private static func spawn(
    _ command: String, writingTo output: Int32?
  ) throws(FileFault) -> pid_t {
    var actions = unsafe posix_spawn_file_actions_t()
    unsafe posix_spawn_file_actions_init(&actions)
    defer { unsafe _ = posix_spawn_file_actions_destroy(&actions) }
    unsafe posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    if let output { unsafe posix_spawn_file_actions_adddup2(&actions, output, 1) }
    let words = ["sh", "-c", command]
    var arguments = unsafe words.map { unsafe strdup($0) } + [nil]
    defer { unsafe arguments.forEach { unsafe free($0) } }
    var process: pid_t = 0
    let code = spawning.withLock { _ in
      unsafe posix_spawn(&process, "/bin/sh", &actions, nil, &arguments, environ)
    }
    guard code == 0 else {
      throw .unreadable(path: .output(of: command), reason: FileFault.words(for: code))
    }
    return process
  }

  /// Waits for a command to exit.
  private static func status(of process: pid_t, _ command: String) throws(FileFault) -> Int {
    var status: Int32 = 0
    while unsafe waitpid(process, &status, 0) < 0 {
      guard errno == EINTR else { throw .reading(.output(of: command)) }
    }
    let signal = status & 0x7F
    guard signal == 0 else {
      throw .unreadable(
        path: .output(of: command),
        reason: "a signal ended the command: \(unsafe String(cString: strsignal(signal)))")
    }
    return Int(status >> 8 & 0xFF)
  }
}

extension ShellCommand {
  /// A running command.
  struct Running {
    fileprivate let command: String
    fileprivate let process: pid_t

    /// Waits for it to exit, which must be with status 0.
    func requireSuccess() throws(FileFault) {
      try ShellCommand.requireSuccess(try status(of: process, command), of: command)
    }

    /// Terminates it.
    func end() {
      kill(process, SIGTERM)
      _ = try? status(of: process, command)
    }
  }

  /// Starts a command whose output is read as it arrives.
  ///
  /// - Returns: the command, and the read end of its output pipe.
  /// - Throws: a machine `FileFault` when it cannot be started.
  static func start(
    _ command: String
  ) throws(FileFault) -> (running: Running, output: OpenFile) {
    var ends: [Int32] = [0, 0]
    let code = spawning.withLock { _ in
      guard unsafe pipe(&ends) == 0 else { return errno }
      for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
      return 0
    }
    guard code == 0 else { throw .reading(.output(of: command), code) }
    let output = OpenFile(ends[0], named: .output(of: command))
    defer { close(ends[1]) }
    let process = try spawn(command, writingTo: ends[1])
    return (Running(command: command, process: process), output)
  }
}
