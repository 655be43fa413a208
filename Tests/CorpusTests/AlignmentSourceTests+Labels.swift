import Classes
import Corpus
import Storage
import SystemPackage
import TestSupport
import Testing

/// What labels decide: words are left whole, and integers renumbered.
extension AlignmentSourceTests {
  @Test(
    "labels are split into states unless one is too long for a phone",
    arguments: [
      (["AH0_B", "axr", "h#", "ʈ͡ʂʰ", "SIL", "[noise]", "aI"], 3), (["zero", "one", "two"], 3),
      (["one", "seven", "SIL"], 1), (["<unknown>", "laughter"], 1), (["AA1_S", "B_E"], 3),
    ])
  func wholeWords(labels: [String], states: Int) throws {
    let ctm = labels.enumerated().map { "u 1 \($0) 1 \($1)\n" }.joined()
    let source = try source(.ctm, ctm) { $0.states = nil }
    #expect(source.states == states)
    #expect(source.inventory.count == states * labels.count)
    let remark = try #require(source.remarks.last)
    #expect(remark.hasPrefix(states == 1 ? "labels are left whole" : "labels are split into 3"))
    // An option decides without a remark.
    let whole = try self.source(.ctm, ctm) { $0.states = 1 }
    #expect(whole.states == 1 && whole.remarks.isEmpty)
    #expect(try self.source(.ctm, ctm) { $0.states = 3 }.states == 3)
  }

  @Test("words may last longer than phones")
  func longWords() throws {
    let ctm = "u 1 0 3 seventeen\nu 1 3 0.5 SIL\n"
    let words = try source(.ctm, ctm) { ($0.states, $0.longestPhone) = (nil, 2) }
    #expect(try Set(targets(words, frames: 349)) == ["seventeen", "SIL"])
    let phones = try source(.ctm, ctm.replacing("seventeen", with: "AA")) {
      ($0.states, $0.longestPhone) = (nil, 2)
    }
    let fault = #expect(throws: AlignmentFault.self) { try targets(phones, frames: 349) }
    #expect(fault?.description.hasPrefix("expected labels of at most 2.0 s, found AA") == true)
  }

  @Test("classes that are given decide whether labels are whole")
  func givenClasses() throws {
    let path = try folder.write("one 0\ntwo 1\n", to: "given.txt")
    let source = try source(.ctm, "u 1 0 0.1 two\n") { ($0.states, $0.classes) = (nil, path) }
    #expect(source.states == 1)
    #expect(try targets(source, frames: 9).allSatisfy { $0 == "two" })
  }

  @Test("integers are renumbered, which a remark says, or kept with a class for each")
  func keptIDs() throws {
    let archive = "u 7 7 2 2 0\n"
    let dense = try source(.archive, archive) { $0.states = nil }
    #expect(dense.inventory.symbols == ["0", "2", "7"])
    #expect(dense.remarks.first?.hasPrefix("3 integers from 0 to 7 are renumbered") == true)
    let kept = try source(.archive, archive) { ($0.states, $0.keepIDs) = (nil, true) }
    #expect(kept.inventory.symbols == (0...7).map(String.init) && kept.remarks.isEmpty)
    #expect(try targets(kept, frames: 5) == ["7", "7", "2", "2", "0"])
    let names = try folder.write("0 SIL_1\n2 AA_1\n7 AA_1\n9 B_1\n", to: "names.txt")
    let named = try source(.archive, archive) {
      ($0.states, $0.keepIDs, $0.names) = (nil, true, names)
    }
    #expect(named.inventory.symbols == ["SIL_1:0", "1", "AA_1:2", "3", "4", "5", "6", "AA_1:7"])
    #expect(try targets(named, frames: 5) == ["AA_1:7", "AA_1:7", "AA_1:2", "AA_1:2", "SIL_1:0"])
    let same = try source(.archive, "u 0 1 2\n") { $0.states = nil }
    #expect(same.remarks.isEmpty)
    let fault = #expect(throws: OptionFault.self) {
      var options = TargetOptions(format: .ctm, path: "a")
      options.keepIDs = true
      try options.validate()
    }
    #expect(fault?.description.hasPrefix("keepIDs: ") == true)
  }
}
