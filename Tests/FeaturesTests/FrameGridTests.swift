import Features
import Testing

@Suite("Frames and samples")
struct FrameGridTests {
  private let grid = FrameGrid(sampleRate: 16000, frameLength: 25, frameShift: 10)

  @Test("windows of 400 samples every 160")
  func sizes() {
    #expect(grid.window == 400)
    #expect(grid.shift == 160)
    #expect(FrameGrid(sampleRate: 11025, frameLength: 25, frameShift: 10).window == 275)
  }

  @Test(
    "the number of frames at the edges",
    arguments: [(0, 0), (399, 0), (400, 1), (401, 1), (559, 1), (560, 2), (16000, 98)])
  func counts(samples: Int, frames: Int) {
    #expect(grid.frameCount(samples: samples) == frames)
  }

  @Test("every frame that is counted lies inside, and the next one does not")
  func lastFrame() {
    for samples in 400..<1200 {
      let count = grid.frameCount(samples: samples)
      #expect(grid.samples(ofFrame: count - 1).upperBound <= samples)
      #expect(grid.samples(ofFrame: count).upperBound > samples)
    }
  }

  @Test("the centre of the first frame is half a window in")
  func centres() {
    #expect(grid.centre(ofFrame: 0) == 0.0125)
    #expect(grid.centre(ofFrame: 10) == 0.1125)
  }

  @Test("at its own speed, a frame comes from itself")
  func sameSpeed() {
    for index in 0..<200 { #expect(grid.source(ofFrame: index, atSpeed: 1, count: 200) == index) }
  }

  @Test(
    "a frame of faster or slower speech comes from the frame whose centre is nearest",
    arguments: [0.5, 0.85, 0.9, 1.1, 1.15, 2], [FrameGrid.Edges.snipped, .mirrored])
  func otherSpeed(speed: Double, edges: FrameGrid.Edges) {
    for (rate, length) in [(8000, 25.0), (16000, 25), (11025, 20)] {
      let grid = FrameGrid(sampleRate: rate, frameLength: length, frameShift: 10, edges: edges)
      let samples = 3 * rate
      let count = grid.frameCount(samples: samples)
      let copied = grid.frameCount(samples: Int(Double(samples) / speed))
      var last = 0
      for index in 0..<copied {
        let found = grid.source(ofFrame: index, atSpeed: speed, count: count)
        let moment = grid.centre(ofFrame: index) * speed
        let distances = (0..<count).map { abs(grid.centre(ofFrame: $0) - moment) }
        #expect(distances[found] <= distances.min()! + 1e-12)
        #expect(found >= last)
        last = found
      }
      // The copy ends where the utterance does, but for what half a window of either lacks.
      let edge = Double(grid.window) / Double(grid.shift) * abs(1 - speed) / 2 + 2
      #expect(Double(count - 1 - last) <= edge * max(1, speed))
    }
  }
}
