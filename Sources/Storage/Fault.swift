import Foundation
package import SystemPackage

/// Exit statuses, as in `sysexits.h`.
package enum ExitStatus: Int32, Sendable {
  /// Everything was done.
  case done = 0
  /// The command line is wrong.
  case usage = 64
  /// Some input data was bad; whatever could be done was done.
  case data = 65
  /// An input does not exist or cannot be opened.
  case noInput = 66
  /// A bug in the program itself.
  case software = 70
  /// The system refuses a resource that the work needs, such as memory.
  case system = 71
  /// Reading or writing failed.
  case inputOutput = 74
  /// SIGINT ended it: 128 and the signal's number.
  case interrupted = 130
  /// SIGTERM ended it.
  case terminated = 143
}

/// A failure that the user, the data or the machine caused.
///
/// It says what is wrong and where, and which status the program exits with if nothing catches it.
package protocol Fault: Error, CustomStringConvertible {
  /// The status to exit with.
  var exitStatus: ExitStatus { get }
}

extension Fault {
  /// Whether the machine is at fault rather than the data: a failing disk, an exhausted limit, a termination signal.
  ///
  /// Such a fault ends the work. It says nothing about the data, so it is never a reason to exclude an utterance, and
  /// nothing that it touched counts as up to date.
  package var isOfMachine: Bool {
    exitStatus == .inputOutput || exitStatus == .system || isInterruption
  }

  /// Whether a signal ended the work, which resumes from there on the next run.
  package var isInterruption: Bool { exitStatus == .interrupted || exitStatus == .terminated }
}

/// A file that is missing, cannot be read or written, or has the wrong contents.
///
/// `path` is the file's path, or a name for bytes that have none.
package enum FileFault: Fault, Equatable {
  case missing(path: Origin)
  case unreadable(path: Origin, reason: String)
  case unwritable(path: Origin, reason: String)
  /// `line` counts from one.
  case malformedLine(path: Origin, line: Int, expected: String, found: String)
  /// `offset` counts bytes from the start of the file.
  case malformedBytes(path: Origin, offset: Int, expected: String, found: String)
  case malformed(path: Origin, expected: String, found: String)
  /// A file with several faults, in the order in which they were found; at least two.
  case several([FileFault])
  /// There is not enough memory to read the file.
  case tooLarge(MemoryFault)
  /// A signal requested termination; the work stopped between two pieces.
  case interrupted(Interruption.Signal)

  /// Depends on the case: `data` for wrong contents, `noInput` for a missing file.
  package var exitStatus: ExitStatus {
    switch self {
    case .missing: .noInput
    case .unreadable, .unwritable: .inputOutput
    case .malformedLine, .malformedBytes, .malformed: .data
    case .several(let faults): faults.first?.exitStatus ?? .data
    case .tooLarge(let fault): fault.exitStatus
    case .interrupted(let signal): signal.exitStatus
    }
  }

  /// The fault for a failed call that opens or reads a file.
  ///
  /// - Parameters:
  ///   - path: the file to be read.
  ///   - code: the call's `errno`.
  /// - Returns: `missing` when there is no such file; `malformed` when the path itself is invalid or names a folder;
  ///   otherwise `unreadable`, with the system's description.
  package static func reading(_ path: Origin, _ code: Int32 = errno) -> FileFault {
    switch code {
    case ENOENT, ENOTDIR: .missing(path: path)
    case EISDIR: .malformed(path: path, expected: "a file", found: "a folder")
    case ELOOP, ENAMETOOLONG:
      .malformed(
        path: path, expected: "a usable path", found: "an unusable one: \(words(for: code))")
    default: .unreadable(path: path, reason: words(for: code))
    }
  }

  /// The fault for a failed call that creates, writes, renames or removes a file.
  package static func writing(_ path: Origin, _ code: Int32 = errno) -> FileFault {
    .unwritable(path: path, reason: words(for: code))
  }

  /// The system's description of an `errno`.
  package static func words(for code: Int32) -> String { unsafe String(cString: strerror(code)) }

  /// Several faults of one file as one, of which there must be at least one.
  package static func all(_ faults: [FileFault]) -> FileFault {
    precondition(!faults.isEmpty, "all: no faults")
    return faults.count == 1 ? faults[0] : .several(faults)
  }

  /// One line, or one for each of several faults; each begins with the path, and the line or byte
  /// offset where known.
  package var description: String {
    switch self {
    case .missing(let path): "\(path): no such file"
    case .unreadable(let path, let reason): "\(path): cannot be read: \(reason)"
    case .unwritable(let path, let reason): "\(path): cannot be written: \(reason)"
    case .malformedLine(let path, let line, let expected, let found):
      "\(path):\(line): expected \(expected), found \(found)"
    case .malformedBytes(let path, let offset, let expected, let found):
      "\(path): at byte \(offset): expected \(expected), found \(found)"
    case .malformed(let path, let expected, let found):
      "\(path): expected \(expected), found \(found)"
    case .several(let faults): faults.map(\.description).joined(separator: "\n")
    case .tooLarge(let fault): fault.description
    case .interrupted(let signal):
      "interrupted by \(signal); rerun the same command to resume"
    }
  }
}

// MARK: - Faults by file path

extension FileFault {
  /// No file exists at `path`.
  package static func missing(path: FilePath) -> FileFault { .missing(path: .file(path)) }

  /// The file exists but cannot be opened or read; `reason` says why.
  package static func unreadable(path: FilePath, reason: String) -> FileFault {
    .unreadable(path: .file(path), reason: reason)
  }

  /// The file cannot be created or written; `reason` says why.
  package static func unwritable(path: FilePath, reason: String) -> FileFault {
    .unwritable(path: .file(path), reason: reason)
  }

  /// A line of a text file is wrong; `line` counts from one.
  package static func malformedLine(
    path: FilePath, line: Int, expected: String, found: String
  ) -> FileFault {
    .malformedLine(path: .file(path), line: line, expected: expected, found: found)
  }

  /// A binary file is wrong at a byte; `offset` counts from the start of the file.
  package static func malformedBytes(
    path: FilePath, offset: Int, expected: String, found: String
  ) -> FileFault {
    .malformedBytes(path: .file(path), offset: offset, expected: expected, found: found)
  }

  /// The file as a whole is wrong.
  package static func malformed(path: FilePath, expected: String, found: String) -> FileFault {
    .malformed(path: .file(path), expected: expected, found: found)
  }

  /// The fault for a failed call that opens or reads a file.
  package static func reading(_ path: FilePath, _ code: Int32 = errno) -> FileFault {
    reading(.file(path), code)
  }

  /// The fault for a failed call that creates, writes, renames or removes a file.
  package static func writing(_ path: FilePath, _ code: Int32 = errno) -> FileFault {
    writing(.file(path), code)
  }
}
