// Labels speech while it is recorded:
//
//     arecord -q -t raw -f S16_LE -c 1 -r 8000 | LabelStream MODEL
//
// Standard input has 16-bit little-endian samples of one channel at the model's rate. A line
// `START END PHONE`, in seconds, is printed as soon as another phone has begun.
import Foundation
import Limbeck

/// Joins frames with the same phone and prints each run of them when it ends.
struct Runs {
  let model: Model
  private var phone = ""
  private var first = 0
  private var frames = 0

  init(_ model: Model) { self.model = model }

  mutating func add(_ posteriors: Posteriors) {
    for frame in 0..<posteriors.frames {
      let symbol = model.classes[posteriors.mostProbable(at: frame)]
      // A class is a state of a phone, such as AH_2, or a phone.
      let own = symbol.lastIndex(of: "_").map { String(symbol[..<$0]) } ?? symbol
      if own != phone {
        finish()
        (phone, first) = (own, frames)
      }
      frames += 1
    }
  }

  func finish() {
    guard frames > first else { return }
    // Phones change half-way between the centres of two frames.
    let half = model.frameShift / 2
    let (start, end) = (
      model.centre(ofFrame: first) - half, model.centre(ofFrame: frames - 1) + half
    )
    let line = String(format: "%.4f %.4f ", start, end) + phone + "\n"
    FileHandle.standardOutput.write(Data(line.utf8))
  }
}

func stop(_ message: String, _ status: Int32) -> Never {
  FileHandle.standardError.write(Data("LabelStream: \(message)\n".utf8))
  exit(status)
}

guard CommandLine.arguments.count == 2 else { stop("expected MODEL and nothing else", 64) }
do {
  let model = try Model(path: CommandLine.arguments[1])
  guard let rate = model.sampleRate else { throw ModelError.needsFeatures }
  var stream = try model.stream(sampleRate: rate)
  var runs = Runs(model)
  // 10 ms at a time.
  while let bytes = try FileHandle.standardInput.read(upToCount: 2 * (rate / 100)), !bytes.isEmpty {
    guard bytes.count % 2 == 0 else { stop("expected 16-bit samples, found an odd byte", 65) }
    let samples = stride(from: bytes.startIndex, to: bytes.endIndex, by: 2).map { place in
      Float(Int16(bitPattern: UInt16(bytes[place]) | UInt16(bytes[place + 1]) << 8)) / 32768
    }
    runs.add(try stream.push(samples.span))
  }
  runs.add(try stream.finish())
  runs.finish()
} catch {
  stop("\(error)", 65)
}
