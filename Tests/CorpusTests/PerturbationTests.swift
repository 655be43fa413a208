import Corpus
import Features
import Foundation
import LinearAlgebra
import Storage
import TestSupport
import Testing

@Suite("Perturbed copies")
struct PerturbationTests {
  private func options(_ json: String) throws -> AugmentationOptions {
    try JSONDecoder().decode(AugmentationOptions.self, from: Data(json.utf8))
  }

  @Test("what is drawn depends on the seed, the utterance and the copy, and stays in range")
  func draws() throws {
    let own = try options(#"{"speed": [0.9, 1.1], "volume": 6, "signalToNoise": [5, 20]}"#)
    let drawn = (0..<200).map {
      Perturbation(own, of: "u\($0 / 2)", speaker: nil, copy: 1 + $0 % 2)
    }
    #expect(drawn[7] == Perturbation(own, of: "u3", speaker: nil, copy: 2))
    #expect(Set(drawn.map(\.gain)).count == 200)
    #expect(drawn.allSatisfy { [0.9, 1.1].contains($0.speed) })
    // Of the first copies, 50 of 100 are expected, give or take five standard deviations of 5.
    let first = stride(from: 0, to: 200, by: 2).map { drawn[$0] }
    #expect((25...75).contains(first.count { $0.speed == 0.9 }))
    #expect(drawn.allSatisfy { (-6...6).contains(20 * log10($0.gain)) })
    let ratios = try drawn.map { try #require($0.signalToNoise) }
    #expect(ratios.allSatisfy { (5...20).contains($0) })
    #expect(mismatch(ratios.reduce(0, +) / 200, 12.5, absolute: 1.6) == nil)
    var other = own
    other.seed = 2
    #expect(Perturbation(other, of: "u3", speaker: nil, copy: 2).gain != drawn[7].gain)
  }

  @Test("the copies of a speaker take the speeds in turn, all utterances the same")
  func speedOfSpeakers() throws {
    let own = try options(#"{"speed": [0.8, 0.9, 1.1, 1.2]}"#)
    let speeds = (0..<50).map { speaker in
      (1...4).map { copy in
        Set(
          (0..<5).map {
            Perturbation(own, of: "u\(5 * speaker + $0)", speaker: "s\(speaker)", copy: copy).speed
          })
      }
    }
    for copies in speeds {
      #expect(copies.allSatisfy { $0.count == 1 })
      #expect(copies.reduce([]) { $0.union($1) } == Set(own.speed))
    }
    #expect(Set(speeds.map { $0[0] }).count == 4)
  }

  @Test("noise has the power that was asked for, before the gain, and does not depend on pieces")
  func noise() throws {
    let own = try options(#"{"speed": [1], "volume": 6, "signalToNoise": [10, 10]}"#)
    let perturbation = Perturbation(own, of: "u", speaker: nil, copy: 1)
    let input = (0..<40_000).map { Float(sin(Double($0) / 7)) }
    var whole = input
    WaveformPerturbation(perturbation, power: 0.5).apply(to: &whole, isLast: true)
    let noise = zip(whole, input).map { Double($0 / Float(perturbation.gain) - $1) }
    let power = noise.reduce(0) { $0 + $1 * $1 } / 40_000
    // 40,000 squares: five standard deviations are 3.5 %.
    #expect(mismatch(power, 0.05, relative: 0.035) == nil)
    let change = WaveformPerturbation(perturbation, power: 0.5)
    var pieces: [Float] = []
    for start in stride(from: 0, to: input.count, by: 999) {
      var piece = Array(input[start..<min(input.count, start + 999)])
      change.apply(to: &piece, isLast: false)
      pieces += piece
    }
    #expect(pieces == whole)
  }

  @Test("what is masked becomes the mean; pieces are masked as the whole")
  func masks() throws {
    let own = try options(
      #"{"timeMasks": 2, "timeMaskFrames": 30, "frequencyMasks": 1, "frequencyMaskBands": 5}"#)
    let features = Matrix.random(rows: 100, columns: 12, seed: 61)
    let means = (0..<12).map { Float(100 + $0) }
    // Utterances v0 to v39 have copies with all kinds of masks among them.
    var masked = 0
    for utterance in 0..<40 {
      let perturbation = Perturbation(own, of: "v\(utterance)", speaker: nil, copy: 1)
      let (times, bands) = perturbation.masks(frames: 100, bands: 12)
      #expect(times.count == 2 && times.allSatisfy { $0.count <= 30 && $0.upperBound <= 100 })
      #expect(bands.count == 1 && bands.allSatisfy { $0.count <= 5 && $0.upperBound <= 12 })
      var whole = features
      perturbation.mask(&whole, from: 0, of: 100, by: means)
      for frame in 0..<100 {
        for band in 0..<12 {
          let isMasked =
            times.contains { $0.contains(frame) } || bands.contains { $0.contains(band) }
          let expected = isMasked ? means[band] : features.row(frame)[band]
          #expect(whole.row(frame)[band] == expected)
          masked += isMasked ? 1 : 0
        }
      }
      var piece = Matrix(
        rows: 20, columns: 12, values: Array(features.values[50 * 12..<70 * 12]))
      perturbation.mask(&piece, from: 50, of: 100, by: means)
      #expect(piece.values == Array(whole.values[50 * 12..<70 * 12]))
    }
    #expect(masked > 5000)
    // More than there is to mask masks all of it.
    let short = Perturbation(own, of: "v1", speaker: nil, copy: 1).masks(frames: 1, bands: 1)
    #expect((short.times + short.bands).allSatisfy { $0.upperBound <= 1 })
  }

  @Test(
    "options out of range are named",
    arguments: [
      (#"{"copies": -1}"#, "copies"), (#"{"speed": []}"#, "speed"),
      (#"{"speed": [3]}"#, "speed"), (#"{"volume": -1}"#, "volume"),
      (#"{"signalToNoise": [20, 10]}"#, "signalToNoise"),
      (#"{"signalToNoise": [20]}"#, "signalToNoise"), (#"{"timeMasks": 101}"#, "timeMasks"),
      (#"{"frequencyMaskBands": -3}"#, "frequencyMaskBands"),
    ])
  func faults(json: String, key: String) throws {
    let fault = #expect(throws: OptionFault.self) { try options(json) }
    #expect("\(try #require(fault))".hasPrefix("\(key): expected"))
  }
}
