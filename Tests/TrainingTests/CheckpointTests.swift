import Features
import Foundation
import LinearAlgebra
import Networks
import Storage
import SystemPackage
import TestSupport
import Testing
import Training

@Suite("Checkpoints and logs")
struct CheckpointTests {
  private let folder: TemporaryFolder
  private let train = FrameSet(sampleUtterances(seed: 51), normalizer: sampleNormalizer)
  private let development = FrameSet(sampleUtterances(seed: 52), normalizer: sampleNormalizer)

  init() throws { folder = try TemporaryFolder() }

  private func options(_ schedule: String, _ averaging: String) throws -> TrainingOptions {
    try JSONDecoder().decode(
      TrainingOptions.self,
      from: Data(
        """
        {"epochs": 4, "batchSize": 16, "chunk": 4, "dropout": 0.2, "optimizer": "adam",
        "learningRate": 0.02, "schedule": "\(schedule)"\(averaging)}
        """.utf8))
  }

  private var checkpoints: CheckpointFolder { checkpoints(["limbeck 1", "seed 7"]) }

  /// With a checkpoint after each step.
  private func checkpoints(_ identity: [String]) -> CheckpointFolder {
    let path = folder.file("warnings")
    return CheckpointFolder(folder.file("checkpoints"), identity: identity, pause: .zero) { text in
      let old = (try? String(contentsOfFile: path.string, encoding: .utf8)) ?? ""
      try? (old + text + "\n").write(toFile: path.string, atomically: true, encoding: .utf8)
    }
  }

  private var warned: String {
    (try? String(contentsOfFile: folder.file("warnings").string, encoding: .utf8)) ?? ""
  }

  /// When the files are kept as they are, as if the training were killed then.
  private enum Moment: Equatable {
    case never
    /// After so many steps, before their checkpoint.
    case step(Int)
    /// After an epoch, before it is in the log.
    case epoch(Int)
  }

  private func run(
    _ checkpoints: CheckpointFolder?, log: String? = nil, keeping moment: Moment = .never,
    schedule: String = "cosine", averaging: String = ""
  ) throws -> Trainer.Outcome {
    let hidden = HiddenShape(
      layers: 2, units: 9, timeOffsets: [[-1, 0, 1], [-1, 2]], batchNormalization: true)
    let network = AcousticNetwork(
      features: 4, context: 0...0, hidden: hidden, classes: 3, seed: 7)
    let paths = log.map {
      TrainingLog.Paths(lines: folder.file($0), events: folder.file("\($0).tfevents"))
    }
    let trainer = Trainer(
      options: try options(schedule, averaging), seed: 7, workers: .one, checkpoints: checkpoints,
      log: paths)
    var taken = 0
    return try trainer.train(
      network, on: train, objective: HardTargets(), development: development
    ) { event in
      switch event {
      case .frames:
        taken += 1
        if moment == .step(taken) { keep() }
      case .epoch(let record): if moment == .epoch(record.epoch) { keep() }
      case .steps: break
      }
    }
  }

  private func keep() {
    let kept = folder.file("kept").string
    try? FileManager.default.removeItem(atPath: kept)
    try? FileManager.default.createDirectory(atPath: kept, withIntermediateDirectories: true)
    for name in ["checkpoints", "log.part", "log.tfevents.part"] {
      try? FileManager.default.copyItem(atPath: folder.file(name).string, toPath: kept + "/" + name)
    }
  }

  /// Puts back what was there at a step.
  private func restoreKept() throws {
    for name in ["checkpoints", "log", "log.part", "log.tfevents", "log.tfevents.part"] {
      try? FileManager.default.removeItem(atPath: folder.file(name).string)
      if FileManager.default.fileExists(atPath: folder.file("kept/" + name).string) {
        try FileManager.default.copyItem(
          atPath: folder.file("kept/" + name).string, toPath: folder.file(name).string)
      }
    }
  }

