import Foundation
package import SystemPackage

/// How a program ends, as in `sysexits.h`.
package enum ExitStatus: Int32, Sendable {
  /// All was done.
  case done = 0
  /// The command was not called as it must be.
  case usage = 64
  /// Some input data was bad; what could be done is done.
  case data = 65
  /// An input does not exist or cannot be opened.
  case noInput = 66
  /// The program itself is at fault.
  case software = 70
  /// The system refuses what the work needs, as memory.
  case system = 71
  /// Reading or writing failed.
  case inputOutput = 74
  /// SIGINT ended it: 128 and the signal's number.
  case interrupted = 130
  /// SIGTERM ended it.
  case terminated = 143
}

/// A failure that the user or the data caused: it says what is wrong and where, and how the program
/// should end if nothing catches it.
package protocol Fault: Error, CustomStringConvertible {
  /// The status to exit with.
  var exitStatus: ExitStatus { get }
}

extension Fault {
  /// Whether the machine is at fault rather than the data: a disk that fails, a limit that is reached, a signal that
  /// asks for the end.
  ///
  /// Such a fault ends the work. It says nothing about the data, so it never becomes a reason to leave an
  /// utterance out, and nothing that it touched counts as fresh.
  package var isOfMachine: Bool {
    exitStatus == .inputOutput || exitStatus == .system || isInterruption
  }

  /// Whether a signal ended the work, which goes on from there when it is begun again.
  package var isInterruption: Bool { exitStatus == .interrupted || exitStatus == .terminated }
}

/// A file that is missing, cannot be read or written, or does not hold what it should; `path` is the file's, or what
/// bytes that have no path are called.
package enum FileFault: Fault, Equatable {
  case missing(path: Origin)
  case unreadable(path: Origin, reason: String)
  case unwritable(path: Origin, reason: String)
  /// `line` counts from one.
  case malformedLine(path: Origin, line: Int, expected: String, found: String)
  /// `offset` counts bytes from the start of the file.
  case malformedBytes(path: Origin, offset: Int, expected: String, found: String)
  case malformed(path: Origin, expected: String, found: String)
  /// A file that there is no memory to read.
  case tooLarge(MemoryFault)
  /// A signal asked for the end of the work between two pieces of it.
  case interrupted(Interruption.Signal)

  package var exitStatus: ExitStatus {
    switch self {
    case .missing: .noInput
    case .unreadable, .unwritable: .inputOutput
    case .malformedLine, .malformedBytes, .malformed: .data
    case .tooLarge(let fault): fault.exitStatus
    case .interrupted(let signal): signal.exitStatus
    }
  }

  /// The fault of a call that was to open or read a file.
  ///
  /// - Parameters:
  ///   - path: what was to be read.
  ///   - code: the call's `errno`.
  /// - Returns: `missing` where nothing has the name; `malformed` where the name itself is at fault or a folder
  ///   has it; else `unreadable`, with the system's own words.
  package static func reading(_ path: Origin, _ code: Int32 = errno) -> FileFault {
    switch code {
    case ENOENT, ENOTDIR: .missing(path: path)
    case EISDIR: .malformed(path: path, expected: "a file", found: "a folder")
    case ELOOP, ENAMETOOLONG:
      .malformed(
        path: path, expected: "a usable path", found: "one that is not: \(words(for: code))")
    default: .unreadable(path: path, reason: words(for: code))
    }
  }

  /// The fault of a call that was to make, write, rename or remove a file.
  package static func writing(_ path: Origin, _ code: Int32 = errno) -> FileFault {
    .unwritable(path: path, reason: words(for: code))
  }

  /// The system's own words for an `errno`.
  package static func words(for code: Int32) -> String { unsafe String(cString: strerror(code)) }

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
    case .tooLarge(let fault): fault.description
    case .interrupted(let signal):
      "interrupted by \(signal); the same command goes on from here"
    }
  }
}

// MARK: - Faults of a file by its path

extension FileFault {
  package static func missing(path: FilePath) -> FileFault { .missing(path: .file(path)) }

  package static func unreadable(path: FilePath, reason: String) -> FileFault {
    .unreadable(path: .file(path), reason: reason)
  }

  package static func unwritable(path: FilePath, reason: String) -> FileFault {
    .unwritable(path: .file(path), reason: reason)
  }

  package static func malformedLine(
    path: FilePath, line: Int, expected: String, found: String
  ) -> FileFault {
    .malformedLine(path: .file(path), line: line, expected: expected, found: found)
  }

  package static func malformedBytes(
    path: FilePath, offset: Int, expected: String, found: String
  ) -> FileFault {
    .malformedBytes(path: .file(path), offset: offset, expected: expected, found: found)
  }

  package static func malformed(path: FilePath, expected: String, found: String) -> FileFault {
    .malformed(path: .file(path), expected: expected, found: found)
  }

  /// The fault of a call that was to open or read a file.
  package static func reading(_ path: FilePath, _ code: Int32 = errno) -> FileFault {
    reading(.file(path), code)
  }

  /// The fault of a call that was to make, write, rename or remove a file.
  package static func writing(_ path: FilePath, _ code: Int32 = errno) -> FileFault {
    writing(.file(path), code)
  }
}
