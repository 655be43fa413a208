import Foundation
import SystemPackage
import TestSupport
import Testing

/// What a run of the program came to.
struct Run {
  let status: Int32
  let output: String
  let errors: String
}

/// What the program is called with.
protocol Argument: CustomStringConvertible {}
extension String: Argument {}
extension FilePath: Argument {}

/// Runs the program that was built with the tests.
func limbeck(_ arguments: any Argument...) throws -> Run {
  try limbeck(arguments)
}

/// The same with a list of arguments.
func limbeck(_ arguments: [any Argument]) throws -> Run {
  let process = program(arguments)
  let (output, errors) = (Pipe(), Pipe())
  (process.standardOutput, process.standardError) = (output, errors)
  try process.run()
  let printed = output.fileHandleForReading.readDataToEndOfFile()
  let complained = errors.fileHandleForReading.readDataToEndOfFile()
  process.waitUntilExit()
  return Run(
    status: process.terminationStatus, output: String(decoding: printed, as: UTF8.self),
    errors: String(decoding: complained, as: UTF8.self))
}

/// The program with arguments, not yet started.
func program(_ arguments: [any Argument]) -> Process {
  let process = Process()
  process.executableURL = URL(fileURLWithPath: CommandLine.arguments[0])
    .deletingLastPathComponent().appendingPathComponent("limbeck")
  process.arguments = arguments.map(\.description)
  return process
}

