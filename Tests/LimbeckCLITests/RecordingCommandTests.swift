import Foundation
import SystemPackage
import TestSupport
import Testing

@Suite("Recordings as they are")
struct RecordingCommandTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// Two seconds of 16 kHz as a WAV file.
  private func wave() throws -> Data {
    AudioFixture.write(generatedWaveform(count: 32_000), to: folder.file("a.wav"))
    return try Data(contentsOf: URL(fileURLWithPath: folder.file("a.wav").string))
  }

  private func text(_ name: String) throws -> String {
    try String(contentsOfFile: folder.file(name).string, encoding: .utf8)
  }

  @Test("what a header hides is read, and validate tells of it")
  func estimates() throws {
    var bytes = try wave()
    let joined = try folder.write(bytes + bytes, to: "joined.wav")
    bytes.replaceSubrange(4..<8, with: [0, 0, 0, 0])
    let size = try #require(bytes.firstRange(of: Data("data".utf8))).upperBound
    bytes.replaceSubrange(size..<size + 4, with: [0, 0, 0, 0])
    let unfinished = try folder.write(bytes, to: "unfinished.wav")
    try folder.write("j \(joined)\nu \(unfinished)\n", to: "data/wav.scp")
    let run = try limbeck("features", folder.file("data"), folder.file("out"))
    #expect(run.status == 0, "\(run.errors)")
    #expect(try text("out/utt2num_frames") == "j 398\nu 198\n")
    #expect(run.errors.contains("warning: j, features: \(joined): "))
    #expect(run.errors.contains("warning: u, features: \(unfinished): "))
    let report = try limbeck("validate", folder.file("data"))
    #expect(report.status == 0)
    #expect(report.output.contains("wav.scp:1: warning: j: "))
    #expect(report.output.contains("2 streams in sequence, read as one"))
    #expect(report.output.contains("a header that says 0 bytes of samples, 64000 in the file"))
  }

  @Test("segments may end at -1, or a little behind the end, where they are cut and counted")
  func segmentEnds() throws {
    _ = try wave()
    try folder.write("r \(folder.file("a.wav"))\n", to: "data/wav.scp")
    try folder.write("a r 1 -1\nb r 1 2.5\nc r 1 2.51\nd r 0 2.004\n", to: "data/segments")
    let run = try limbeck("features", folder.file("data"), folder.file("out"))
    #expect(run.status == 65)
    #expect(try text("out/utt2num_frames") == "a 98\nb 98\nd 198\n")
    #expect(run.errors.contains("which they exceed by at most 0.5 s: 1"), "\(run.errors)")
    let report = try limbeck("validate", folder.file("data"))
    #expect(report.status == 65)
    #expect(report.output.contains("segments:2: warning: b: "))
    #expect(report.output.contains("segments:3: error: c: "))
    for id in ["a", "d"] {
      #expect(!report.output.contains(" \(id): expected a segment within"))
    }
  }

  @Test("a segment of a channel that is not there hides no fault of the others")
  func wrongChannel() throws {
    _ = try wave()
    try folder.write("r \(folder.file("a.wav"))\n", to: "data/wav.scp")
    try folder.write("a r 0 1\nb r 7 8\nc r 0 1 1\n", to: "data/segments")
    let report = try limbeck("validate", folder.file("data"))
    #expect(report.status == 65)
    #expect(report.output.contains("segments:2: error: b: "))
    #expect(report.output.contains("segments:3: error: c: "))
    #expect(!report.output.contains("wav.scp:1: error"))
  }

  @Test("recordings in an archive are read in place, from the root too")
  func archive() throws {
    let bytes = try wave()
    let archive = Data("a ".utf8) + bytes + Data("b ".utf8) + bytes.prefix(44 + 10_000)
    try folder.write(archive, to: "corpus/wav.ark")
    try folder.write(bytes, to: "corpus/odd:2")
    try folder.write(
      "a wav.ark:2\nb wav.ark:\(4 + bytes.count)\nc odd:2\nd wav.ark:99999999\n", to: "data/wav.scp"
    )
    let run = try limbeck(
      "features", folder.file("data"), folder.file("out"), "--root", folder.file("corpus"))
    #expect(run.status == 65)
    #expect(try text("out/utt2num_frames") == "a 198\nc 198\n")
    #expect(run.errors.contains("b, features: ") && run.errors.contains("cut short"))
    #expect(run.errors.contains("the archive has only"))
  }

  @Test("what a command writes that is no audio is told under the command")
  func command() throws {
    try folder.write("a echo hello |\n", to: "data/wav.scp")
    let run = try limbeck(
      "features", folder.file("data"), folder.file("out"), "--allow-commands")
    #expect(run.status == 65)
    #expect(run.errors.contains("echo hello |: not readable as audio"))
    #expect(!run.errors.contains("/proc/"))
  }

  @Test("libraries write no lines of their own")
  func quiet() throws {
    let format = try #require(AudioFixture.formats.first { $0.description == "MP3" })
    AudioFixture.write(generatedWaveform(count: 32_000), to: folder.file("a"), format: format)
    let bytes = try Data(contentsOf: URL(fileURLWithPath: folder.file("a").string))
    let path = try folder.write(
      bytes.dropLast(100) + Data(repeating: 1, count: 3000) + bytes, to: "b")
    try folder.write("b \(path)\n", to: "data/wav.scp")
    let run = try limbeck("features", folder.file("data"), folder.file("out"), "--threads", "1")
    #expect(run.status == 0)
    let lines = run.errors.split(separator: "\n")
    #expect(lines.count == 2, "\(run.errors)")
    #expect(lines.first?.hasPrefix("warning: b, features: \(path): ") == true)
    #expect(lines.last == "\(folder.file("out")): 1 of 1 utterances, 0.1 min of audio at 16000 Hz")
  }

  /// A library that lets `pread` fail on files whose path contains `BREAK`, from the byte `AT` on.
  private static let source = """
    #define _GNU_SOURCE
    #include <dlfcn.h>
    #include <errno.h>
    #include <stdio.h>
    #include <stdlib.h>
    #include <string.h>
    #include <unistd.h>
    static int fails(int fd, off_t at) {
      char link[64], path[4096];
      snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
      ssize_t n = readlink(link, path, sizeof path - 1);
      if (n < 0 || !getenv("BREAK")) return 0;
      path[n] = 0;
      return strstr(path, getenv("BREAK")) && at >= atol(getenv("AT"));
    }
    #define READ(name) ssize_t name(int fd, void *b, size_t n, off_t at) { \\
      static __typeof__(&name) real; \\
      if (!real) real = (__typeof__(&name))dlsym(RTLD_NEXT, #name); \\
      if (fails(fd, at)) { errno = EIO; return -1; } \\
      return real(fd, b, n, at); }
    READ(pread) READ(pread64)

    """

  @Test("a disk that fails within a recording ends the work, in every format")
  func brokenDisk() throws {
    try folder.write(RecordingCommandTests.source, to: "broken.c")
    let library = folder.file("broken.so")
    let compiler = Process()
    compiler.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    compiler.arguments = [
      "clang", "-shared", "-fPIC", "-o", library.string, folder.file("broken.c").string, "-ldl",
    ]
    try compiler.run()
    compiler.waitUntilExit()
    try #require(compiler.terminationStatus == 0)
    for (index, format) in AudioFixture.formats.enumerated() {
      let name = "broken-\(index)"
      AudioFixture.write(
        generatedWaveform(count: 160_000), to: folder.file(name), format: format)
      let size = try Data(contentsOf: URL(fileURLWithPath: folder.file(name).string)).count
      try folder.write("a \(folder.file(name))\n", to: "data/wav.scp")
      for arguments: [any Argument] in [
        ["features", folder.file("data"), folder.file("out-\(index)")],
        ["validate", folder.file("data")],
      ] {
        let process = program(arguments)
        let settings = ["LD_PRELOAD": library.string, "BREAK": name, "AT": "\(size / 2)"]
        process.environment = ProcessInfo.processInfo.environment.merging(settings) { $1 }
        let errors = Pipe()
        (process.standardError, process.standardOutput) = (errors, FileHandle.nullDevice)
        try process.run()
        let words = String(
          decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        #expect(process.terminationStatus == 74, "\(format): \(words)")
        #expect(words.contains("\(folder.file(name)): cannot be read: "), "\(format): \(words)")
      }
      let well = try limbeck("features", folder.file("data"), folder.file("out-\(index)"))
      #expect(well.status == 0, "\(format): \(well.errors)")
    }
  }
}
