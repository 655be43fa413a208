import Classes
import Storage
import SystemPackage
import TestSupport
import Testing

@Suite("Classes and what they are called")
struct ClassInventoryTests {
  @Test("each label has its states, in the order of the labels, once")
  func states() {
    let classes = ClassInventory(labels: ["B", "A", "B"], states: 2)
    #expect(classes.symbols == ["B_1", "B_2", "A_1", "A_2"])
    #expect(classes.labels == ["B", "B", "A", "A"])
    #expect(classes.ids(ofLabel: "A") == [2, 3])
    #expect(classes.id(of: "B_2") == 1)
    #expect(classes.id(of: "C_1") == nil)
    #expect(ClassInventory(labels: ["A"], states: 1).symbols == ["A"])
  }

  @Test("a file of classes has ids from 0 on, each symbol and each id once")
  func file() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("classes.txt")
    let classes = ClassInventory(symbols: ["A", "SIL", "é"])
    try classes.write(to: path)
    #expect(try ClassInventory(path: path) == classes)
    try folder.write("SIL 1\nA 0\n", to: "classes.txt")
    #expect(try ClassInventory(path: path).symbols == ["A", "SIL"])
    for text in ["A 0\nA 1\n", "A 0\nB 0\n", "A 1\n", "A\n", "", "A 16777216\n", "A -1\n"] {
      try folder.write(text, to: "classes.txt")
      #expect(throws: FileFault.self, "\(text)") { try ClassInventory(path: path) }
    }
  }

  @Test("a map folds classes by their symbols, or their labels with what follows them")
  func folding() throws {
    let classes = ClassInventory(symbols: ["AA_1", "AE_1", "SIL"])
    let folded = try classes.folded(
      by: SymbolMap(["AA": "A", "AE": "A", "SIL": "SIL"]), path: "map")
    #expect(folded.classes.symbols == ["A_1", "SIL"])
    #expect(folded.ids == [0, 0, 1])
    #expect(throws: FileFault.self) { try classes.folded(by: SymbolMap(["AA": "A"]), path: "map") }
  }

  @Test("silence is told by its symbol, whatever follows it")
  func silence() {
    for symbol in ["SIL", "sil_3", "<eps>", "h#", "SIL_1:42", "sil[2]", "<p:>"] {
      #expect(Silence.contains(symbol), "\(symbol)")
    }
    for symbol in ["S", "silk", "AA_1", "p"] { #expect(!Silence.contains(symbol), "\(symbol)") }
  }
}
