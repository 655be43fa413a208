import Foundation
import TestSupport
import Testing

@Suite("Memory that cannot be had")
struct MemoryCommandTests {
  @Test("a network larger than the limit on address space is refused with its name and status 71")
  func tooLarge() throws {
    let corpus = try SampleCorpus(utterances: ["train": 3, "development": 2, "test": 2])
    let recipe = try String(contentsOfFile: corpus.recipePath, encoding: .utf8)
    try corpus.folder.write(
      recipe.replacing("hidden: {layers: 1, units: 12}", with: "hidden: {layers: 3, units: 20000}"),
      to: "recipe.yaml")
    let shell = Process()
    shell.executableURL = URL(fileURLWithPath: "/bin/bash")
    let own = program(["run", corpus.recipePath, corpus.experimentPath, "--threads", "1"])
    let name = try #require(own.executableURL).path
    shell.arguments =
      ["-c", "ulimit -v 3000000; exec \"$@\"", "bash", name] + (own.arguments ?? [])
    let errors = Pipe()
    (shell.standardOutput, shell.standardError) = (FileHandle.nullDevice, errors)
    try shell.run()
    let text = String(
      decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    shell.waitUntilExit()
    #expect(shell.terminationReason == .exit)
    #expect(shell.terminationStatus == 71, "\(text)")
    #expect(text.contains("member-00 ("))
    #expect(text.contains("ulimit -v"))
  }
}
