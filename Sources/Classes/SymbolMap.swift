package import Storage
package import SystemPackage

/// What each symbol of a source stands for, such as a phone's folding or a tied state's phone state.
///
/// Its file has a line `FROM TO` for each symbol.
package struct SymbolMap: Sendable, Equatable {
  private let targets: [String: String]

  package init(_ targets: [String: String]) {
    self.targets = targets
  }

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

  /// Reads Kaldi's symbol table, a line `SYMBOL ID` each, as what each id stands for.
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

  /// What symbols stand for when what this map makes of them is mapped again.
  package func followed(by next: SymbolMap) -> SymbolMap {
    SymbolMap(targets.compactMapValues { next[$0] })
  }

  /// What `symbol` stands for, or nil when the map does not say.
  package subscript(symbol: String) -> String? { targets[symbol] }

  /// All that symbols stand for, sorted, each once.
  package var symbols: [String] { Set(targets.values).sorted() }
}
