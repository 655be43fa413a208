import Storage
import SystemPackage

/// A data directory's file of `KEY VALUE` lines, with the faults of its other lines.
struct DataTable {
  /// What is wrong with a line.
  struct LineFault {
    enum Kind {
      /// It is not `KEY VALUE` in UTF-8.
      case form
      /// An earlier line has its key.
      case duplicate
      /// Its value is not one that the file may hold.
      case value
    }

    let kind: Kind
    let key: String
    let line: Int
    let expected: String
    let found: String
  }

  let path: FilePath
  /// The value of each key, and its line counted from one, without the keys that have a fault.
  private(set) var values: [String: (line: Int, text: String)] = [:]
  /// The keys in the order of their lines, including those with faults.
  private(set) var keys: [(line: Int, key: String)] = []
  private(set) var faults: [LineFault] = []

  /// Reads a file.
  ///
  /// - Parameters:
  ///   - path: the file.
  ///   - expected: what a line should hold, for messages.
  /// - Throws: `FileFault` when it cannot be read. Malformed lines and repeated keys are in
  ///   `faults`.
  init(_ path: FilePath, expected: String) throws(FileFault) {
    self.path = path
    // Swift treats keys as equal that have the same letters in different bytes; Kaldi does not.
    var spellings: [String: String] = [:]
    for (number, line, isUTF8) in try TextFile.lossyLines(of: path) {
      let (key, rest) = (String(line.keyAndRest.key), line.keyAndRest.rest)
      keys.append((number, key))
      func add(_ kind: LineFault.Kind, expected: String, found: String) {
        faults.append(
          LineFault(kind: kind, key: key, line: number, expected: expected, found: found))
      }
      if !isUTF8 {
        add(.form, expected: "UTF-8", found: "other bytes")
      } else if line.utf8.contains(0) {
        add(.form, expected: "text", found: "a NUL, at which the system would end a path")
      } else if rest.isEmpty {
        add(.form, expected: expected, found: "\"\(line)\"")
      } else if let first = values.updateValue((number, String(rest)), forKey: key) {
        let isSame = spellings[key].map { $0.utf8.elementsEqual(key.utf8) } ?? true
        add(
          .duplicate,
          expected: isSame
            ? "each key once" : "keys that differ by more than their Unicode normalisation",
          found: "\(key) again, after line \(first.line)"
            + (isSame ? "" : ", in other bytes (NFC and NFD)"))
      }
      spellings[key] = spellings[key] ?? key
    }
    for fault in faults { values[fault.key] = nil }
  }

  /// A table of distinct keys without values, as if each key had a line.
  init(_ path: FilePath, keys: [String]) {
    self.path = path
    self.keys = keys.enumerated().map { ($0 + 1, $1) }
    values = Dictionary(uniqueKeysWithValues: self.keys.map { ($0.key, ($0.line, "")) })
  }

  /// The keys that differ in bytes, in the order of their first lines.
  var distinctKeys: [String] {
    var seen: Set<[UInt8]> = []
    return keys.map(\.key).filter { seen.insert(Array($0.utf8)).inserted }
  }

  /// Removes a key's value because it is wrong, and records the fault.
  mutating func reject(_ key: String, expected: String, found: String) {
    guard let value = values.removeValue(forKey: key) else { return }
    faults.append(
      LineFault(kind: .value, key: key, line: value.line, expected: expected, found: found))
  }

  /// The last fault of each key, as a message with the file and the line.
  var reasons: [String: String] {
    Dictionary(
      faults.map {
        let fault = FileFault.malformedLine(
          path: path, line: $0.line, expected: $0.expected, found: $0.found)
        return ($0.key, fault.description)
      }
    ) { $1 }
  }
}
