import Corpus
import Features
import Foundation
import TestSupport
import Testing
import Training

@Suite("The documentation")
struct DocumentationTests {
  /// The text of a page of the catalogue.
  private func page(_ name: String) throws -> String {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent()
    return try String(
      contentsOf: root.appending(path: "Sources/LimbeckCLI/Documentation.docc/\(name).md"),
      encoding: .utf8)
  }

  @Test("every option of training, features and perturbed copies has its row")
  func options() throws {
    let training = TrainingOptions.CodingKeys.allCases.map(\.stringValue)
    let copies = AugmentationOptions.CodingKeys.allCases.map(\.stringValue)
    let features =
      LogMelOptions.CodingKeys.allCases.map(\.stringValue)
      + FeatureTransform.CodingKeys.allCases.map(\.stringValue)
    for (name, keys) in [("Training", training + copies), ("Features", features)] {
      let rows = try page(name).split(separator: "\n").filter { $0.hasPrefix("|") }.joined()
      for key in keys { #expect(rows.contains("`\(key)`"), "\(name).md: \(key)") }
    }
  }

  @Test("every verb has its line, and its help")
  func verbs() throws {
    let text = try page("CommandLine")
    let help = try limbeck("help").output
    let verbs = help.split(separator: "\n").filter { $0.hasPrefix("  ") && !$0.hasPrefix("   ") }
      .compactMap { $0.split(separator: " ").first.map(String.init) }
      .filter { $0.first?.isLowercase == true }
    #expect(verbs.count >= 11, "\(help)")
    for verb in verbs { #expect(text.contains("limbeck \(verb)"), "CommandLine.md: \(verb)") }
  }
}
