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
}
