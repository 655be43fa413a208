import Classes
import Features
import Foundation
import Limbeck
import LinearAlgebra
import Models
import Networks
import Storage
import SystemPackage
import TestSupport
import Testing

@Suite("limbeck posteriors --stream")
struct StreamCommandTests {
  /// A line of the output.
  private struct Line: Decodable, Equatable {
    let frame: Int
    let start: Double
    let end: Double
    let label: String
    let posterior: Float
  }

  private let folder: TemporaryFolder
  private let model: FilePath
  /// Two seconds at 8 kHz as 16-bit integers, and the samples that they stand for.
  private let bytes: Data
  private let samples: [Float]

  init() throws {
    folder = try TemporaryFolder()
    model = folder.file("model.safetensors")
    var features = FeatureOptions()
    features.logMel?.sampleRate = 8000
    features.logMel?.melBins = 8
    try AcousticModel(
      network: AcousticNetwork(
        features: 8, context: -4...2, hidden: HiddenShape(layers: 2, units: 30), classes: 4,
        seed: 91),
      features: features,
      normalizer: FeatureNormalizer(
        mean: [Float](repeating: 12, count: 8), deviation: [Float](repeating: 3, count: 8)),
      classes: ClassInventory(symbols: ["A", "\"B\"", "C_2", "SIL"]),
      provenance: AcousticModel.Provenance(
        system: "student", seed: 91, epoch: 1, developmentAccuracy: 0.5, limbeckVersion: "0")
    ).write(to: model)
    let integers = generatedWaveform(count: 16_000).map { Int16($0 * 32767) }
    samples = integers.map { Float($0) / 32768 }
    bytes = Data(
      integers.flatMap { [UInt8(truncatingIfNeeded: $0), UInt8(truncatingIfNeeded: $0 >> 8)] })
  }

  private func stream(_ arguments: any Argument...) -> Process {
    let process = program(["posteriors", model, "--stream"] + arguments)
    // The kernels of this process, whose products have the same bits.
    process.environment = ProcessInfo.processInfo.environment
      .merging([BLASKernels.variable: BLASKernels.inUse]) { $1 }
    return process
  }

  private func lines(_ text: some StringProtocol) throws -> [Line] {
    try text.split(separator: "\n").map {
      try JSONDecoder().decode(Line.self, from: Data($0.utf8))
    }
  }

  /// Runs the program on bytes.
  private func run(_ input: Data, _ arguments: any Argument...) throws -> Run {
    try folder.write(input, to: "input")
    let process = program(["posteriors", model, "--stream"] + arguments)
    process.environment = stream().environment
    process.standardInput = FileHandle(forReadingAtPath: folder.file("input").string)
    let (output, errors) = (Pipe(), Pipe())
    (process.standardOutput, process.standardError) = (output, errors)
    try process.run()
    let printed = output.fileHandleForReading.readDataToEndOfFile()
    let complained = errors.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return Run(
      status: process.terminationStatus, output: String(decoding: printed, as: UTF8.self),
      errors: String(decoding: complained, as: UTF8.self))
  }

  /// What the library says of all samples.
  private func expected() throws -> [Line] {
    let library = try Model(path: model.string)
    let posteriors = try library.posteriors(ofSamples: samples, sampleRate: 8000)
    return (0..<posteriors.frames).map { frame in
      let best = posteriors.mostProbable(at: frame)
      return Line(
        frame: frame, start: Double(75 + 100 * frame) / 1e4, end: Double(175 + 100 * frame) / 1e4,
        label: library.classes[best], posterior: Array(posteriors[frame])[best])
    }
  }

  @Test("the decisions are the bits of the whole recording, of integers and of floats")
  func whole() throws {
    let expected = try expected()
    #expect(expected.count == 198 && Set(expected.map(\.label)).count > 1)
    let integers = try run(bytes, "--raw", "s16le", "--rate", "8000")
    #expect(integers.status == 0, "\(integers.errors)")
    #expect(try lines(integers.output) == expected)
    let floats = Data(
      samples.flatMap { sample in
        (0..<4).map { UInt8(truncatingIfNeeded: sample.bitPattern >> (8 * UInt32($0))) }
      })
    #expect(try run(floats, "--raw", "f32le", "--rate", "8000").output == integers.output)
    let none = try run(Data(), "--raw", "s16le", "--rate", "8000")
    #expect(none.status == 0 && none.output.isEmpty)
  }

