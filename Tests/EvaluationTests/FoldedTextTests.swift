import Evaluation
import Testing

@Suite("Text folded to a terminal")
struct FoldedTextTests {
  private let table = markdownTable(
    [
      ["system", "parameters", "development %", "test %"],
      ["student", "741,624", "68.66 ± 2.96", "67.08 ± 2.67"],
      ["a|b", "1", "2", "3"],
    ], leftColumns: 1)

  @Test("what fits stays as it is", arguments: [58, 100])
  func fits(columns: Int) {
    let text = "short\n\n" + table + "the end\n"
    #expect(text.folded(to: columns) == text)
  }

  @Test("a table that is too wide becomes two, each with the first column")
  func table2() {
    #expect(
      table.folded(to: 45) == """
        | system  | parameters | development % |
        | ------- | ---------: | ------------: |
        | student |    741,624 |  68.66 ± 2.96 |
        | a|b     |          1 |             2 |

        | system  |       test % |
        | ------- | -----------: |
        | student | 67.08 ± 2.67 |
        | a|b     |            3 |

        """)
  }

  @Test("a cell that is too wide continues below")
  func cells() {
    let names = markdownTable(
      [["who", "names"], ["s-0", "AA B CC DD EE FF GG HH"]], leftColumns: 2)
    #expect(
      names.folded(to: 20) == """
        | who | names      |
        | --- | ---------- |
        | s-0 | AA B CC DD |
        |     | EE FF GG   |
        |     | HH         |

        """)
  }

  @Test("lines break at blanks, and continue below their text")
  func lines() {
    #expect(
      "layers       840 → 512, ReLU, 430592 parameters\n".folded(to: 30) == """
        layers       840 → 512, ReLU,
                     430592 parameters

        """)
    #expect(
      "Usage: limbeck train <recipe> [--set <option=value> ...] [--jobs <jobs>]".folded(to: 40)
        == """
        Usage: limbeck train <recipe>
          [--set <option=value> ...]
          [--jobs <jobs>]
        """)
    let path = "/a/rather/long/path/that/stays/whole"
    #expect("see \(path) for more".folded(to: 20) == "see\n  \(path)\n  for more")
  }

  @Test("no line is wider than the terminal, and no word is lost", arguments: 48...130)
  func everyWidth(columns: Int) {
    let text = table + "\nThe share of the gain recovered by the student [of its kind] is given.\n"
    let folded = text.folded(to: columns)
    #expect(folded.split(separator: "\n").allSatisfy { $0.count <= columns })
    for word in ["parameters", "68.66", "67.08", "recovered", "kind]", "given."] {
      #expect(folded.contains(word))
    }
  }
}
