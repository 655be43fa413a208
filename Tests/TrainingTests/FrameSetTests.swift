import Features
import Foundation
import LinearAlgebra
import Networks
import Storage
import SystemPackage
import TestSupport
import Testing
import Training

@Suite("Batches of frames")
struct FrameSetTests {
  /// Utterances of up to 5,000 frames, whose features say which frame of which utterance they are.
  private let source: FramesInMemory = {
    var generator = SeededGenerator(71)
    return FramesInMemory(
      (0..<12).map { utterance in
        let count = utterance == 3 ? 5000 : 300 + generator.integer(below: 1500)
        return FramesInMemory.Utterance(
          id: "u\(utterance)",
          features: Matrix(
            rows: count, columns: 2,
            values: (0..<count).flatMap { [Float(utterance), Float($0)] }),
          labels: (0..<count).map { Int32(($0 * 7 + utterance) % 10) },
          softTargets: Matrix(rows: count, columns: 1, values: (0..<count).map { Float($0) }))
      })
  }()
  private let plain = FeatureNormalizer(mean: [0, 0], deviation: [1, 1])

  @Test("joined sources are one behind the other")
  func joined() throws {
    let other = FramesInMemory([
      FramesInMemory.Utterance(
        id: "v", features: Matrix(rows: 2, columns: 2, values: [7, 0, 7, 1]),
        labels: [FrameClass.unknown, FrameClass.unknown],
        softTargets: Matrix(rows: 2, columns: 1, values: [0.25, 0.5]))
    ])
    let joined = JoinedFrames([source, other, source])
    #expect(joined.count == 25 && joined.columns == 2 && joined.softColumns == 1)
    #expect(joined.frameCount == 2 * source.frameCount + 2)
    #expect([0, 11, 12, 13, 24].map(joined.id) == ["u0", "u11", "v", "u0", "u11"])
    #expect(joined.frameCount(of: 16) == 5000)
    #expect(try joined.labels(0..<2, of: 12) == [-1, -1])
    #expect(try joined.labels(5..<9, of: 14) == source.labels(5..<9, of: 1))
    let (features, targets) = (
      SharedMatrix(rows: 1, columns: 2), SharedMatrix(rows: 1, columns: 1)
    )
    try joined.readFeatures(1..<2, of: 12, into: features.tile)
    try joined.readSoftTargets(1..<2, of: 12, into: targets.tile)
    #expect(features.matrix.values == [7, 1] && targets.matrix.values == [0.5])
    try joined.readFeatures(9..<10, of: 15, into: features.tile)
    #expect(features.matrix.values == [2, 9])
  }

  private func layout(_ hidden: HiddenShape, chunk: Int) -> BatchLayout {
    BatchLayout(
      of: AcousticNetwork(
        features: 2, context: -3...2, hidden: hidden, classes: 10, seed: 1), chunk: chunk)
  }

  private func set(pool: Int) throws -> FrameSet {
    try FrameSet(source, normalizer: plain, pool: pool)
  }

  /// A labelled row of a batch: the utterance and the frame, by what the soft target and the input say.
  private struct Row: Hashable {
    let utterance: Int
    let frame: Int
  }

  /// All labelled rows of a stream, batch by batch; each is held against the source.
  private func rows(
    _ stream: BatchStream, offsets: [Int], above: ClosedRange<Int>, chunk: Int
  ) throws -> [[Row]] {
    var batches: [[Row]] = []
    while let (batch, _) = try stream.next() {
      for task in 0..<batch.fillTasks { batch.fill(task) }
      var own: [Row] = []
      let inputs = batch.input
      let targets = batch.softTargets
      for row in 0..<batch.labels.count where batch.labels[row] >= 0 {
        let (time, run) = (row / batch.chunks, row % batch.chunks)
        let frame = Int(targets.doubles(ofRow: row)[0])
        // The first layer's input at each time that the frame needs.
        var utterance = -1
        for shift in above {
          let inputRow = (time + shift - above.lowerBound) * batch.chunks + run
          let input = inputs.doubles(ofRow: inputRow)
          utterance = Int(input[0])
          let last = source.frameCount(of: utterance) - 1
          for (place, offset) in offsets.enumerated() {
            let expected = min(max(frame + shift + offset, 0), last)
            guard input[2 * place] == Double(utterance), input[2 * place + 1] == Double(expected)
            else {
              Issue.record(
                "frame \(frame) of \(utterance) at \(shift), \(offset): expected \(expected)")
              return []
            }
          }
        }
        #expect(batch.labels[row] == Int32((frame * 7 + utterance) % 10))
        own.append(Row(utterance: utterance, frame: frame))
      }
      #expect(batch.frameCount == own.count)
      batches.append(own)
    }
    return batches
  }

