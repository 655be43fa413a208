import LinearAlgebra
import Classes
import ModelExport
import Models
import Corpus
import Features
import Foundation
import KaldiIO
import Networks
package import Storage
package import SystemPackage
import Training

extension Parser {
  /// The initial inputs: fixtures of the tests, and small inputs of all forms.
  ///
  /// - Parameters:
  ///   - root: the project's folder.
  ///   - folder: holds files that have to be made first.
  /// - Returns: at least one input.
  /// - Throws: `FileFault` for a missing fixture.
  package func seeds(root: FilePath, folder: DataFolder) throws(FileFault) -> [[UInt8]] {
    var seeds = texts.map { Array($0.utf8) }
    for fixture in fixtures {
      seeds.append([UInt8](try TextFile.bytes(of: root.appending(fixture))))
    }
    if self == .model {
      let path = folder.path.appending("model")
      var calibration = Calibration(of: sampleModel)
      calibration.add(Matrix(rows: 1, columns: 4, values: [1, 2, 3, 4]))
      for model in [sampleModel, sampleModel.with(.bfloat16), calibration.model(data: "feats")] {
        try model.write(to: path)
        seeds.append([UInt8](try TextFile.bytes(of: path)))
      }
    }
    if self == .graph {
      let (model, graph) = (folder.path.appending("model"), folder.path.appending("graph"))
      try sampleModel.write(to: model)
      do throws(ExportFault) {
        try ModelGraph(models: [model], input: .features).write(to: graph, producerVersion: "0")
      } catch {
        if case .file(let fault) = error { throw fault }
        preconditionFailure("seeds: \(error)")
      }
      seeds.append([UInt8](try TextFile.bytes(of: graph)))
    }
    return seeds.filter { $0.count <= Parser.largestInput }
  }

  /// The paths of the fixtures below the project's folder.
  private var fixtures: [String] {
    func named(_ folder: String, _ names: [String]) -> [String] {
      names.map { "Tests/\(folder)Tests/Fixtures/\($0)" }
    }
    let matrices = ["matrices.ark", "matrices.txt", "kaldiio-matrices.txt", "double-matrices.ark"]
    let compressed = ["cm.ark", "cm2.ark", "cm3.ark"]
    let vectors = ["vectors.ark", "vectors.txt", "double-vectors.ark"]
    let integers = ["integers.ark", "integers.txt", "kaldiio-integers.txt"]
    let posteriors = ["posteriors.ark", "posteriors.txt"]
    return switch self {
    case .statistics: named("KaldiIO", ["double-matrices.ark"])
    case .archive: named("KaldiIO", matrices + compressed + vectors + integers + posteriors)
    case .matrices, .doubleMatrices: named("KaldiIO", matrices + compressed)
    case .compressedMatrices: named("KaldiIO", compressed)
    case .matrixIndex: named("KaldiIO", ["matrices.ark", "cm2.ark", "cm2-read.ark"])
    case .vectors, .doubleVectors: named("KaldiIO", vectors)
    case .integers, .readableIntegers, .integerIndex: named("KaldiIO", integers)
    case .posteriors: named("KaldiIO", posteriors)
    case .targets: named("KaldiIO", integers) + named("Corpus", ["lhotse.ctm"])
    case .ctm: named("Corpus", ["lhotse.ctm"])
    case .textGrid:
      named(
        "Corpus",
        [
          "praatio-long.TextGrid", "praatio-short.TextGrid", "praatio-utf16.TextGrid",
          "tgt.TextGrid",
        ])
    case .timit: named("Corpus", ["crowsetta.PHN", "crowsetta.WRD"])
    case .audacity: named("Corpus", ["crowsetta.txt"])
    case .safetensors, .model: named("Networks", ["python.safetensors"])
    case .symbolMap:
      ["data/arpabet/no-stress.map", "data/timit/61-48.map", "data/timit/48-39.map"]
    case .recipe: ["recipes/asterisk/quick.yaml", "recipes/asterisk/recipe.yaml"]
    case .graph, .script, .htk, .mlf, .symbolTable, .classes, .dataDirectory, .validation,
      .featureOptions,
      .targetOptions, .ledger, .frameCounts, .scores:
      []
    }
  }