/// Runs the program with so many kilobytes for each file; what it then lacks is room, as on a full
/// disk.
func starved(
  _ kilobytes: Int, _ arguments: any Argument...
) throws -> (status: Int32, errors: String) {
  let shell = Process()
  shell.executableURL = URL(fileURLWithPath: "/bin/bash")
  shell.arguments =
    [
      "-c", "ulimit -f \(kilobytes); exec \"$@\"", "bash",
      try #require(program([]).executableURL).path,
    ] + arguments.map(\.description)
  let errors = Pipe()
  (shell.standardOutput, shell.standardError) = (FileHandle.nullDevice, errors)
  try shell.run()
  let text = String(
    decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
  shell.waitUntilExit()
  return (shell.terminationStatus, text)
}

@Suite("The command line")
struct CommandTests {
  @Test("the help lists the verbs")
  func help() throws {
    let run = try limbeck("--help")
    #expect(run.status == 0)
    #expect(
      run.output == """
        OVERVIEW: Train frame-level acoustic models on recorded speech, and distil
        ensembles into single models.

        Exit status: 0 done; 64 wrong usage; 65 bad data (the rest is done, and the
        ledger lists each fault); 66 no such input; 70 a bug; 71 too little memory; 74
        reading or writing failed; 130 and 143 interrupted by SIGINT and SIGTERM.

        USAGE: limbeck <subcommand>

        OPTIONS:
          --version               Show the version.
          -h, --help              Show help information.

        SUBCOMMANDS:
          validate                Check a Kaldi data directory and report every fault.
          split                   Divide a Kaldi data directory into training,
                                  development and test set.
          init                    Write a commented recipe for a corpus, with every
                                  option.
          features                Extract log-mel features from a Kaldi data directory.
          targets                 Make frame targets for a Kaldi data directory from an
                                  alignment.
          train                   Train a recipe's ensemble members and baselines.
          distill                 Distil a recipe's ensemble into its students.
          specialists             Train specialists of a recipe's baseline, and distil
                                  baseline and specialists into one model.
          score                   Score a model on features and targets.
          posteriors              Write a model's log posteriors of each frame, or
                                  log-likelihoods for a decoder.
          quantize                Write a smaller and faster model: in int8 or bfloat16
                                  instead of float32.
          export                  Write a model, or the mean of several, as an ONNX
                                  graph for other programs.
          plan                    Print a recipe's steps: which are fresh, to do or
                                  running.
          run                     Run all stages of a recipe, skipping fresh steps.
          info                    Describe a model, a Kaldi archive or scp, or a folder.
          report                  Write EXP/report.html: tables, figures and the recipe
                                  of a scored experiment.
          copy                    Convert a Kaldi archive or scp to another archive
                                  format.

          See 'limbeck help <subcommand>' for detailed help.

        """)
  }

  @Test(
    "wrong usage is 64",
    arguments: [
      ["features"], ["features", "a", "b", "--jobs", "0"], ["fly"],
      ["run", "a", "b", "--until", "tea"],
      ["targets", "a", "b"], ["targets", "a", "b", "--ctm", "c", "--ark", "d"],
      ["targets", "a", "b", "--ctm", "c", "--tier", "d"], ["validate"],
      ["targets", "a", "b", "--ctm", "c", "--features", "d", "--config", "e"],
      ["validate", "a", "--channel", "0"],
      ["features", "a", "b", "--allow-skipped", "many"],
      ["features", "a", "b", "--window", "square"],
      ["features", "a", "b", "--text", "--compression", "cm"],
      ["copy", "a", "b", "--type", "cube"],
      ["posteriors", "a", "b"], ["posteriors", "--ensemble", "e", "a"],
      ["posteriors", "--ensemble", "e", "--specialists", "e", "a", "b"],
      ["posteriors", "a", "b", "c", "--labels", "lab"],
      ["posteriors", "a", "b", "c", "--labels", "ctm", "--log-likelihoods"],
      ["posteriors", "a", "b", "c", "--rate", "8000"],
      ["posteriors", "a", "b", "c", "--temperature", "0"],
      ["posteriors", "a", "b", "c", "--priors", "d"],
      ["posteriors", "a", "b", "ark,t:c", "--compression", "cm"],
      ["posteriors", "a", "b", "scp:c"], ["posteriors", "a", "b", "ark,scp:c,wav.scp"],
    ])
  func usage(arguments: [String]) throws {
    let process = try limbeck(arguments)
    #expect(process.status == 64)
    #expect(process.output.isEmpty)
    #expect(process.errors.contains("Usage: limbeck") || process.errors.contains("USAGE: limbeck"))
  }

  @Test("an input that does not exist is 66 and named")
  func noInput() throws {
    let folder = try TemporaryFolder()
    let recipe = folder.file("none.yaml")
    let run = try limbeck("run", recipe, folder.file("exp"))
    #expect(run.status == 66)
    #expect(run.errors == "limbeck: \(recipe): no such file\n")
  }

  @Test("a bad recipe is 65, an output that cannot be written 74")
  func badData() throws {
    let folder = try TemporaryFolder()
    let recipe = try folder.write("corpus: {trian: a}\n", to: "recipe.yaml")
    let bad = try limbeck("train", recipe, folder.file("exp"))
    #expect(bad.status == 65)
    #expect(bad.errors.contains("unknown option corpus.trian; did you mean train?"))

    AudioFixture.write(generatedWaveform(count: 4000), to: folder.file("a.wav"))
    try folder.write("a \(folder.file("a.wav"))\n", to: "data/wav.scp")
    let unwritable = try limbeck("features", folder.file("data"), recipe.appending("below"))
    #expect(unwritable.status == 74)
    #expect(unwritable.errors.contains("cannot be written"))
  }

  @Test("utterances skipped make the status 65 unless their share is allowed; the rest is done")
  func leftOut() throws {
    let folder = try TemporaryFolder()
    AudioFixture.write(generatedWaveform(count: 4000), to: folder.file("a.wav"))
    try folder.write(
      "a \(folder.file("a.wav"))\nb \(folder.file("none.wav"))\n", to: "data/wav.scp")
    let (data, out) = (folder.file("data"), folder.file("out"))
    let strict = try limbeck("features", data, out)
    #expect(strict.status == 65)
    #expect(strict.output.isEmpty)
    #expect(strict.errors.contains("1 of 2 utterances skipped; see \(out)/ledger.jsonl"))
    #expect(try limbeck("features", data, out, "--allow-skipped", "49%").status == 65)
    #expect(try limbeck("features", data, out, "--allow-skipped", "50%").status == 0)

    let ledger = try String(contentsOfFile: out.appending("ledger.jsonl").string, encoding: .utf8)
    #expect(ledger.contains("none.wav: no such file"))
    let frames = try String(contentsOfFile: out.appending("utt2num_frames").string, encoding: .utf8)
    #expect(frames == "a 23\n")
    let info = try limbeck("info", out.appending("feats.ark"))
    #expect(info.status == 0)
    #expect(
      info.output == """
        archive      matrix
        entries      1
        rows         23
        columns      40

        """)
  }

  @Test("a CTM becomes targets, with frames counted from the audio")
  func targets() throws {
    let folder = try TemporaryFolder()
    AudioFixture.write(generatedWaveform(count: 16000), to: folder.file("a.wav"))
    try folder.write("a \(folder.file("a.wav"))\n", to: "data/wav.scp")
    let ctm = try folder.write("a 1 0 0.5 B\na 1 0.5 0.5 A\n", to: "a.ctm")
    let out = folder.file("out")
    let run = try limbeck("targets", folder.file("data"), out, "--ctm", ctm)
    #expect(run.status == 0)
    let classes = try String(contentsOfFile: out.appending("classes.txt").string, encoding: .utf8)
    #expect(classes == "A_1 0\nA_2 1\nA_3 2\nB_1 3\nB_2 4\nB_3 5\n")
    let info = try limbeck("info", out.appending("targets.ark"))
    #expect(
      info.output == """
        archive      integers
        entries      1
        rows         98
        values       from 0 to 5

        """)
  }

  @Test("each verb does its step from files, and run finds nothing left to do")
  func verbs() throws {
    let corpus = try SampleCorpus()
    let (recipe, exp) = (corpus.recipePath, corpus.experimentPath)
    #expect(try limbeck("run", recipe, exp, "--until", "targets", "--jobs", "2").status == 0)
    #expect(try limbeck("train", recipe, exp, "--member", "1").status == 0)
    let notThere = try limbeck("distill", recipe, exp)
    #expect(notThere.status == 66)
    #expect(notThere.errors.contains("models/member-00.safetensors: no such file"))
    #expect(try limbeck("train", recipe, exp, "--member", "2").status == 64)
    let train = try limbeck("train", recipe, exp)
    #expect(train.status == 0)
    #expect(train.errors.contains("member-01: fresh"))
    #expect(try limbeck("distill", recipe, exp).status == 0)
    let first = try limbeck("run", recipe, exp)
    #expect(first.status == 0)
    #expect(first.output.contains("| student "))
    let again = try limbeck("run", recipe, exp)
    #expect(again.output == first.output)
    #expect(again.errors.split(separator: "\n").allSatisfy { $0.hasSuffix(": fresh") })

    let model = exp.appending("models/student.safetensors")
    let json = corpus.folder.file("score.json")
    let score = try limbeck(
      "score", model, exp.appending("features/test"), exp.appending("targets/test"), "--json", json)
    #expect(score.status == 0)
    #expect(score.output.hasPrefix("all frames     : "))
    #expect(try String(contentsOfFile: json.string, encoding: .utf8).contains("\"accuracy\""))
    let info = try limbeck("info", model)
    #expect(
      info.output.contains(
        """
        layers       10 × 4 frames (-2 to 1) → 12, ReLU, 492 parameters
                     12 → 3, 39 parameters
        precision    float32
        parameters   531
        multiply-adds a frame  516
        context      2 frames left, 1 right
        latency      35 ms: a window of 25 ms and 1 later frame of 10 ms
        posteriors   of audio at 8000 Hz: 3 columns, a row every 10 ms, the first centred at 12.5 ms; --log-likelihoods has the model's priors
        """))
    #expect(info.output.contains("classes      3: A B SIL"))
    #expect(try limbeck("info", exp).output.contains("student.safetensors"))

    #expect(try limbeck("run", recipe, exp, "--set", "epochs").status == 64)

    try corpus.folder.write("{}", to: "exp/scores.json")
    let corrupt = try limbeck("info", exp)
    #expect(corrupt.status == 65)
    #expect(corrupt.errors.contains("expected scores of limbeck"))
  }
}
