import ArgumentParser
import Audio
import Features
import LinearAlgebra
import Storage

/// Log-mel extraction over files of speech.
struct FeatureBenchmark: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "features", abstract: "Log-mel features of 16 kHz files, 40 bands.")

  @Argument(help: "A file whose lines end in the path of an audio file.")
  var list: String

  func run() throws {
    let paths = try TextFile.lines(of: list).compactMap { $0.text.fields.last.map(String.init) }
    let options = LogMelOptions()
    let recordings = try paths.map { path in
      try AudioFile.read(path, sampleRate: options.sampleRate).samples
    }
    let seconds = Double(recordings.reduce(0) { $0 + $1.count }) / Double(options.sampleRate)
    var extractor = LogMelExtractor(options: options)
    for _ in 0..<5 {
    let d = ContinuousClock().measure {
      for r in recordings { _ = extractor.logMel(of: r, utterance: "") }
    }
    print(seconds / (d / .seconds(1)))
    }
  }
}