  @Test("an odd byte and a NaN are named with their place, after the decisions before them")
  func badBytes() throws {
    let whole = try run(bytes, "--raw", "s16le", "--rate", "8000")
    let odd = try run(bytes + [7], "--raw", "s16le", "--rate", "8000")
    #expect(odd.status == 65 && odd.output == whole.output)
    #expect(
      odd.errors
        == "limbeck: standard input: at byte 32000: expected a whole sample of 2 bytes, found 1 at the end\n"
    )
    var floats = Data(count: 4 * 4000)
    floats.append(contentsOf: [0, 0, 0xC0, 0x7F])
    let bad = try run(floats, "--raw", "f32le", "--rate", "8000")
    #expect(bad.status == 65 && bad.errors.contains("nan in sample 4000"), "\(bad.errors)")
    #expect(try lines(bad.output).count == 46)
  }

  @Test("another rate names both; a WAV file is refused; options that do not fit are wrong usage")
  func refused() throws {
    let rate = try run(bytes, "--raw", "s16le", "--rate", "16000")
    #expect(rate.status == 65 && rate.output.isEmpty)
    #expect(rate.errors.contains("8000 Hz") && rate.errors.contains("16000 Hz"), "\(rate.errors)")
    let header = try run(Data("RIFF".utf8) + bytes, "--raw", "s16le", "--rate", "8000")
    #expect(header.status == 65 && header.output.isEmpty)
    #expect(header.errors.contains("found the header of a WAV file"), "\(header.errors)")
    let wrong: [[any Argument]] = [
      [], ["--raw", "s16le"], ["--rate", "8000"], ["--raw", "s24le", "--rate", "8000"],
      ["--raw", "s16le", "--rate", "0"], ["--raw", "s16le", "--rate", "8000", "a", "b"],
      ["--raw", "s16le", "--rate", "8000", "--labels", "ctm"],
      ["--raw", "s16le", "--rate", "8000", "--log-likelihoods"],
    ]
    for options in wrong {
      let run = try limbeck(["posteriors", model, "--stream"] + options)
      #expect(run.status == 64, "\(options): \(run.errors)")
    }
  }

  @Test("a frame is decided within the model's latency; SIGINT ends the stream after whole lines")
  func latency() throws {
    let expected = try expected()
    let process = stream("--raw", "s16le", "--rate", "8000")
    let (input, output, errors) = (Pipe(), Pipe(), Pipe())
    process.standardInput = input
    (process.standardOutput, process.standardError) = (output, errors)
    try process.run()
    // 200 samples of the window and two frames of the context for the first, 80 for each other.
    let latency = try #require(try Model(path: model.string).latencyInSamples)
    #expect(latency == 200 + 2 * 80)
    var text = ""
    var sent = 0
    for frame in 0..<20 {
      let end = 2 * (latency + 80 * frame)
      input.fileHandleForWriting.write(bytes[sent..<end])
      sent = end
      // Blocks until the line is there; the input stays open.
      while text.count(where: { $0 == "\n" }) <= frame {
        let more = output.fileHandleForReading.availableData
        try #require(!more.isEmpty)
        text += String(decoding: more, as: UTF8.self)
      }
    }
    #expect(try lines(text) == Array(expected.prefix(20)))
    kill(process.processIdentifier, SIGINT)
    process.waitUntilExit()
    #expect(process.terminationStatus == 130 && process.terminationReason == .exit)
    #expect(output.fileHandleForReading.readDataToEndOfFile().isEmpty)
    #expect(errors.fileHandleForReading.readDataToEndOfFile().isEmpty)
    try input.fileHandleForWriting.close()
  }

  @Test("info says the latency and what posteriors writes")
  func info() throws {
    let info = try limbeck("info", model)
    #expect(
      info.output.contains(
        "latency      45 ms: a window of 25 ms and 2 later frames of 10 ms\n"), "\(info.output)")
    #expect(
      info.output.contains(
        "posteriors   of audio at 8000 Hz: 4 columns, a row every 10 ms, the first centred at 12.5 ms; "
          + "--log-likelihoods needs --priors\n"), "\(info.output)")
  }

  @Test("truncated and hostile files and weights that are not numbers are named; nothing is left")
  func hostileModels() throws {
    let whole = try Data(contentsOf: URL(fileURLWithPath: model.string))
    var length = whole
    length.replaceSubrange(0..<8, with: [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x3F])
    var offsets = whole
    let mark = try #require(whole.range(of: Data("\"data_offsets\":[0,".utf8)))
    offsets.replaceSubrange(mark, with: Data("\"data_offsets\":[9,".utf8))
    var weights = whole
    weights.replaceSubrange(whole.count - 4..<whole.count, with: [0, 0, 0xC0, 0x7F])
    let audio = folder.file("sound.wav")
    AudioFixture.write(samples, to: audio, sampleRate: 8000)
    for (name, bytes, message) in [
      ("cut", whole.prefix(whole.count / 2), "expected"), ("empty", Data(), "expected"),
      ("header", whole.prefix(20), "expected"), ("length", length, "expected"),
      ("offsets", offsets, "expected"), ("weights", weights, "finite"),
    ] {
      let own = try folder.write(bytes, to: "\(name).safetensors")
      let outputs: [(String, [any Argument])] = [
        ("n.ark", []), ("n.ctm", ["--labels", "ctm"]), ("n", []),
      ]
      for (out, options) in outputs {
        let run = try limbeck(["posteriors", own, audio, folder.file(out)] + options)
        #expect(run.status == 65, "\(name): \(run.errors)")
        #expect(
          run.errors.hasPrefix("limbeck: \(own): ") && run.errors.contains(message),
          "\(name): \(run.errors)")
        #expect(!FileManager.default.fileExists(atPath: folder.file(out).string), "\(name)")
      }
    }
  }
}
