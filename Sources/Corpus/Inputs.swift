import Audio
import Foundation
package import KaldiIO
package import Storage
package import SystemPackage

/// Everything that a step's results depend on, as lines of text.
///
/// The lines' digest decides whether the step is up to date, so the order in which a step adds its
/// inputs matters.
package struct Inputs {
  /// A line for each input, the program first.
  package private(set) var lines: [String]

  /// The digest of the running program, so that another build makes its own results.
  private static let build = Result { () throws(FileFault) in
    try Fingerprint(ofFile: "/proc/self/exe")
  }

  /// Inputs with the program as their only line.
  ///
  /// - Throws: `FileFault` when the program's own file cannot be read.
  package init() throws(FileFault) {
    lines = ["limbeck \(limbeckVersion), build \(try Inputs.build.get())"]
  }

  /// Adds a value as JSON.
  package mutating func add(_ name: String, _ value: some Encodable) {
    lines.append("\(name) \(JSONText.line(value))")
  }

  /// Adds a file by the digest of its bytes.
  ///
  /// The line names the file and its folder, without the folders above, so that a moved experiment
  /// stays up to date.
  package mutating func add(file path: FilePath) throws(FileFault) {
    let name = path.components.suffix(2).map(\.text).joined(separator: "/")
    lines.append("\(name) \(try Fingerprint(ofFile: path))")
  }

  /// Adds a recording by its real path, offset, size and modification time.
  ///
  /// A corpus would take too long to read. A command is known only by its text.
  package mutating func add(_ recording: Recording) throws(FileFault) {
    switch recording {
    case .file(let path): try add(recording: path)
    // The same text as in the records of earlier versions.
    case .command(let command): lines.append("command(\(String(reflecting: command)))")
    case .absent: lines.append("absent")
    }
  }

  private mutating func add(recording path: FilePath) throws(FileFault) {
    let (file, offset) = try RecordingBytes.place(of: path)
    guard let facts = try FileSystem.facts(of: file) else {
      lines.append("\(path.absolute.text) missing")
      return
    }
    let changed = "\(facts.changed.seconds).\(facts.changed.nanoseconds)"
    lines.append("\(try FileSystem.realPath(of: file).text) \(offset) \(facts.size) \(changed)")
  }

  /// Adds an utterance's recording, channel and times, but not the recording's file.
  package mutating func add(_ utterance: Utterance) {
    let seconds = utterance.seconds.map { "\($0.lowerBound) to \($0.upperBound)" } ?? "all"
    lines.append(
      """
      \(utterance.id): \(utterance.recordingID) \(seconds) \
      \(utterance.channel ?? 0)
      """)
  }

  /// Adds alignments: a file by its bytes; a folder by the paths, sizes and modification times of
  /// its files, which would take too long to read, and likewise the archives that an `scp` names.
  package mutating func add(alignments options: TargetOptions) throws(FileFault) {
    if options.format == .archive {
      return try add(table: options.path)
    }
    let path = try FilePath(text: options.path)
    if try FileSystem.isFolder(path) {
      try add(listed: try filePaths(below: path).map(path.pushing))
    } else {
      try add(file: path)
    }
  }

  /// Adds an archive by its bytes, or a list by its bytes with the archives that it names; a
  /// command is known only by its text.
  package mutating func add(table: String) throws(FileFault) {
    let input = try ArchiveInput(reading: table)
    guard let path = input.path else {
      lines.append(table)
      return
    }
    try add(file: path)
    if case .script = input { try add(listed: try ArchiveScript(path: path).files) }
  }

  /// Adds a table of matrices: a list by its bytes, and archives by size and modification time, as
  /// recordings are.
  package mutating func add(_ table: MatrixTable) throws(FileFault) {
    guard case .file(let path) = table.origin, try FileSystem.facts(of: path)?.kind == .file else {
      lines.append("\(table.origin)")
      return
    }
    if table.files.isEmpty {
      try add(recording: path)
    } else {
      try add(file: path)
      try add(listed: table.files)
    }
  }

  private mutating func add(listed files: [FilePath]) throws(FileFault) {
    for file in files { try add(recording: file) }
  }

  /// The digest of all lines.
  package var fingerprint: Fingerprint { Fingerprint(of: lines.joined(separator: "\n")) }

  /// The first line of the step's record.
  package var record: String { "\(fingerprint)\n" }
}
