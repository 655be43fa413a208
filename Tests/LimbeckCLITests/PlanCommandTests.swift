import Foundation
import TestSupport
import Testing

@Suite("plan")
struct PlanCommandTests {
  /// What `--json` prints, as far as it is asked for.
  private struct Plan: Decodable {
    struct Step: Decodable {
      let step: String
      let state: String
      let needs: [String]
      let framesToGo: Int?
    }
    let steps: [Step]
  }

  @Test("the plan is a tree, JSON or a graph, and the same in each")
  func forms() throws {
    let corpus = try SampleCorpus()
    let (recipe, exp) = (corpus.recipePath, corpus.experimentPath)
    #expect(try limbeck("run", recipe, exp, "--until", "targets").status == 0)
    let json = try limbeck("plan", recipe, exp, "--json")
    #expect(json.status == 0)
    let steps = try JSONDecoder().decode(Plan.self, from: Data(json.output.utf8)).steps
    let tree = try limbeck("plan", recipe, exp).output.replacing(",", with: "")
      .split(separator: "\n")
    let graph = try limbeck("plan", recipe, exp, "--dot").output
    for step in steps {
      let line = try #require(tree.first { $0.contains(" \(step.step) ") })
      #expect(line.contains(step.state) && line.count <= 100)
      if let frames = step.framesToGo, frames > 0 {
        #expect(line.hasSuffix("\(frames) frames to go"))
      }
      for other in step.needs { #expect(graph.contains("\"\(other)\" -> \"\(step.step)\";")) }
    }
    let known = steps.reduce(0) { $0 + ($1.framesToGo ?? 0) }
    #expect(tree.last == "6 of 12 steps done at least \(known) frames to go")
  }

  @Test("a plan needs a recipe, and one form")
  func usage() throws {
    #expect(try limbeck("plan", "/no/recipe.yaml", "/no/exp").status == 66)
    #expect(try limbeck("plan", "a", "b", "--json", "--dot").status == 64)
  }
}
