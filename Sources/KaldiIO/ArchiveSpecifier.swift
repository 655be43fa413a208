import Foundation
package import Storage
package import SystemPackage

/// A specifier of a Kaldi table, split into its parts, or a plain path.
///
/// Specifiers are `ark:PATH`, `scp:PATH`, `ark,t:PATH`, `ark,scp:A,B` and the like
/// (`util/kaldi-table.h`, "rspecifier" and "wspecifier").
private struct SpecifierParts {
  /// `ark`, `scp` and options, in their order; empty for a plain path.
  let words: [Substring]
  let place: String

  init(_ text: String) {
    guard let colon = text.firstIndex(of: ":"),
      case let words = text[..<colon].split(separator: ",", omittingEmptySubsequences: false),
      words.contains(where: { $0 == "ark" || $0 == "scp" })
    else {
      (words, place) = ([], text)
      return
    }
    self.words = words
    place = String(text[text.index(after: colon)...])
  }

  /// The path that a part of the specifier names.
  func path(_ place: String, in text: String) throws(OptionFault) -> FilePath {
    do throws(FileFault) { return try FilePath(text: place) } catch {
      throw .outOfRange(key: text, expected: "a usable path", found: "one with a NUL in it")
    }
  }

  func requireOptions(_ known: [String], in text: String) throws(OptionFault) {
    for word in words where !(known + ["ark", "scp"]).contains(String(word)) {
      throw .outOfRange(
        key: text, expected: "an option of \(known.joined(separator: ", "))", found: "\(word)")
    }
  }
}

/// A table to read.
package enum ArchiveInput: Sendable, Equatable {
  /// The path of an archive; `-` for standard input.
  case archive(FilePath)
  /// The path of an `scp`, a list of where values are.
  case script(FilePath)
  /// A command whose output is an archive.
  case command(String)

  /// Parses a specifier or a path.
  ///
  /// - Parameter text: a specifier, or a path; one that ends in `.scp` is a list.
  /// - Throws: `OptionFault` for a specifier unknown to Kaldi, or one that writes to a command.
  package init(_ text: String) throws(OptionFault) {
    let parts = SpecifierParts(text)
    // The order of keys makes no difference here, and the form is detected.
    try parts.requireOptions(
      ["o", "no", "s", "ns", "cs", "ncs", "p", "np", "b", "t", "bg"], in: text)
    let place = parts.place
    if let command = ShellCommand.parse(place) {
      self = .command(command)
    } else if parts.words.contains("scp"), parts.words.contains("ark") {
      throw .outOfRange(key: text, expected: "ark: or scp: to read", found: "both")
    } else if place.isEmpty || place.hasPrefix("|") {
      throw .outOfRange(
        key: text, expected: "a path, - or a command followed by |", found: "\"\(place)\"")
    } else {
      let isScript = parts.words.isEmpty ? place.hasSuffix(".scp") : parts.words.contains("scp")
      let path = try parts.path(place, in: text)
      self = isScript ? .script(path) : .archive(path)
    }
  }

  /// Parses a specifier or a path, and reports a bad one as a `FileFault`.
  package init(reading text: String) throws(FileFault) {
    do throws(OptionFault) { try self.init(text) } catch {
      guard case .outOfRange(let key, let expected, let found) = error else {
        throw .malformed(path: .named(text), expected: "a path, ark: or scp:", found: "\(error)")
      }
      throw .malformed(path: .named(key), expected: expected, found: found)
    }
  }

  /// Resolves the path in a specifier relative to a folder.
  ///
  /// Commands and standard input are not changed.
  package static func resolved(_ text: String, from folder: FilePath) -> String {
    let place = SpecifierParts(text).place
    if place == "-" || ShellCommand.parse(place) != nil { return text }
    return text.dropLast(place.count) + folder.resolving(place)
  }

  /// The file to read; nil for a command.
  package var path: FilePath? {
    switch self {
    case .archive(let path), .script(let path): path
    case .command: nil
    }
  }

  /// Passes each entry to `body` in turn; only one is in memory at a time.
  ///
  /// - Parameters:
  ///   - kind: the kind of values whose form does not say it; nil guesses.
  ///   - commands: whether commands may be run.
  ///   - body: called with each entry.
  /// - Throws: `FileFault` when the table cannot be read or a command is not allowed; and what
  ///   `body` throws.
  package func forEach(
    as kind: KaldiValue.Kind? = nil, commands: CommandPolicy,
    _ body: (_ key: String, _ value: KaldiValue) throws(FileFault) -> Void
  ) throws(FileFault) {
    if case .script(let path) = self {
      let list = try ArchiveScript(path: path)
      for entry in list.entries {
        try body(entry.key, try list.value(of: entry, as: kind, commands: commands))
      }
      return
    }
    try withStream(commands: commands) { stream throws(FileFault) in
      try Archive.forEach(of: stream, as: kind, body)
    }
  }

  /// Reads all entries of an archive or a list.
  ///
  /// A table that is a single value without a key becomes one entry named `name`.
  package func entries(
    as kind: KaldiValue.Kind? = nil, commands: CommandPolicy, withoutKey name: String
  ) throws(FileFault) -> [Archive.Entry] {
    var entries: [Archive.Entry] = []
    if case .script = self {
      try forEach(as: kind, commands: commands) { key, value in entries.append((key, value)) }
      return entries
    }
    return try withStream(commands: commands) { stream throws(FileFault) in
      try Archive.entries(of: stream, as: kind, withoutKey: name)
    }
  }

  /// Reads the integer vectors as far as they are readable; see `Archive.ReadableIntegers`.
  package func readReadableIntegers(
    commands: CommandPolicy
  ) throws(FileFault) -> Archive.ReadableIntegers {
    guard case .script(let path) = self else {
      return try withStream(commands: commands) { stream throws(FileFault) in
        try Archive.readReadableIntegers(of: stream)
      }
    }
    let list = try ArchiveScript(path: path)
    var found = Archive.ReadableIntegers()
    for entry in list.entries {
      do throws(FileFault) {
        let value = try list.value(of: entry, as: .integers, commands: commands)
        guard case .integers(let values) = value else {
          throw .malformed(
            path: path, expected: "integers for \(entry.key)", found: value.kind.rawValue)
        }
        found.vectors[entry.key] = .success(values)
      } catch {
        if error.isOfMachine { throw error }
        found.vectors[entry.key] = .failure(error)
      }
    }
    return found
  }

  /// Passes the bytes of an archive to `body`, or those of the list itself.
  package func withStream<Result>(
    commands: CommandPolicy, _ body: (ByteStream) throws(FileFault) -> Result
  ) throws(FileFault) -> Result {
    switch self {
    case .archive(let path), .script(let path): return try body(try ByteStream(path))
    case .command(let command):
      guard commands == .allowed else {
        throw .malformed(
          path: .output(of: command), expected: "a path, or --allow-commands", found: "a command")
      }
      return try ByteStream.withOutput(of: command, body)
    }
  }
}

