import ModelExport
import Models
import Classes
import Audio
import Corpus
import Evaluation
import Features
import Foundation
import KaldiIO
import LinearAlgebra
import Networks
import Experiments
package import Storage
import SystemPackage
import Training

extension Parser {
  /// Reads an input as the program would read such a file.
  ///
  /// - Parameters:
  ///   - bytes: the input; bytes beyond `largestInput` are ignored.
  ///   - folder: holds the input's files.
  /// - Returns: whether the reader accepted the input.
  /// - Throws: `FileFault` when the files cannot be written.
  package func parse(
    _ bytes: some Collection<UInt8>, in folder: DataFolder
  ) throws(FileFault) -> Bool {
    let bytes = Data(bytes.prefix(Parser.largestInput))
    switch self {
    case .dataDirectory, .validation:
      try folder.split(bytes)
      return accepts { try readFolder(folder.path) }
    case .frameCounts:
      try folder.write(bytes, to: "utt2num_frames")
      return accepts { _ = try FeatureFolder(path: folder.path).frameCounts() }
    default:
      let path = try folder.write(bytes, to: "input")
      return accepts { try read(path) }
    }
  }

  /// Whether a reader returns without a fault, whatever the fault.
  private func accepts(_ body: () throws -> Void) -> Bool {
    do {
      try body()
      return true
    } catch {
      // Describing the fault must not trap either.
      return "\(error)".isEmpty
    }
  }

  private func read(_ path: FilePath) throws {
    switch self {
    case .archive: try Archive.forEach(in: path) { _, _ in }
    case .matrices, .compressedMatrices: _ = try Archive.readMatrices(path)
    case .doubleMatrices: try readConverted(path, .doubleMatrix)
    case .vectors: try readConverted(path, .vector)
    case .doubleVectors: try readConverted(path, .doubleVector)
    case .posteriors: try readConverted(path, .posterior)
    case .integers: _ = try Archive.readIntegers(path)
    case .readableIntegers: _ = try Archive.readReadableIntegers(path.string)
    case .matrixIndex: try readRows(path)
    case .integerIndex:
      let archive = try IntegerArchive(path: path)
      for entry in archive.entries { _ = try archive.read(0..<entry.count, of: entry) }
    case .statistics: _ = try StatisticsFile.read(path.string, columns: 1)
    case .script:
      let script = try ArchiveScript(path: path)
      for entry in script.entries { _ = try? script.value(of: entry) }
    case .ctm: _ = try CTMReader.read(path)
    case .textGrid: _ = try TextGridReader.read(path, tier: "phones")
    case .timit: _ = try TIMITLabelReader.read(path, sampleRate: 16000)
    case .htk: _ = try HTKLabelReader.read(path)
    case .mlf: _ = try HTKLabelReader.readMaster(path)
    case .audacity: _ = try AudacityLabelReader.read(path)
    case .symbolMap: _ = try SymbolMap(path: path)
    case .symbolTable: _ = try SymbolMap(symbolTable: path)
    case .classes: _ = try ClassInventory(path: path)
    case .targets: try makeTargets(path)
    case .safetensors: _ = try SafetensorsFile(path: path)
    case .model: _ = try AcousticModel(path: path)
    case .graph: _ = try GraphDescription(path: path)
    case .recipe: _ = try Recipe(path: path)
    case .featureOptions: _ = try decodeYAML(path, as: FeatureSettings.self)
    case .targetOptions: _ = try decodeYAML(path, as: TargetOptions.self)
    case .ledger: _ = try Ledger(path: path).leftOut
    case .scores: _ = try ScoreReport(path: path).table
    case .dataDirectory, .validation, .frameCounts: preconditionFailure("\(self) reads a folder")
    }
  }

  /// Reads values of a kind, and converts each to every other kind.
  private func readConverted(_ path: FilePath, _ kind: KaldiValue.Kind) throws {
    for (_, value) in try Archive.read(path, as: kind) {
      for other in KaldiValue.Kind.allCases { _ = value.converted(to: other)?.text }
    }
  }

  /// Reads all rows of an archive in place, then the last row alone.
  private func readRows(_ path: FilePath) throws {
    let archive = try MatrixArchive(path: path)
    for entry in archive.entries {
      _ = try archive.read(0..<entry.rows, of: entry)
      if entry.rows > 0 { _ = try archive.read(entry.rows - 1..<entry.rows, of: entry) }
    }
  }

  /// Reads a CTM or an archive of integers, and makes targets for an utterance `a` from it.
  private func makeTargets(_ path: FilePath) throws {
    for format in [AlignmentFormat.ctm, .archive] {
      for gaps in [nil, "SIL"] {
        var options = TargetOptions(format: format, path: path.string)
        options.gaps = gaps
        guard
          let source = try? AlignmentSource(options, sampleRate: 16000, workers: .one)
        else { continue }
        let utterance = Utterance(id: "a", recording: .file(path: "a.wav"))
        for frames in [1, 98] {
          _ = try? source.targets(of: utterance, frames: frames, grid: FeatureOptions().grid)
        }
      }
    }
  }

  private func readFolder(_ path: FilePath) throws {
    if self == .validation {
      _ = try DataValidation(path: path, root: nil, commands: .refused, channel: nil)
        .run(audio: nil).summary
    } else {
      let data = try DataDirectory(path: path)
      _ = data.ids
      _ = try data.speakers()
    }
  }
}
