package import Storage
package import SystemPackage

/// The classes of a frame classifier: a symbol for each id, counted from 0.
///
/// Its file, `classes.txt`, has a line `SYMBOL ID` for each class.
package struct ClassInventory: Sendable, Equatable {
  /// The symbols, by id.
  package let symbols: [String]
  private let ids: [String: Int32]

  /// The maximum number of classes: soft targets store class ids as single-precision numbers, exact up to here.
  package static let most = 1 << 24

  /// - Parameter symbols: distinct; at most `most`.
  package init(symbols: [String]) {
    precondition(
      symbols.count <= ClassInventory.most, "ClassInventory: \(symbols.count) classes")
    self.symbols = symbols
    ids = Dictionary(
      uniqueKeysWithValues: symbols.enumerated().map { ($0.element, Int32($0.offset)) })
  }

  /// The states of labels, in order, without duplicates.
  ///
  /// - Parameters:
  ///   - labels: may contain duplicates.
  ///   - states: the number of states per label; 1 for the labels themselves.
  package init(labels: [String], states: Int) {
    var seen: Set<String> = []
    self.init(
      symbols: labels.filter { seen.insert($0).inserted }
        .flatMap { ClassInventory.stateSymbols(of: $0, states: states) })
  }

  /// The symbols of a label's states; the label itself when there is one state.
  package static func stateSymbols(of label: String, states: Int) -> [String] {
    states == 1 ? [label] : (1...states).map { "\(label)_\($0)" }
  }

  /// The number of classes.
  package var count: Int { symbols.count }

  /// The id of a symbol, or nil when it is not in the inventory.
  package func id(of symbol: some StringProtocol) -> Int32? { ids[String(symbol)] }

  /// The label of each class: the part of its symbol before the last `_`, or the whole symbol.
  package var labels: [String] {
    symbols.map { symbol in symbol.lastIndex(of: "_").map { String(symbol[..<$0]) } ?? symbol }
  }

  /// The ids of the classes of a label.
  package func ids(ofLabel label: String) -> [Int32] {
    labels.enumerated().filter { $0.element == label }.map { Int32($0.offset) }
  }

  /// The classes after folding by a map.
  ///
  /// - Parameters:
  ///   - map: contains each class, or the label before its last `_`, whose suffix is then kept.
  ///   - path: the map's path, for faults.
  /// - Returns: the folded classes, sorted, and the id of each of these among them.
  /// - Throws: `FileFault` for a class that the map lacks.
  package func folded(
    by map: SymbolMap, path: FilePath
  ) throws(FileFault) -> (classes: ClassInventory, ids: [Int32]) {
    let folded = try symbols.map { symbol throws(FileFault) in
      if let whole = map[symbol] { return whole }
      guard let end = symbol.lastIndex(of: "_"), let label = map[String(symbol[..<end])] else {
        throw FileFault.malformed(
          path: path, expected: "a line that maps the class \(symbol)", found: "none")
      }
      return label + symbol[end...]
    }
    let classes = ClassInventory(symbols: Set(folded).sorted())
    return (classes, folded.compactMap { classes.id(of: $0) })
  }

  /// Whether each class is silence, by its symbol; see `Silence`.
  package var isSilence: [Bool] { symbols.map(Silence.contains) }

  /// Writes `classes.txt`.
  package func write(to path: FilePath) throws(FileFault) {
    try AtomicFile.write(
      symbols.enumerated().map { "\($0.element) \($0.offset)\n" }.joined(), to: path)
  }

  /// Reads `classes.txt`, whose ids run from 0 without gaps, in any order.
  package init(path: FilePath) throws(FileFault) {
    var byID: [Int: String] = [:]
    var seen: Set<String> = []
    for (number, line) in try TextFile.lines(of: path) {
      let fields = line.fields
      guard fields.count == 2, let id = Int(fields[1]), (0..<ClassInventory.most).contains(id),
        byID[id] == nil,
        seen.insert(String(fields[0])).inserted
      else {
        throw .malformedLine(
          path: path, line: number,
          expected: "a new symbol and a new id below \(ClassInventory.most)",
          found: "\"\(line)\"")
      }
      byID[id] = String(fields[0])
    }
    let symbols = (0..<byID.count).compactMap { byID[$0] }
    guard !symbols.isEmpty || !byID.isEmpty else {
      throw .malformed(path: path, expected: "at least one class, SYMBOL ID", found: "none")
    }
    guard symbols.count == byID.count else {
      throw .malformed(
        path: path, expected: "ids from 0 to \(byID.count - 1)",
        found: "ids up to \(byID.keys.max() ?? 0)")
    }
    self.init(symbols: symbols)
  }
}
