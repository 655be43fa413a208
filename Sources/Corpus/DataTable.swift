import Storage

/// A file of `KEY VALUE` lines of a data directory, with the lines that are not.
struct DataTable {
  let path: String
  /// What stands behind each key, and in which line; keys with a fault are not among them.
  private(set) var values: [String: (line: Int, text: String)] = [:]
  /// The keys in the order of their lines, those with faults too.
  private(set) var keys: [(line: Int, key: String)] = []
  /// What is wrong with lines, in their order.
  private(set) var faults: [(key: String, fault: FileFault)] = []

  /// Reads a file.
  ///
  /// - Parameters:
  ///   - path: the file.
  ///   - expected: what a line holds, in words.
  /// - Throws: `FileFault` when it cannot be read; lines that are malformed or whose key stands twice are
  ///   in `faults`.
  init(_ path: String, expected: String) throws(FileFault) {
    self.path = path
    for (number, line, isUTF8) in try TextFile.lossyLines(of: path) {
      let (key, rest) = (String(line.keyAndRest.key), line.keyAndRest.rest)
      keys.append((number, key))
      if !isUTF8 {
        add(key, at: number, expected: "UTF-8", found: "other bytes")
      } else if rest.isEmpty {
        add(key, at: number, expected: expected, found: "\"\(line)\"")
      } else if let first = values.updateValue((number, String(rest)), forKey: key) {
        add(
          key, at: number, expected: "each key once", found: "\(key) again, after line \(first.line)")
      }
    }
    for (key, _) in faults { values[key] = nil }
  }

  private mutating func add(_ key: String, at line: Int, expected: String, found: String) {
    faults.append(
      (key, .malformedLine(path: path, line: line, expected: expected, found: found)))
  }

  /// Notes that the value of a key is wrong.
  mutating func reject(_ key: String, expected: String, found: String) {
    guard let value = values[key] else { return }
    add(key, at: value.line, expected: expected, found: found)
  }

  /// The last fault of each key, in words.
  var reasons: [String: String] {
    Dictionary(faults.map { ($0.key, $0.fault.description) }) { $1 }
  }
}
