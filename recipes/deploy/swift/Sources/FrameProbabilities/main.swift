// The probability of the most probable class of each frame of a WAV file:
//
//     FrameProbabilities MODEL WAV
//
// WAV is 16-bit PCM with one channel, at the model's rate. A line `FRAME CLASS PROBABILITY` is printed
// for each frame, once all samples in pieces of 10 ms have given the same probabilities to the bit.
import Foundation
import Limbeck

let model = try Model(path: CommandLine.arguments[1])
let bytes = try Data(contentsOf: URL(fileURLWithPath: CommandLine.arguments[2]))
guard let data = bytes.firstRange(of: Data("data".utf8)) else { exit(65) }
let body = bytes[(data.upperBound + 4)...]
let samples = stride(from: body.startIndex, to: body.endIndex - 1, by: 2).map { place in
  Float(Int16(bitPattern: UInt16(body[place]) | UInt16(body[place + 1]) << 8)) / 32768
}
let rate = model.sampleRate ?? 0
let posteriors = try model.posteriors(ofSamples: samples, sampleRate: rate)
var stream = try model.stream(sampleRate: rate)
var streamed: [Float] = []
for start in stride(from: 0, to: samples.count, by: rate / 100) {
  let piece = samples[start..<min(samples.count, start + rate / 100)]
  streamed += try stream.push(piece.span).values
}
streamed += try stream.finish().values
guard streamed == posteriors.values else {
  FileHandle.standardError.write(
    Data("expected the same from a stream, found other numbers\n".utf8))
  exit(1)
}
for frame in 0..<posteriors.frames {
  let best = posteriors.mostProbable(at: frame)
  print(frame, model.classes[best], posteriors[frame][posteriors[frame].startIndex + best])
}