  private var files: [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: folder.file("checkpoints").string)) ?? [])
      .sorted()
  }

  @Test(
    "from a checkpoint of any step, the outcome and the log are those of a run that was left alone",
    arguments: [2, 3, 9, 10, 17, 30, 36], ["cosine", "newbob"])
  func resumes(step: Int, schedule: String) throws {
    try expectSame(.step(step), schedule)
  }

  @Test("the same between an epoch's last step and its record", arguments: [1, 3, 4])
  func resumesAtEpoch(epoch: Int) throws {
    try expectSame(.epoch(epoch), "cosine")
  }

  @Test(
    "the same with averaged weights",
    arguments: [Moment.step(3), .step(17), .step(30), .step(36), .epoch(2), .epoch(3), .epoch(4)],
    [#""decay": 0.9"#, #""epochs": 3"#])
  private func resumesAverages(moment: Moment, averaging: String) throws {
    try expectSame(moment, "cosine", averaging: #", "averaging": {\#(averaging)}"#)
  }

  private func expectSame(
    _ moment: Moment, _ schedule: String, averaging: String = ""
  ) throws {
    let whole = try run(nil, log: "whole", schedule: schedule, averaging: averaging)
    _ = try run(
      checkpoints, log: "log", keeping: moment, schedule: schedule, averaging: averaging)
    try restoreKept()
    #expect((1...2).contains(files.count))
    let resumed = try run(checkpoints, log: "log", schedule: schedule, averaging: averaging)
    #expect(resumed.network == whole.network)
    #expect(resumed.epoch == whole.epoch)
    #expect(resumed.history == whole.history)
    #expect(
      try TextFile.text(of: folder.file("log")) == TextFile.text(of: folder.file("whole")))
    #expect(warned.isEmpty)
  }

  @Test("a training that was done but for its model goes on to the same model and log")
  func done() throws {
    let whole = try run(checkpoints, log: "log")
    let log = try TextFile.text(of: folder.file("log"))
    // The log has its name by now, and the checkpoint of the last epoch is still there.
    let again = try run(checkpoints, log: "log")
    #expect(again.network == whole.network)
    #expect(try TextFile.text(of: folder.file("log")) == log)
  }

  @Test("a checkpoint that was cut or damaged is passed over, with a word, for the one before")
  func damaged() throws {
    let whole = try run(nil)
    _ = try run(checkpoints, keeping: .step(14))
    for damage in ["cut", "bit", "progress", "empty"] {
      try restoreKept()
      try? FileManager.default.removeItem(atPath: folder.file("warnings").string)
      let newest = folder.file("checkpoints/\(try #require(files.last))").string
      var bytes = try Data(contentsOf: URL(fileURLWithPath: newest))
      switch damage {
      case "cut": bytes = bytes.prefix(bytes.count - 100)
      case "bit": bytes[bytes.count - 50] ^= 1
      case "progress":
        let digit = try #require(bytes.range(of: Data(#""block\":"#.utf8))).upperBound
        bytes[digit] = UInt8(ascii: "9")
      default: bytes = Data()
      }
      try bytes.write(to: URL(fileURLWithPath: newest))
      #expect(try run(checkpoints).network == whole.network, "\(damage)")
      #expect(warned.contains(newest) && warned.contains("resuming from"), "\(damage): \(warned)")
    }
  }

  @Test("damaged checkpoints do not stand in the way of those that are written after them")
  func progressAfterDamage() throws {
    let whole = try run(nil, log: "whole")
    _ = try run(checkpoints, log: "log", keeping: .step(20))
    try restoreKept()
    for name in files { try folder.write("", to: "checkpoints/\(name)") }
    // From the start, and killed again: there is a checkpoint to go on from.
    _ = try run(checkpoints, log: "log", keeping: .step(10))
    try restoreKept()
    #expect(
      files.contains { $0.hasPrefix("000000000009") && $0.hasSuffix(".safetensors") }, "\(files)")
    try? FileManager.default.removeItem(atPath: folder.file("warnings").string)
    #expect(try run(checkpoints, log: "log").network == whole.network)
    #expect(warned.isEmpty)
    #expect(
      try TextFile.text(of: folder.file("log")) == TextFile.text(of: folder.file("whole")))
  }

  @Test("a log shorter than its checkpoint says is started again with all epochs, with a warning")
  func shortLog() throws {
    let whole = try run(nil)
    for size in [0, 100] {
      _ = try run(checkpoints, log: "log", keeping: .step(25))
      try restoreKept()
      let part = try Data(contentsOf: URL(fileURLWithPath: folder.file("log.part").string))
      try folder.write(part.prefix(size), to: "log.part")
      #expect(try run(checkpoints, log: "log").network == whole.network)
      let epochs = try TextFile.lines(of: folder.file("log")).map {
        try JSONDecoder().decode(EpochRecord.self, from: Data($0.text.utf8))
      }
      #expect(epochs == whole.history)
      #expect(warned.contains("started again"), "\(warned)")
      try? FileManager.default.removeItem(atPath: folder.file("checkpoints").string)
    }
  }

  @Test("another training's checkpoint is refused, with the difference, and stays as it is")
  func otherTraining() throws {
    _ = try run(checkpoints, keeping: .step(14))
    try restoreKept()
    let before = files
    let fault = #expect(throws: TrainingFault.self) {
      try run(checkpoints(["limbeck 1", "seed 8"]))
    }
    #expect(fault?.exitStatus == .data)
    let text = fault?.description ?? ""
    #expect(
      text.contains("expected a checkpoint of this training, with seed 8, found one with seed 7"),
      "\(text)")
    #expect(text.contains("remove the folder"))
    #expect(files == before)
  }

  @Test(
    "events are records of TensorBoard: length, checksum, payload, checksum; in order, of all epochs"
  )
  func events() throws {
    _ = try run(nil, log: "log")
    let bytes = try Data(contentsOf: URL(fileURLWithPath: folder.file("log.tfevents").string))
    var place = 0
    var records = 0
    func number(_ count: Int) -> UInt64 {
      defer { place += count }
      return (0..<count).reduce(0) { $0 | UInt64(bytes[place + $1]) << (8 * UInt64($1)) }
    }
    while place < bytes.count {
      let start = place
      let length = Int(number(8))
      #expect(UInt32(number(4)) == maskedCRC(bytes[start..<start + 8]))
      let payload = bytes[place..<place + length]
      place += length
      #expect(UInt32(number(4)) == maskedCRC(payload))
      records += 1
      if records == 1 { #expect(payload.range(of: Data("brain.Event:2".utf8)) != nil) }
      if records == 2 { #expect(payload.range(of: Data("development/accuracy".utf8)) != nil) }
    }
    #expect(records == 1 + 4)
  }

  /// Bit by bit, from the definition of CRC-32C and the mask of record files.
  private func maskedCRC(_ data: Data) -> UInt32 {
    var crc = UInt32.max
    for byte in data {
      crc ^= UInt32(byte)
      for _ in 0..<8 { crc = crc >> 1 ^ (crc & 1 == 1 ? 0x82F6_3B78 : 0) }
    }
    crc = ~crc
    return (crc >> 15 | crc << 17) &+ 0xA282_EAD8
  }
}
