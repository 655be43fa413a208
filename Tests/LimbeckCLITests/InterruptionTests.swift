import Foundation
import SystemPackage
import TestSupport
import Testing

@Suite("Commands that a signal asks to end", .serialized)
struct InterruptionTests {
  /// Starts the program with what it says going to a file, and gives it a signal once `isReached`.
  ///
  /// - Returns: its status and what it said.
  private func interrupted(
    by signal: Int32, _ arguments: [any Argument], in folder: TemporaryFolder,
    once isReached: () -> Bool
  ) throws -> (status: Int32, errors: String) {
    let said = folder.file("said")
    try folder.write("", to: "said")
    let process = program(arguments)
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle(forWritingAtPath: said.string)
    try process.run()
    while process.isRunning, !isReached() { usleep(1000) }
    kill(process.processIdentifier, signal)
    process.waitUntilExit()
    return (process.terminationStatus, try String(contentsOfFile: said.string, encoding: .utf8))
  }

  private func names(in path: FilePath, ending suffix: String) -> [String] {
    let all = try? FileManager.default.subpathsOfDirectory(atPath: path.string)
    return (all ?? []).filter { $0.hasSuffix(suffix) }
  }

  @Test(
    "a training saves its state and says how to go on, and goes on to the same bytes",
    arguments: [(SIGTERM, "SIGTERM", Int32(143)), (SIGINT, "SIGINT", Int32(130))])
  func training(signal: Int32, name: String, status: Int32) throws {
    let corpus = try SampleCorpus(utterances: ["train": 60, "development": 3, "test": 4])
    let arguments: [any Argument] = ["--set", "ensemble.training.epochs=12", "--threads", "2"]
    let path = corpus.folder.file("stopped")
    try FileManager.default.createDirectory(atPath: path.string, withIntermediateDirectories: true)
    try FileManager.default.copyItem(
      atPath: corpus.experimentPath.appending("data").string, toPath: path.appending("data").string)
    let whole = try limbeck(["run", corpus.recipePath, corpus.experimentPath] + arguments)
    #expect(whole.status == 0, "\(whole.errors)")

    let stopped = try interrupted(
      by: signal, ["run", corpus.recipePath, path] + arguments, in: corpus.folder
    ) { !names(in: path.appending("checkpoints"), ending: ".safetensors").isEmpty }
    #expect(stopped.status == status, "\(stopped.errors)")
    let last = stopped.errors.split(separator: "\n").last
    #expect(last == "limbeck: interrupted by \(name); rerun the same command to resume")
    #expect(stopped.errors.ranges(of: "interrupted").count == 1, "\(stopped.errors)")
    // Two networks side by side: each has its state, and no model is there yet.
    for member in ["member-00", "member-01"] {
      let kept = names(in: path.appending("checkpoints/\(member)"), ending: ".safetensors")
      #expect(!kept.isEmpty, "\(member)")
    }
    #expect(names(in: path.appending("models"), ending: ".safetensors").isEmpty)

    let again = try limbeck(["run", corpus.recipePath, path] + arguments)
    #expect(again.status == 0, "\(again.errors)")
    let models = names(in: corpus.experimentPath.appending("models"), ending: ".safetensors")
    #expect(models.count == 4, "\(models)")
    for model in models {
      let expected = FileManager.default.contents(
        atPath: "\(corpus.experimentPath)/models/\(model)")
      let found = FileManager.default.contents(atPath: "\(path)/models/\(model)")
      #expect(found == expected, "\(model)")
    }
  }

  @Test("features end after an utterance, with none skipped, and go on to the same bytes")
  func features() throws {
    let corpus = try SampleCorpus(utterances: ["train": 60])
    let data = corpus.experimentPath.appending("data/train")
    // The recordings come from commands, so slowly that the signal finds some done and some not.
    let script = try String(contentsOfFile: data.appending("wav.scp").string, encoding: .utf8)
    let slow = script.split(separator: "\n").map { line in
      let fields = line.split(separator: " ")
      return "\(fields[0]) sleep 0.03; cat \(fields[1]) |\n"
    }
    try slow.joined().write(
      toFile: data.appending("wav.scp").string, atomically: true, encoding: .utf8)
    func arguments(_ name: String) -> [any Argument] {
      [
        "features", data, corpus.folder.file(name), "--allow-commands", "--sample-rate", "8000",
        "--jobs", "1",
      ]
    }
    #expect(try limbeck(arguments("whole")).status == 0)
    let journal = corpus.folder.file("stopped/feats.ark.journal.part")
    let stopped = try interrupted(by: SIGTERM, arguments("stopped"), in: corpus.folder) {
      (FileManager.default.contents(atPath: journal.string) ?? Data()).split(separator: 10).count
        > 4
    }
    #expect(stopped.status == 143, "\(stopped.errors)")
    let kept = try String(contentsOfFile: journal.string, encoding: .utf8)
    #expect(!kept.contains("\"reason\""), "\(kept)")
    #expect(!FileManager.default.fileExists(atPath: corpus.folder.file("stopped/feats.ark").string))
    let again = try limbeck(arguments("stopped"))
    #expect(again.status == 0, "\(again.errors)")
    #expect(again.errors.contains("resuming after"), "\(again.errors)")
    for file in ["feats.ark", "utt2num_frames", "ledger.jsonl"] {
      let expected = FileManager.default.contents(
        atPath: corpus.folder.file("whole/\(file)").string)
      let found = FileManager.default.contents(atPath: corpus.folder.file("stopped/\(file)").string)
      #expect(found == expected && expected != nil, "\(file)")
    }
  }
}