  private struct Kind: Sendable, CustomStringConvertible {
    let description: String
    let hidden: HiddenShape
    let chunk: Int
    let offsets: [Int]
    let above: ClosedRange<Int>
  }

  private static let kinds = [
    Kind(
      description: "feed-forward", hidden: HiddenShape(layers: 1, units: 2), chunk: 16,
      offsets: Array(-3...2), above: 0...0),
    Kind(
      description: "time-delay",
      hidden: HiddenShape(layers: 2, units: 2, timeOffsets: [[-1, 0, 2], [-4, 3]]), chunk: 16,
      offsets: [-1, 0, 2], above: -4...3),
  ]

  @Test(
    "each frame comes once an epoch with its own context, label and soft target, whatever the pool",
    arguments: kinds, [4096, 9000, 1_000_000])
  private func everyFrame(_ kind: Kind, pool: Int) throws {
    let set = try set(pool: pool)
    let own = layout(kind.hidden, chunk: kind.chunk)
    func rows(_ order: FrameSet.Order) throws -> [[Row]] {
      try self.rows(
        BatchStream(set.plan(order, layout: own, batchSize: 256)), offsets: kind.offsets,
        above: kind.above, chunk: kind.chunk)
    }
    let first = try rows(.shuffled(seed: 5, epoch: 1))
    let flat = first.flatMap { $0 }
    #expect(flat.count == source.frameCount)
    #expect(Set(flat).count == source.frameCount)
    #expect(first.allSatisfy { $0.count <= 256 })
    let plan = set.plan(.shuffled(seed: 5, epoch: 1), layout: own, batchSize: 256)
    #expect(try plan.countBatches() == first.count)
    #expect(try rows(.shuffled(seed: 5, epoch: 1)) == first)
    #expect(try rows(.shuffled(seed: 5, epoch: 2)) != first)
    #expect(try rows(.shuffled(seed: 6, epoch: 1)) != first)
    let given = try rows(.given).flatMap { $0 }
    let expected = (0..<source.count).flatMap { utterance in
      (0..<source.frameCount(of: utterance)).map { Row(utterance: utterance, frame: $0) }
    }
    #expect(Set(given) == Set(expected))
    if kind.description == "feed-forward" { #expect(given == expected) }
  }

  @Test(
    "a sample has all frames of some classes and as many of the others, drawn anew for each pass",
    arguments: kinds, [4096, 1_000_000])
  private func sampled(_ kind: Kind, pool: Int) throws {
    // Classes 2 and 7 of ten, each of which a tenth of the frames has; seed 9.
    let counts = (0..<10).map { id in
      (0..<source.count).reduce(0) { sum, utterance in
        sum
          + source.labels(0..<source.frameCount(of: utterance), of: utterance).count { $0 == id }
      }
    }
    let sampling = ClassSampling(
      own: [2, 7], learnt: (0..<10).map { [2: 0, 7: 1][$0] ?? 2 }, counts: counts, seed: 9)
    #expect(mismatch(sampling.prior, 0.2, absolute: 0.001) == nil)
    #expect(mismatch(sampling.correction, log(4.0), absolute: 0.01) == nil)
    let set = try set(pool: pool).sampled(by: sampling)
    let own = counts[2] + counts[7]
    #expect(set.count == 2 * own)
    let layout = layout(kind.hidden, chunk: kind.chunk)
    func labels(_ order: FrameSet.Order) throws -> [[Int32: Set<Int>]] {
      let plan = set.plan(order, layout: layout, batchSize: 256)
      let stream = BatchStream(plan)
      var frames = [[Int32: Set<Int>]](repeating: [:], count: source.count)
      var batches = 0
      while let (batch, _) = try stream.next() {
        for task in 0..<batch.fillTasks { batch.fill(task) }
        batches += 1
        for row in 0..<batch.labels.count where batch.labels[row] != FrameClass.none {
          let frame = Int(batch.softTargets.doubles(ofRow: row)[0])
          // The first layer's input of the frame itself says which utterance it is of.
          let input = batch.input.doubles(ofRow: row - kind.above.lowerBound * batch.chunks)
          let isNew = frames[Int(input[0])][batch.labels[row], default: []].insert(frame).inserted
          #expect(isNew)
        }
        #expect(batch.frameCount > 0)
      }
      #expect(try plan.countBatches() == batches)
      return frames
    }
    let first = try labels(.shuffled(seed: 5, epoch: 1))
    for (utterance, frames) in first.enumerated() {
      for (place, id) in [Int32(2), 7].enumerated() {
        let all = source.labels(0..<source.frameCount(of: utterance), of: utterance)
        #expect(frames[Int32(place)]?.sorted() == all.indices.filter { all[$0] == id })
      }
    }
    let others = first.reduce(0) { $0 + ($1[2]?.count ?? 0) }
    // Within four deviations of a binomial of runs.
    let deviation = (Double(own) * 0.75 * Double(kind.chunk)).squareRoot()
    #expect(mismatch(Double(others), Double(own), absolute: 4 * deviation) == nil)
    #expect(try labels(.shuffled(seed: 5, epoch: 1)) == first)
    #expect(try labels(.shuffled(seed: 5, epoch: 2)) != first)
  }

  @Test(
    "a stream that begins anywhere goes on as the whole one does", arguments: [4096, 1_000_000])
  func positions(pool: Int) throws {
    let set = try set(pool: pool)
    let kind = FrameSetTests.kinds[0]
    let plan = set.plan(
      .shuffled(seed: 5, epoch: 3), layout: layout(kind.hidden, chunk: 1), batchSize: 256)
    let whole = try rows(
      BatchStream(plan), offsets: kind.offsets, above: kind.above, chunk: 1)
    let stream = BatchStream(plan)
    var positions = [FrameSet.Position()]
    while let (_, next) = try stream.next() { positions.append(next) }
    #expect(positions.count == whole.count + 1)
    // One of each tenth, and the end.
    for number in stride(from: 0, through: whole.count, by: max(1, whole.count / 10)) {
      let rest = try rows(
        BatchStream(plan, from: positions[number]), offsets: kind.offsets, above: kind.above,
        chunk: 1)
      #expect(rest == Array(whole[number...]), "from batch \(number)")
    }
  }

  @Test(
    "a sample goes on from any position, and blocks without a frame to learn from are passed over")
  func rareClass() throws {
    // One frame of class 3 in all of 30,000: all but few blocks of a small pool have nothing.
    let count = 30_000
    let rare = FramesInMemory([
      FramesInMemory.Utterance(
        id: "u", features: Matrix(rows: count, columns: 2, values: (0..<2 * count).map(Float.init)),
        labels: (0..<count).map { $0 == 17_000 ? 3 : 0 })
    ])
    let sampling = ClassSampling(
      own: [3], learnt: [1, 1, 1, 0], counts: [count - 1, 0, 0, 1], seed: 3)
    let set = try FrameSet(rare, normalizer: plain, pool: 4096).sampled(by: sampling)
    let layout = layout(HiddenShape(layers: 1, units: 2), chunk: 1)
    var found = 0
    for epoch in 1...20 {
      let plan = set.plan(.shuffled(seed: 5, epoch: epoch), layout: layout, batchSize: 8)
      let stream = BatchStream(plan)
      var (batches, own) = (0, 0)
      while let (batch, _) = try stream.next() {
        #expect(batch.frameCount > 0)
        batches += 1
        own += batch.labels.count { $0 == 0 }
        found += batch.labels.count { $0 == 1 }
      }
      #expect(try plan.countBatches() == batches)
      #expect(own == 1)
    }
    // One of the others a pass in the mean; within four deviations.
    #expect(mismatch(Double(found), 20, absolute: 4 * 20.0.squareRoot()) == nil)

    let whole = set.plan(.shuffled(seed: 5, epoch: 1), layout: layout, batchSize: 1)
    let stream = BatchStream(whole)
    var positions = [FrameSet.Position()]
    while let (_, next) = try stream.next() { positions.append(next) }
    for (number, position) in positions.enumerated() {
      let rest = BatchStream(whole, from: position)
      var left = 0
      while try rest.next() != nil { left += 1 }
      #expect(left == positions.count - 1 - number)
    }
  }

  @Test("frames that cannot be read are a fault of the batch that needs them, not a trap")
  func unreadable() throws {
    struct Broken: FrameSource {
      let columns = 2
      let softColumns = 0
      let count = 3
      func id(of utterance: Int) -> String { "u\(utterance)" }
      func frameCount(of utterance: Int) -> Int { 3000 }
      func labels(_ frames: Range<Int>, of utterance: Int) -> [Int32] {
        Array(repeating: 0, count: frames.count)
      }
      func readSoftTargets(_ frames: Range<Int>, of utterance: Int, into tile: Tile) {}
      func readFeatures(
        _ frames: Range<Int>, of utterance: Int, into tile: Tile
      ) throws(FileFault) {
        if utterance == 2 { throw .unreadable(path: "feats.ark", reason: "a bad block") }
      }
    }
    let set = try FrameSet(Broken(), normalizer: plain, pool: 4096)
    let layout = layout(HiddenShape(layers: 1, units: 2), chunk: 1)
    let stream = BatchStream(set.plan(.given, layout: layout, batchSize: 100))
    let fault = #expect(throws: FileFault.self) { while try stream.next() != nil {} }
    #expect(fault == .unreadable(path: "feats.ark", reason: "a bad block"))
  }
}

extension SharedMatrix {
  /// The values of a row.
  fileprivate func doubles(ofRow row: Int) -> [Double] {
    withRow(row) { values in values.indices.map { Double(values[$0]) } }
  }
}
