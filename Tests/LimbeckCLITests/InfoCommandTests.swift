import Foundation
import Storage
import SystemPackage
import TestSupport
import Testing

@Suite("info")
struct InfoCommandTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// Runs the program with a file as its standard input.
  private func piped(_ arguments: [any Argument], reading path: FilePath) throws
    -> Run
  {
    let process = program(arguments)
    let (output, errors) = (Pipe(), Pipe())
    (process.standardOutput, process.standardError) = (output, errors)
    // By a pipe, which can be read once alone.
    let source = Process()
    source.executableURL = URL(fileURLWithPath: "/bin/cat")
    source.arguments = [path.string]
    let input = Pipe()
    (source.standardOutput, process.standardInput) = (input, input)
    try source.run()
    try process.run()
    let printed = output.fileHandleForReading.readDataToEndOfFile()
    let complained = errors.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return Run(
      status: process.terminationStatus, output: String(decoding: printed, as: UTF8.self),
      errors: String(decoding: complained, as: UTF8.self))
  }

  @Test("everything that an experiment leaves is known, but for folders that are empty")
  func experiment() throws {
    let corpus = try SampleCorpus()
    #expect(try limbeck("run", corpus.recipePath, corpus.experimentPath).status == 0)
    let files = try #require(FileManager.default.enumerator(atPath: corpus.experimentPath.string))
    var seen = 0
    for case let name as String in files
    where !name.hasPrefix("data") && !name.contains("/.") && !name.hasPrefix(".") {
      let path = corpus.experimentPath.appending(name)
      let names = try? FileManager.default.contentsOfDirectory(atPath: path.string)
      let run = try limbeck("info", path)
      #expect(run.status == (names?.isEmpty == true ? 65 : 0), "\(name): \(run.errors)")
      seen += 1
    }
    #expect(seen > 30)
    for (name, start) in [
      ("stages/scores", "record "), ("models/student.log.jsonl", "log "),
      ("recipe.yaml", "recipe "), ("targets/train/classes.txt", "classes "),
      ("targets/train/targets.json", "targets "),
      ("targets/train/log_priors", "archive      vector"),
    ] {
      let run = try limbeck("info", corpus.experimentPath.appending(name))
      #expect(run.output.hasPrefix(start), "\(name): \(run.output)")
    }
  }

  @Test("what is in a folder is told by its names, also by those that are not UTF-8")
  func otherBytes() throws {
    let text = try folder.write("a 1 2\n", to: "a.txt")
    let latin = folder.path.pushing(FilePath(platformString: [CChar(bitPattern: 0xE9), 0]))
    try FileSystem.rename(text, to: latin.withSuffix(".ark"))
    let run = try limbeck("info", folder.path)
    #expect(run.output.hasPrefix("\\xE9.ark\narchive      integers\n"), "\(run)")
  }

  @Test("tables are told by their specifiers, of a pipe and of a command as well")
  func tables() throws {
    let text = try folder.write("a 1 2\nb 3\n", to: "a.txt")
    let told = "archive      integers\nentries      2\nrows         3\nvalues       from 1 to 3\n"
    for place in ["-", "ark:-", "ark,t:-"] {
      #expect(try piped(["info", place], reading: text).output == told)
    }
    let command = "ark:gzip -c '\(text)' |"
    let refused = try limbeck("info", command)
    #expect(refused.status == 65)
    #expect(refused.errors.contains("--allow-commands"))
    #expect(try limbeck("info", command, "--allow-commands").output == told)
    let post = try folder.write("b [ 4 1 ]\na [ 1 0.5 2 0.5 ] [ 3 1 ]\n", to: "post.txt")
    #expect(try limbeck("info", post).output.hasPrefix("archive      posterior\n"))
    let empty = try folder.write("", to: "empty")
    let nothing = try limbeck("info", empty)
    #expect(nothing.status == 65)
    #expect(nothing.errors.contains("found an empty file"))
  }

  @Test("posteriors of a pipe are copied as they are")
  func posteriors() throws {
    let text = try folder.write("a [ 1 0.5 2 0.5 ] [ 3 1 ]\nb [ 4 1 ]\n", to: "post.txt")
    let archive = folder.file("post.ark")
    #expect(
      try limbeck("copy", "--type", "posterior", text, "ark:\(archive)").status == 0
    )
    let copied = try piped(["copy", "ark:-", "ark,t:-"], reading: archive)
    #expect(copied.status == 0)
    #expect(copied.output == "a [ 1 0.5 2 0.5 ] [ 3 1.0 ] \nb [ 4 1.0 ] \n")
    let other = try piped(["copy", "--type", "integers", "ark:-", "ark,t:-"], reading: archive)
    #expect(other.status == 65)
    #expect(other.output.isEmpty)
    #expect(other.errors.contains("--type posterior"))
  }

  @Test("alignments and statistics are read by specifiers")
  func arguments() throws {
    let corpus = try SampleCorpus()
    let run = try limbeck(
      "run", corpus.recipePath, corpus.experimentPath, "--until", "targets")
    #expect(run.status == 0)
    let whole = corpus.experimentPath.appending("targets/train/targets.ark")
    let features = corpus.experimentPath.appending("features/train")
    let data = corpus.experimentPath.appending("data/train")
    let (archive, script) = (folder.file("ali.ark"), folder.file("ali.scp"))
    #expect(
      try limbeck("copy", whole, "ark,scp:\(archive),\(script)").status == 0)
    for (place, index) in zip(["ark:\(archive)", "scp:\(script)", "\(script)", "-"], 0...) {
      let out = folder.file("out\(index)")
      let run = try piped(
        ["targets", data, out, "--ark", place, "--features", features], reading: archive)
      #expect(run.status == 0, "\(place): \(run.errors)")
      #expect(
        try Data(contentsOf: URL(fileURLWithPath: out.appending("targets.ark").string))
          == Data(contentsOf: URL(fileURLWithPath: whole.string)), "\(place)")
    }
    let wrong = try limbeck("targets", data, folder.file("x"), "--ark", "ark,x:a")
    #expect(wrong.status == 64)
    let rate: [any Argument] = [
      "features", "--sample-rate", "8000", "--normalization", "utterance",
    ]
    let (own, given) = (folder.file("own"), folder.file("given"))
    #expect(
      try limbeck(rate + [data, own]).status
        == 0)
    for statistics in ["scp:\(own)/cmvn.scp", "ark:\(own)/cmvn.ark"] {
      let run = try limbeck(
        rate + [data, given, "--cmvn-stats", statistics])
      #expect(run.status == 0, "\(run.errors)")
      #expect(
        try Data(contentsOf: URL(fileURLWithPath: given.appending("feats.ark").string))
          == Data(contentsOf: URL(fileURLWithPath: own.appending("feats.ark").string)))
    }
    let stream = try limbeck(rate + [data, given, "--cmvn-stats", "-"])
    #expect(stream.status == 65)
    #expect(stream.errors.contains("statistics in a file"))
  }
}
