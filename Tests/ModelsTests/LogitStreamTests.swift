import Classes
import Features
import LinearAlgebra
import Models
import Networks
import TestSupport
import Testing

@Suite("Logits of frames that come in pieces")
struct LogitStreamTests {
  /// A model whose layers see such frames, 40 units wide.
  private func model(_ timeOffsets: [[Int]], seed: UInt64) -> AcousticModel {
    sampleModel(
      seed: seed,
      hidden: HiddenShape(layers: timeOffsets.count, units: 40, timeOffsets: timeOffsets))
  }

  /// Where the frame itself is seen, and where only earlier or only later ones are.
  static let offsets: [[[Int]]] = [
    [Array(-20...5), [0]],
    [[-2, 0, 1], [-5, 4], [-1, 0, 1]],
    [[-3, -2], [-4, -1]],
    [[-9, -7], [1, 2]],
    [[2, 3], [1, 4]],
    [[4, 6], [-9, -8]],
    [[-30], [40]],
  ]

  @Test("every cut gives the logits of the whole, to the bit", arguments: offsets)
  func cuts(offsets: [[Int]]) {
    let seed: UInt64 = 431
    let model = model(offsets, seed: seed)
    for (number, frames) in [0, 1, 2, 9, 150].enumerated() {
      let features = Matrix.random(rows: frames, columns: 4, seed: seed + UInt64(number))
      let whole = model.logits(of: features)
      #expect(whole.rows == frames)
      #expect(
        mismatch(whole.values, spliced(model, features).values, absolute: 2e-5) == nil,
        "\(frames) frames, seed \(seed)")
      // One stream for several utterances, which do not see each other.
      var stream = LogitStream(model, mostFrames: 48)
      let stored = stream.storedValues
      for size in [1, 7, 48, 150] {
        var logits = Matrix(rows: 0, columns: 3)
        for start in stride(from: 0, to: frames, by: size) {
          stream.push(
            features.rows(Array(start..<min(frames, start + size))), appendingTo: &logits)
          #expect(
            logits.rows
              == max(0, min(frames, start + size) - max(0, model.network.context.upperBound)))
        }
        stream.push(features.rows([]), isLast: true, appendingTo: &logits)
        #expect(logits == whole, "\(frames) frames in pieces of \(size), seed \(seed)")
      }
      #expect(stream.storedValues == stored)
    }
  }

  @Test("a frame's logits do not depend on how many frames follow, to the bit")
  func prefixes() {
    let model = model([[-2, 0, 1], [-3, 0, 3]], seed: 441)
    let features = Matrix.random(rows: 2500, columns: 4, seed: 442)
    let whole = model.logits(of: features)
    for count in [5, 20, 100, 1007, 1008, 1009, 2016] {
      let part = model.logits(of: features.rows(Array(0..<count)))
      // The last four see the edge.
      #expect(
        part.rows(Array(0..<count - 4)) == whole.rows(Array(0..<count - 4)), "\(count) frames")
    }
  }

  /// The logits by their definition: the frames that each frame's logits need, beyond an edge its first or last one.
  private func spliced(_ model: AcousticModel, _ features: Matrix) -> Matrix {
    var logits = Matrix(rows: 0, columns: 3)
    guard features.rows > 0 else { return logits }
    let frames = model.normalizer.applied(to: features)
    let (offsets, above) = (model.network.layers[0].offsets, model.network.contextAboveInput)
    for frame in 0..<frames.rows {
      let rows = above.map { time in
        offsets.flatMap { offset in
          (0..<4).map { frames[min(max(frame + time + offset, 0), frames.rows - 1), $0] }
        }
      }
      logits.append(
        model.network.logits(
          of: Matrix(
            rows: rows.count, columns: 4 * offsets.count, values: Array(rows.joined()))))
    }
    return logits
  }
}