  /// Small inputs.
  private var texts: [String] {
    switch self {
    case .script: ["a input:22\nb input:7 1 2 3\nc x.ark:3[0:1,2:4]\nd gunzip -c x.gz |\n"]
    case .ctm, .targets:
      [
        "a 1 0.00 0.50 AH 0.9\na 1 0.50 0.48 SIL\n;; b\nb A 0 1 T\nb B 0 1 T\n",
        "a 1 0.1 0.3 x\na 1 0.5 0.2 y\n", "a 3 3 3 4 4 4 0 0\nb [ 1 2 ]\n",
      ]
    case .htk: ["0 1000000 sil -31.5 a\n1000000 2500000 \"\\303\\251\" \n///\n0 5 b\n", "a\nb\n"]
    case .mlf:
      [
        "#!MLF!#\n\"*/a.lab\"\n0 1000000 sil\n1000000 2500000 ah\n.\n\"b.rec\"\nx\n///\ny\n.\n",
        "#!MLF!#\n\"*\" -> \"lab\"\n", "#!MLF!#\n\"ä//ä\"\n0 1 x\n.\n",
      ]
    case .audacity: ["0.5\t1.25\tone two\n\\\t20\t300\n1.25\t1.25\t\n", "0\t0\ta\n1\t1\tb\n"]
    case .statistics: ["a  [\n 4 2\n 8 0 ]\nb  [\n 1 1\n 1 0 ]\n", " [\n 4 2\n 8 0 ]\n"]
    case .symbolTable: ["<eps> 0\nSIL 1\nAH_B 2\n"]
    case .classes: ["SIL_1 0\nSIL_2 1\nAH_1 2\n", "b 1\na 0\n"]
    case .symbolMap: ["aa aa\nao aa\nq \n"]
    case .frameCounts: ["a 98\nb 0\n"]
    case .dataDirectory, .validation:
      [
        """
        === wav.scp
        a a.wav
        b sph2pipe b.sph |
        === segments
        a-1 a 0 1.5
        a-2 a 1.5 2.25 1
        === utt2spk
        a-1 s
        a-2 s
        === spk2utt
        s a-1 a-2
        === text
        a-1 one two
        a-2 three
        === utt2dur
        a-1 1.5
        === spk2gender
        s f

        """, "a a.wav\nb ../b.wav\n=== utt2spk\na a\nb b\n=== utt2num_frames\na 10\n",
      ]
    case .recipe, .featureOptions:
      [
        JSONText.document(FeatureOptions()),
        "sampleRate: 8000\nmelBins: 40\nframeShift: 10\nwindow: povey\n",
      ]
    case .targetOptions:
      ["ctm: a.ctm\nmap: a.map\nstates: 3\n", "textgrid: folder\ntier: phones\n"]
    case .ledger:
      [
        #"{"utterance":"a","stage":"features","framesIn":3,"framesOut":3}"# + "\n"
          + #"{"utterance":"b","stage":"targets","reason":"too short"}"# + "\n"
      ]
    case .scores:
      [
        #"{"rules":"","systems":[{"system":"a","parameters":9,"development":\#(score),"#
          + #""test":\#(score)}],"comparisons":[{"comparison":"a - b","value":0.1}]}"#
      ]
    case .safetensors:
      [
        "\u{40}\0\0\0\0\0\0\0"
          + "{\"a\":{\"dtype\":\"F32\",\"shape\":[1,1],\"data_offsets\":[0,4]}}            \0\0\0\0"
      ]
    default: []
    }
  }

  /// The score of a set in `scores.json`.
  private var score: String {
    #"{"accuracy":0.5,"low":0.4,"high":0.6,"frames":2,"utterances":1,"speakers":null}"#
  }

  /// A model with a few weights.
  private var sampleModel: AcousticModel {
    var features = FeatureOptions()
    features.logMel?.melBins = 4
    return AcousticModel(
      network: AcousticNetwork(
        features: 4, context: -1...1, hidden: HiddenShape(layers: 1, units: 3), classes: 2, seed: 1),
      features: features,
      normalizer: FeatureNormalizer(mean: [1, 2, 3, 4], deviation: [1, 1, 2, 3]),
      classes: ClassInventory(symbols: ["A", "SIL"]),
      provenance: AcousticModel.Provenance(
        system: "student", seed: 1, epoch: 1, developmentAccuracy: 0.5, limbeckVersion: "0"))
  }
}