extension Archive {
  /// Reads the integer vectors of a table as far as they are readable.
  ///
  /// - Parameters:
  ///   - table: a specifier or a path, as for `ArchiveInput`.
  ///   - commands: whether commands may be run.
  /// - Returns: a vector or a fault for each key.
  /// - Throws: `FileFault` for a bad specifier, and as
  ///   `ArchiveInput.readReadableIntegers(commands:)`.
  package static func readReadableIntegers(
    _ table: String, commands: CommandPolicy = .refused
  ) throws(FileFault) -> ReadableIntegers {
    try ArchiveInput(reading: table).readReadableIntegers(commands: commands)
  }
}

/// A table to write.
package struct ArchiveOutput: Sendable, Equatable {
  /// The path of the archive; nil for standard output.
  package let archive: FilePath?
  /// The path of the `scp`; nil for none.
  package let script: FilePath?
  /// Whether the archive is written in text form.
  package let isText: Bool

  /// Whether an argument that may also be a folder names an archive: a specifier, `-`, or a path
  /// that ends in `.ark`.
  package static func names(_ text: String) -> Bool {
    !SpecifierParts(text).words.isEmpty || text == "-" || text.hasSuffix(".ark")
  }

  /// Parses a specifier or a path.
  ///
  /// - Parameter text: a specifier, a path, or `-` for standard output. A path also gets an `scp`
  ///   next to it, with `.scp` in place of `.ark`.
  /// - Throws: `OptionFault` for a specifier unknown to Kaldi, without an archive, or with a
  ///   command.
  package init(_ text: String) throws(OptionFault) {
    let parts = SpecifierParts(text)
    try parts.requireOptions(["b", "t", "f", "nf", "p"], in: text)
    isText = parts.words.contains("t")
    guard parts.words.isEmpty || parts.words.contains("ark") else {
      throw .outOfRange(
        key: text, expected: "ark:… or ark,scp:…, an archive to write", found: "scp alone")
    }
    var places = [parts.place]
    if parts.words.contains("scp") {
      places = parts.place.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
      guard places.count == 2 else {
        throw .outOfRange(
          key: text, expected: "two paths, of the archive and the scp", found: "\(places.count)")
      }
    }
    for place in places where place.isEmpty || place.hasPrefix("|") || place.hasSuffix("|") {
      throw .outOfRange(key: text, expected: "a path or -", found: "\"\(place)\"")
    }
    for place in places where place.hasSuffix(".gz") {
      throw .outOfRange(
        key: text, expected: "a name without .gz, or - with a pipe to gzip", found: "\"\(place)\"")
    }
    let isStandardOutput = ["-", "/dev/stdout"].contains(places[0])
    archive = isStandardOutput ? nil : try parts.path(places[0], in: text)
    if places.count == 2 {
      guard !isStandardOutput, places[1] != "-" else {
        throw .outOfRange(
          key: text, expected: "the path of an archive that an scp can name", found: "-")
      }
      script = try parts.path(places[1], in: text)
    } else if parts.words.isEmpty, !isStandardOutput {
      script = try parts.path(
        (text.hasSuffix(".ark") ? String(text.dropLast(4)) : text) + ".scp", in: text)
    } else {
      script = nil
    }
  }
}
