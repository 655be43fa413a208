#!/usr/bin/env bash
# Builds a package that depends on this checkout by its path, and labels the samples of a WAV file with a model.
#
#   run.sh MODEL WAV
#
# WAV is 16-bit PCM with one channel, at the model's rate. The program prints a line `FRAME CLASS PROBABILITY` for each
# frame, once all samples in pieces of 10 ms have given the same probabilities to the bit. It must link neither libsndfile nor what reads YAML, protobuf or arguments.
set -euo pipefail
root=$(CDPATH= cd "$(dirname "$0")/../.." && pwd)
[ $# -eq 2 ] || { sed -n '2,7s/^# \{0,1\}//p' "$0" >&2; exit 64; }
model=$(realpath "$1") wav=$(realpath "$2")
package=$root/.build/consumer
mkdir -p "$package/Sources/Consumer"
cat >"$package/Package.swift" <<SWIFT
// swift-tools-version: 6.2
import PackageDescription

let package = Package(
  name: "Consumer",
  dependencies: [.package(name: "limbeck", path: "$root")],
  targets: [
    .executableTarget(
      name: "Consumer", dependencies: [.product(name: "Limbeck", package: "limbeck")])
  ])
SWIFT
cat >"$package/Sources/Consumer/main.swift" <<'SWIFT'
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
  FileHandle.standardError.write(Data("expected the same from a stream, found other numbers\n".utf8))
  exit(1)
}
for frame in 0..<posteriors.frames {
  let best = posteriors.mostProbable(at: frame)
  print(frame, model.classes[best], posteriors[frame][posteriors[frame].startIndex + best])
}
SWIFT
swift build -c release --package-path "$package" >&2
program=$package/.build/release/Consumer
if ldd "$program" | grep -E 'sndfile|mpg123|samplerate'; then
  echo "run.sh: expected a program without audio libraries, found those above" >&2
  exit 1
fi
"$program" "$model" "$wav"
