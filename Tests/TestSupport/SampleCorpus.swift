import Foundation
package import SystemPackage

/// A corpus of tones, as small as an experiment can be: two phones and silence, in an order that
/// each utterance's number decides.
package struct SampleCorpus {
  package let folder: TemporaryFolder
  package static let sampleRate = 8000

  /// Makes the corpus and a recipe in a folder of their own.
  ///
  /// - Parameter utterances: how many there are of each part.
  /// - Throws: when the folder cannot be written.
  package init(utterances: [String: Int] = ["train": 8, "development": 3, "test": 4]) throws {
    folder = try TemporaryFolder()
    var ctm = ""
    for (part, count) in utterances.sorted(by: { $0.key < $1.key }) {
      var script = ""
      for number in 0..<count {
        let id = "\(part)-\(number)"
        let path = folder.file("audio/\(id).wav")
        try folder.write("", to: "audio/\(id).wav")
        let phones = (0..<6).map { ["A", "B", "SIL"][(number * 5 + $0 * $0 + $0) % 3] }
        AudioFixture.write(
          SampleCorpus.sound(phones), to: path, sampleRate: SampleCorpus.sampleRate)
        for (index, phone) in phones.enumerated() {
          ctm += "\(id) 1 \(Double(index) * 0.1) 0.1 \(phone)\n"
        }
        script += "\(id) \(path)\n"
      }
      try folder.write(script, to: "exp/data/\(part)/wav.scp")
    }
    try folder.write(ctm, to: "exp/data/phones.ctm")
    try folder.write(
      """
      corpus: {train: data/train, development: data/development, test: data/test}
      targets: {ctm: data/phones.ctm, states: 1}
      features: {sampleRate: 8000, melBins: 10}
      context: {left: 2, right: 1}
      ensemble:
        members: 2
        hidden: {layers: 1, units: 12}
        training: {epochs: 2, batchSize: 32, dropout: 0.1}
      student:
        hidden: {layers: 1, units: 12}
        training: {epochs: 2, batchSize: 32}
      scoring: {resamples: 50}

      """, to: "recipe.yaml")
  }

  /// A tenth of a second for each phone: a low tone, a high tone, or faint noise.
  private static func sound(_ phones: [String]) -> [Float] {
    var sound = generatedWaveform(count: 800 * phones.count).map { 0.01 * $0 }
    for (index, phone) in phones.enumerated() {
      let frequencies = ["A": 300.0, "B": 1700.0]
      guard let frequency = frequencies[phone] else { continue }
      for n in 0..<800 {
        sound[800 * index + n] += Float(0.3 * sin(2 * Double.pi * frequency * Double(n) / 8000))
      }
    }
    return sound
  }

  package var recipePath: FilePath { folder.file("recipe.yaml") }
  package var experimentPath: FilePath { folder.file("exp") }
}
