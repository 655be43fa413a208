package import Storage
package import SystemPackage

/// A map from the symbols of a source, such as a phone folding or the phone state of each tied state.
///
/// Its file has a line `FROM TO` for each symbol.
package struct SymbolMap: Sendable, Equatable {
  private let targets: [String: String]

  /// A map given as a dictionary from symbols to their targets.
  package init(_ targets: [String: String]) {
    self.targets = targets
  }

  /// Reads lines `FROM TO`; a symbol may have only one.
  package init(path: FilePath) throws(FileFault) {
    var targets: [String: String] = [:]
    for (number, line) in try TextFile.lines(of: path) {
      let fields = line.fields
      guard fields.count == 2, targets[String(fields[0])] == nil else {
        throw .malformedLine(
          path: path, line: number, expected: "a new symbol and what it stands for",
          found: "\"\(line)\"")
      }
      targets[String(fields[0])] = String(fields[1])
    }
    self.targets = targets
  }

  /// Reads a Kaldi symbol table, lines `SYMBOL ID`, as a map from ids to symbols.
  package init(symbolTable path: FilePath) throws(FileFault) {
    var symbols: [String: String] = [:]
    for (number, line) in try TextFile.lines(of: path) {
      let fields = line.fields
      guard fields.count == 2, let id = Int32(fields[1]),
        symbols.updateValue(String(fields[0]), forKey: "\(id)") == nil
      else {
        throw .malformedLine(
          path: path, line: number, expected: "a symbol and a new integer", found: "\"\(line)\"")
      }
    }
    self.targets = symbols
  }

  /// The composition of this map with another one applied after it.
  package func followed(by next: SymbolMap) -> SymbolMap {
    SymbolMap(targets.compactMapValues { next[$0] })
  }

  /// The target of `symbol`, or nil when it is not in the map.
  package subscript(symbol: String) -> String? { targets[symbol] }

  /// The distinct targets, sorted.
  package var symbols: [String] { Set(targets.values).sorted() }
}
