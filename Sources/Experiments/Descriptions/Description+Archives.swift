import KaldiIO
import LinearAlgebra
import Storage
import SystemPackage

extension Description {
  /// Describes an archive, or one value without a key.
  ///
  /// Posteriors carry no type, so values that fail to read as any other kind are read as
  /// posteriors.
  ///
  /// - Returns: nil for an empty archive.
  static func archive(
    _ input: ArchiveInput, as kind: KaldiValue.Kind?, _ commands: CommandPolicy
  ) throws(FileFault) -> String? {
    do throws(FileFault) { return try tally(input, as: kind, commands) } catch {
      // A pipe cannot be read twice.
      guard kind == nil, !error.isOfMachine, let path = input.path, path != "-",
        try FileSystem.facts(of: path)?.kind == .file
      else { throw error }
      do throws(FileFault) { return try tally(input, as: .posterior, commands) } catch {}
      throw error
    }
  }

  /// Counts the values of an archive or a list.
  ///
  /// - Returns: nil when there are none.
  static func tally(
    _ input: ArchiveInput, as kind: KaldiValue.Kind?, _ commands: CommandPolicy
  ) throws(FileFault) -> String? {
    var tallies: [KaldiValue.Kind: ArchiveTally] = [:]
    func add(_ value: KaldiValue) { tallies[value.kind, default: .init()].add(value) }
    if case .script = input {
      try input.forEach(as: kind, commands: commands) { _, value in add(value) }
    } else {
      try input.withStream(commands: commands) { stream throws(FileFault) in
        if try Archive.isWithoutKey(stream) {
          add(try Archive.readValue(of: stream, as: kind))
        } else {
          try Archive.forEach(of: stream, as: kind) { _, value in add(value) }
        }
      }
    }
    if tallies[.posterior] != nil, tallies[.vector] != nil {
      throw .malformed(
        path: input.path ?? "", expected: "values of one kind, or --type",
        found: "posteriors, and values that may be vectors")
    }
    guard !tallies.isEmpty else { return nil }
    return KaldiValue.Kind.allCases.compactMap { kind in
      tallies[kind].map { "archive      \(kind.rawValue)\n\($0.text)" }
    }.joined()
  }
}

/// Counts of an archive's entries of one kind.
private struct ArchiveTally {
  private var entries = 0
  private var rows = 0
  private var columns: Set<Int> = []
  private var least = Int32.max
  private var largest = Int32.min

  mutating func add(_ value: KaldiValue) {
    entries += 1
    switch value {
    case .matrix(let matrix): add(rows: matrix.rows, columns: matrix.columns)
    case .doubleMatrix(let matrix): add(rows: matrix.rows, columns: matrix.columns)
    case .vector(let values): rows += values.count
    case .doubleVector(let values): rows += values.count
    case .integers(let values):
      rows += values.count
      least = min(least, values.min() ?? least)
      largest = max(largest, values.max() ?? largest)
    case .posterior(let frames): rows += frames.count
    }
  }

  private mutating func add(rows: Int, columns: Int) {
    self.rows += rows
    self.columns.insert(columns)
  }

  var text: String {
    var text = "entries      \(entries)\nrows         \(rows)\n"
    if !columns.isEmpty {
      text += "columns      \(columns.sorted().map(String.init).joined(separator: ", "))\n"
    }
    if least <= largest { text += "values       from \(least) to \(largest)\n" }
    return text
  }
}
