import ArgumentParser
import Audio
import CFFTW
import Corpus
import Features
import Foundation
import LinearAlgebra
import Logging
import Experiments
import Storage
import SystemPackage

/// Log-mel extraction from speech files: from memory on one thread, compared with the Fourier
/// transform alone, and from files to an archive on disk.
struct FeatureBenchmark: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "features",
    abstract: "Measure log-mel extraction, 16 kHz and 40 bands, as a multiple of real time.")

  @Argument(
    help: "A file each of whose lines ends in the path of an audio file.",
    transform: FilePath.init(text:))
  var list: FilePath
  @Option(help: "Number of runs for each rate; the median is printed.")
  var runs = 5

  func run() throws {
    let options = LogMelOptions()
    let paths = try TextFile.lines(of: list).compactMap { line in
      try line.text.fields.last.map { try FilePath(text: String($0)) }
    }
    var recordings: [[Float]] = []
    for path in paths {
      recordings.append(try AudioFile.read(path, sampleRate: options.sampleRate).samples)
    }
    let samples = recordings.reduce(0) { $0 + $1.count }
    let seconds = Double(samples) / Double(options.sampleRate)
    measureMemory(recordings, seconds: seconds, options)
    // Each container format separately.
    for kind in Set(paths.map(suffix)).sorted() {
      let own = zip(paths, recordings).filter { suffix($0.0) == kind }
      let count = own.reduce(0) { $0 + $1.1.count }
      try measureDisk(
        own.map(\.0), kind, seconds: Double(count) / Double(options.sampleRate), options)
    }
  }

  private func suffix(_ path: FilePath) -> String { path.extension ?? "" }

  private func measureMemory(_ recordings: [[Float]], seconds: Double, _ options: LogMelOptions) {
    var extractor = LogMelExtractor(options: options)
    var frames = 0
    let whole = median(runs) {
      frames = 0
      for samples in recordings {
        frames += extractor.logMel(of: samples, utterance: "").rows
      }
    }
    report("log-mel from memory", seconds / whole, "x real time")
    report("log-mel from memory, a frame", 1e6 * whole / Double(frames), "µs")
    let transform = median(runs) { transformAlone(size: options.transformSize, times: frames) }
    report("FFTW alone", seconds / transform, "x real time")
    report("share of FFTW in log-mel from memory", transform / whole, "of the time")
  }

  /// FFTW's transform as the extractor calls it, on one buffer.
  private func transformAlone(size: Int, times: Int) {
    let input = unsafe fftwf_alloc_complex(size / 2)
    let output = unsafe fftwf_alloc_complex(size / 2)
    guard let input = unsafe input else { return }
    for n in 0..<size / 2 { unsafe input[n] = (sin(Float(n * n)), cos(Float(n * n))) }
    let plan = unsafe fftwf_plan_dft_1d(
      Int32(size / 2), input, output, FFTW_FORWARD, UInt32(FFTW_ESTIMATE | FFTW_PRESERVE_INPUT))
    for _ in 0..<times { unsafe fftwf_execute(plan) }
    unsafe fftwf_destroy_plan(plan)
    unsafe fftwf_free(input)
    unsafe fftwf_free(output)
  }

  private func measureDisk(
    _ paths: [FilePath], _ kind: String, seconds: Double, _ options: LogMelOptions
  ) throws {
    let folder = try ScratchFolder()
    let script = paths.enumerated().map { "u\($0.offset) \($0.element.string)\n" }.joined()
    try AtomicFile.write(script, to: folder.path.appending("data/wav.scp"))
    let data = try DataDirectory(path: folder.path.appending("data"))
    var features = FeatureOptions()
    features.logMel = options
    let request = FeatureRequest(options: features)
    let reporter = Reporter(log: Logger(label: "") { _ in SwiftLogNoOpLogHandler() }) { _ in }
    let out = FeatureFolder(path: folder.path.appending("out"))
    func time(jobs: Int) throws -> Double {
      var fault: (any Error)?
      let time = median(runs) {
        do {
          _ = try out.extract(
            data, request, workers: Workers(count: jobs), reporter: reporter)
        } catch let error { fault = error }
      }
      if let fault { throw fault }
      return time
    }
    let (one, two) = (try time(jobs: 1), try time(jobs: 2))
    report("\(kind) on disk to ark on disk, 1 job", seconds / one, "x real time")
    report("\(kind) on disk to ark on disk, 2 jobs", seconds / two, "x real time")
    report("\(kind), 2 jobs over 1", one / two, "times")
    _ = consume folder
  }
}
