import Foundation
import SystemPackage
import TestSupport
import Testing

@Suite("Trainings that are stopped, starved or misled")
struct TrainingCommandTests {
  /// A corpus of more frames than fit in the pool, and a recipe that trains on it for a second or so.
  private func corpus() throws -> SampleCorpus {
    let corpus = try SampleCorpus(utterances: ["train": 90, "development": 3, "test": 4])
    let recipe = try String(contentsOfFile: corpus.recipePath.string, encoding: .utf8)
    let training = "training: {epochs: 3, batchSize: 32, pool: 4096, chunk: 8, patience: 3"
    try corpus.folder.write(
      recipe
        .replacing(
          "hidden: {layers: 1, units: 12}\n  training: {epochs: 2, batchSize: 32, dropout: 0.1}",
          with: """
            hidden: {units: 40, timeOffsets: [[-1, 0, 1], [-2, 2]], batchNormalization: true}
              \(training), dropout: 0.1, clipNorm: 1}
            """
        )
        .replacing(
          "training: {epochs: 2, batchSize: 32}", with: "\(training), optimizer: adamw}"),
      to: "recipe.yaml")
    return corpus
  }

  /// What an experiment leaves that is to be repeatable, but for rates.
  private func results(_ path: FilePath) throws -> [String: Data] {
    var files: [String: Data] = [:]
    for folder in ["models", "soft-targets", "targets/train"] {
      for name in try FileManager.default.subpathsOfDirectory(atPath: "\(path)/\(folder)")
      where !name.hasSuffix(".scp") {
        // A folder has none.
        guard let bytes = FileManager.default.contents(atPath: "\(path)/\(folder)/\(name)")
        else { continue }
        let text = String(decoding: bytes, as: UTF8.self)
          .replacing(#/"framesPerSecond":[0-9]+,/#, with: "")
        files["\(folder)/\(name)"] = name.hasSuffix(".log.jsonl") ? Data(text.utf8) : bytes
      }
    }
    return files
  }

  /// A copy of the corpus's lists in the folder of another experiment.
  private func experiment(_ name: String, of corpus: SampleCorpus) throws -> FilePath {
    let path = corpus.folder.file(name)
    try FileManager.default.createDirectory(atPath: path.string, withIntermediateDirectories: true)
    try FileManager.default.copyItem(
      atPath: corpus.experimentPath.appending("data").string, toPath: path.appending("data").string)
    return path
  }

  @Test("killed at twenty instants and gone on with each time, a run ends in the same bytes")
  func kills() throws {
    let corpus = try corpus()
    let whole = try limbeck("run", corpus.recipePath, corpus.experimentPath)
    #expect(whole.status == 0, "\(whole.errors)")
    let path = try experiment("killed", of: corpus)
    var (kills, inTrainings) = (0, 0)
    // Instants between 20 and 400 ms, which lie in features, trainings of several networks, soft targets
    // and the student; threads and networks side by side change from run to run.
    var state: UInt64 = 91
    while kills < 20 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      let process = program([
        "run", corpus.recipePath, path, "--checkpoint-minutes", "0", "--threads",
        "\(1 + kills % 2)", "--networks", "\(1 + kills / 2 % 2)",
      ])
      process.standardOutput = FileHandle.nullDevice
      process.standardError = FileHandle.nullDevice
      try process.run()
      usleep(useconds_t(20_000 + (state >> 33) % 380_000))
      guard process.isRunning else {
        // It was done by then: its trainings begin anew.
        #expect(process.terminationStatus == 0)
        for folder in ["models", "soft-targets", "stages"] {
          try FileManager.default.removeItem(atPath: "\(path)/\(folder)")
        }
        continue
      }
      kill(process.processIdentifier, SIGKILL)
      process.waitUntilExit()
      kills += 1
      let begun = try? FileManager.default.subpathsOfDirectory(
        atPath: path.appending("checkpoints").string)
      if begun?.contains(where: { $0.hasSuffix(".safetensors") }) == true { inTrainings += 1 }
    }
    // The others hit features, soft targets, or the moments between two networks.
    #expect(inTrainings >= 5)
    let last = try limbeck("run", corpus.recipePath, path, "--threads", "2")
    #expect(last.status == 0, "\(last.errors)")
    let (expected, found) = (try results(corpus.experimentPath), try results(path))
    #expect(found.keys.sorted() == expected.keys.sorted())
    for (name, bytes) in expected {
      let isText = name.hasSuffix("jsonl")
      #expect(
        found[name] == bytes,
        "\(name) \(isText ? String(decoding: bytes + (found[name] ?? Data()), as: UTF8.self) : "")")
    }
    #expect(!FileManager.default.fileExists(atPath: path.appending("checkpoints/student").string))
  }

  @Test("a full disk is status 74 with the file named, and the run goes on when there is room")
  func fullDisk() throws {
    let corpus = try corpus()
    #expect(try limbeck("run", corpus.recipePath, corpus.experimentPath).status == 0)
    let path = try experiment("full", of: corpus)
    #expect(try limbeck("run", corpus.recipePath, path, "--until", "targets").status == 0)
    // A checkpoint needs more than 16 kB.
    let (status, text) = try starved(16, "run", corpus.recipePath, path, "--threads", "1")
    #expect(status == 74, "\(text)")
    #expect(text.contains("checkpoints/") && text.contains("cannot be written"), "\(text)")
    #expect(try limbeck("run", corpus.recipePath, path).status == 0)
    let (expected, found) = (try results(corpus.experimentPath), try results(path))
    for (name, bytes) in expected { #expect(found[name] == bytes, "\(name)") }
  }

  @Test("soft targets of several T go on after a full disk, to the bytes of passes of their own")
  func fullDiskInLabels() throws {
    let corpus = try SampleCorpus(utterances: ["train": 90, "development": 3, "test": 4])
    let recipe = try String(contentsOfFile: corpus.recipePath.string, encoding: .utf8)
    let path = corpus.experimentPath
    try corpus.folder.write(
      recipe + "search: {temperatures: [1, 4], hardWeights: [0]}\n", to: "recipe.yaml")
    #expect(try limbeck("run", corpus.recipePath, path, "--until", "train").status == 0)
    // The soft targets of T = 1 are the first to need more than 12 kB, so those of T = 4 are behind.
    let (status, text) = try starved(12, "run", corpus.recipePath, path)
    #expect(status == 74, "\(text)")
    #expect(text.contains("soft-targets/") && text.contains("cannot be written"), "\(text)")
    let begun = try ["1.0", "4.0"].map {
      try FileManager.default.attributesOfItem(
        atPath: "\(path)/soft-targets/arithmetic-T\($0)/train.ark.part")[.size] as? Int
    }
    #expect(try #require(begun[0]) > #require(begun[1]))
    let run = try limbeck("run", corpus.recipePath, path)
    #expect(run.status == 0, "\(run.errors)")
    let found = try results(path)
    for temperature in [1, 4] {
      try corpus.folder.write(
        recipe + "distillation: {temperature: \(temperature)}\n", to: "recipe.yaml")
      try FileManager.default.removeItem(atPath: "\(path)/soft-targets")
      #expect(try limbeck("run", corpus.recipePath, path).status == 0)
      let own = try results(path).filter { $0.key.hasPrefix("soft-targets/") }
      #expect(own.count == 2)
      for (name, bytes) in own { #expect(found[name] == bytes, "\(name)") }
    }
  }

  @Test("copies that are too short for a frame are no reason for a status of 65")
  func shortCopies() throws {
    let corpus = try SampleCorpus()
    // 25 ms are a frame, at twice the speed half a frame.
    AudioFixture.write(
      generatedWaveform(count: 240), to: corpus.folder.file("audio/train-0.wav"), sampleRate: 8000)
    let alignment = corpus.experimentPath.appending("data/phones.ctm")
    let ctm = try String(contentsOfFile: alignment.string, encoding: .utf8)
    let others = ctm.split(separator: "\n").filter { !$0.hasPrefix("train-0") }
    try corpus.folder.write(
      (others + ["train-0 1 0 0.03 A", ""]).joined(separator: "\n"), to: "exp/data/phones.ctm")
    let run = try limbeck(
      "run", corpus.recipePath, corpus.experimentPath, "--set",
      "augmentation={copies: 2, speed: [2]}")
    #expect(run.status == 0 && run.errors.contains("train-0"), "\(run.errors)")
  }

  @Test("a scoring map that is missing is said before any work")
  func missingMap() throws {
    let corpus = try SampleCorpus()
    let run = try limbeck(
      "run", corpus.recipePath, corpus.experimentPath, "--set", "scoring.fold=nope.txt")
    #expect(run.status == 66 && run.errors.contains("nope.txt: no such file"), "\(run.errors)")
    #expect(
      !FileManager.default.fileExists(atPath: corpus.experimentPath.appending("features").string))
  }

  @Test("a recipe with mistakes: each is named with its place, and nothing is trained")
  func mistakes() throws {
    let corpus = try SampleCorpus()
    let recipe = try String(contentsOfFile: corpus.recipePath.string, encoding: .utf8)
    #expect(
      try limbeck("run", corpus.recipePath, corpus.experimentPath, "--until", "targets").status == 0
    )
    for (old, new, message) in [
      (
        "dropout: 0.1", "droput: 0.1",
        "unknown option ensemble.training.droput; did you mean dropout?"
      ),
      (
        "dropout: 0.1", "schedule: cosin",
        "schedule: expected constant, exponential, cosine, newbob"
      ),
      ("dropout: 0.1", "optimizer: adagrad", "optimizer: expected sgd, adam, adamw, found adagrad"),
      (
        "dropout: 0.1", "classWeights: {SILL: 0.5}",
        "unknown option classWeights.SILL; did you mean SIL?"
      ),
      (
        "training: {epochs: 2, batchSize: 32}",
        "training: {epochs: 2, batchSize: 32, classWeights: {C: 2}}",
        "unknown option classWeights.C"
      ),
      (
        "hidden: {layers: 1, units: 12}\n  training: {epochs: 2, batchSize: 32}",
        "hidden: {timeOffsets: [[0, 1]]}\n  training: {chunk: 64, batchSize: 32}",
        "student.training.chunk: expected at most the batchSize, 32 frames, found 64"
      ),
      ("dropout: 0.1", "learningRate: fast", "a number for ensemble.training.learningRate"),
      (
        "units: 12}\n  training: {epochs: 2, batchSize: 32, d",
        "units: 12, timeOffsets: [[0, -1]]}\n  training: {epochs: 2, batchSize: 32, d",
        "timeOffsets: expected ascending frame offsets from -1000 to 1000"
      ),
      (
        "layers: 1, units: 12", "layers: 2, units: 12, timeOffsets: [[0]]",
        "timeOffsets: expected one list for each of 2 layers, at least one, found 1"
      ),
      ("dropout: 0.1", "learningRate: 1e9", "member-00: the loss"),
    ] {
      let changed = recipe.replacing(old, with: new, maxReplacements: 1)
      #expect(changed != recipe)
      let path = try corpus.folder.write(changed, to: "wrong.yaml")
      let run = try limbeck("train", path, corpus.experimentPath)
      #expect(run.status == 65, "\(new): \(run.errors)")
      #expect(run.errors.contains(message), "\(new): \(run.errors)")
      #expect(
        !FileManager.default.fileExists(
          atPath: corpus.experimentPath.appending("models/member-00.safetensors").string))
      try? FileManager.default.removeItem(atPath: corpus.experimentPath.appending("models").string)
    }
  }

  @Test("a checkpoint of another recipe is refused, and the one that was begun can go on")
  func otherRecipe() throws {
    let corpus = try corpus()
    let recipe = try String(contentsOfFile: corpus.recipePath.string, encoding: .utf8)
    #expect(
      try limbeck("run", corpus.recipePath, corpus.experimentPath, "--until", "targets").status == 0
    )
    // Stopped by a rate that is too large in the last epochs is not to be had: a training is killed.
    let process = program([
      "train", corpus.recipePath, corpus.experimentPath, "--member", "0", "--checkpoint-minutes",
      "0",
    ])
    process.standardError = FileHandle.nullDevice
    try process.run()
    let folder = corpus.experimentPath.appending("checkpoints/member-00")
    while process.isRunning,
      ((try? FileManager.default.contentsOfDirectory(atPath: folder.string)) ?? [])
        .filter({ $0.hasSuffix(".safetensors") }).count < 2
    {
      usleep(1000)
    }
    kill(process.processIdentifier, SIGKILL)
    process.waitUntilExit()
    let path = try corpus.folder.write(
      recipe.replacing("dropout: 0.1", with: "dropout: 0.2"), to: "other.yaml")
    let refused = try limbeck("train", path, corpus.experimentPath, "--member", "0")
    #expect(refused.status == 65)
    #expect(refused.errors.contains("expected a checkpoint of this training"), "\(refused.errors)")
    #expect(refused.errors.contains("\"dropout\":0.2"), "\(refused.errors)")
    #expect(
      try limbeck("train", corpus.recipePath, corpus.experimentPath, "--member", "0").status == 0)
  }

  @Test("training from an archive of 50 GB takes no more memory than the pool says")
  func memory() throws {
    let folder = try TemporaryFolder()
    // 3,125 utterances of 2,000 frames of 2,000 features, which take no room on the disk but for their
    // headers; classes of all frames.
    let (utterances, frames, columns) = (3125, 2000, 2000)
    let path = try folder.write(Data(), to: "feats.ark")
    let archive = try FileHandle(forWritingTo: URL(fileURLWithPath: path.string))
    var place: UInt64 = 0
    var labels = Data()
    func integer(_ value: Int) -> Data {
      Data([4] + (0..<4).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) })
    }
    let label = integer(1)
    let run = Data((0..<frames).flatMap { _ in label })
    for number in 0..<utterances {
      let head =
        Data("u\(number) \0BFM ".utf8) + integer(frames) + integer(columns)
      try archive.seek(toOffset: place)
      try archive.write(contentsOf: head)
      place += UInt64(head.count + 4 * frames * columns)
      labels += Data("u\(number) \0B".utf8) + integer(frames) + run
    }
    try archive.truncate(atOffset: place)
    try archive.close()
    try folder.write(labels, to: "targets.ark")
    #expect(place > 50_000_000_000)

    let process = program([])
    process.executableURL = process.executableURL?.deletingLastPathComponent()
      .appendingPathComponent("Benchmarks")
    process.arguments = [
      "training", "2000", "64", "1", "10", "256", "--features", path.string, "--targets",
      folder.file("targets.ark").string, "--pool", "16384", "--seconds", "0.3",
      // 800 MB, far more than may be in memory.
      "--least-frames", "100000",
    ]
    let output = Pipe()
    (process.standardOutput, process.standardError) = (output, FileHandle.nullDevice)
    try process.run()
    let text = String(
      decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    #expect(process.terminationStatus == 0)
    struct Figure: Decodable {
      let name: String
      let value: Double
    }
    let figures = try text.split(separator: "\n").map {
      try JSONDecoder().decode(Figure.self, from: Data($0.utf8))
    }
    let peak = try #require(figures.first { $0.name == "peak resident memory" }?.value)
    // The pool of 131 MB, a dozen batches of 2 MB each, the program and its index.
    #expect(peak < 131 + 12 * 2 + 60, "\(peak) MB")
  }
}
