import ArgumentParser
import Foundation
import Fuzzing
import LinearAlgebra
import Storage
import SystemPackage

#if FUZZER
import CLibFuzzer
#endif

/// Runs the readers of files on mutated inputs; `recipes/fuzz/run.sh` builds and calls it.
struct Fuzz: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "fuzz", abstract: "Run the readers of files on mutated inputs.",
    subcommands: [List.self, Seeds.self, Replay.self, Guided.self])
}

/// The entry point.
@main
enum Main {
  static func main() {
    BLASKernels.restartIfBetter()
    Fuzz.main()
  }
}

extension Parser: ExpressibleByArgument {}

/// Prints the names of all parsers, one a line.
struct List: ParsableCommand {
  func run() { for parser in Parser.allCases { print(parser.rawValue) } }
}

/// Writes the initial inputs, and a dictionary for libFuzzer.
struct Seeds: ParsableCommand {
  @Argument var parser: Parser
  @Argument(help: "The project's folder.", transform: FilePath.init(text:)) var root: FilePath
  @Argument(help: "Folder for the seeds, a file each.", transform: FilePath.init(text:)) var folder:
    FilePath
  @Argument(help: "The dictionary to write.", transform: FilePath.init(text:)) var dictionary:
    FilePath

  func run() throws {
    let scratch = try ScratchFolder()
    let seeds = try parser.seeds(root: root, folder: DataFolder(path: scratch.path))
    for (index, seed) in seeds.enumerated() {
      try AtomicFile.write(Data(seed), to: folder.appending("seed-\(index)"))
    }
    let words = parser.words.map { word in
      "\"" + word.utf8.map { String(format: "\\x%02X", $0) }.joined() + "\"\n"
    }
    try AtomicFile.write(words.joined(), to: dictionary)
  }
}

/// Reads files one after another, such as those on which a fuzzing run stopped.
struct Replay: ParsableCommand {
  @Argument var parser: Parser
  @Argument(transform: FilePath.init(text:)) var files: [FilePath]

  func run() throws {
    let scratch = try ScratchFolder()
    for file in files {
      let isTaken = try parser.parse(
        try TextFile.bytes(of: file), in: DataFolder(path: scratch.path))
      print("\(file.text): \(isTaken ? "read" : "refused")")
    }
  }
}

/// Runs libFuzzer on a parser, with libFuzzer's own arguments.
struct Guided: ParsableCommand {
  @Argument var parser: Parser
  @Argument(help: "Folder for the files of each input.", transform: FilePath.init(text:))
  var folder: FilePath
  @Argument(parsing: .captureForPassthrough) var arguments: [String] = []

  func run() throws {
    #if FUZZER
    unsafe target = (parser, DataFolder(path: folder))
    let words = ["fuzz"] + arguments.filter { $0 != "--" }
    var count = Int32(words.count)
    var pointers = unsafe words.map { unsafe strdup($0) } + [nil]
    let status = unsafe pointers.withUnsafeMutableBufferPointer { buffer in
      var start = buffer.baseAddress
      return unsafe LLVMFuzzerRunDriver(&count, &start) { bytes, count in
        let input = unsafe UnsafeBufferPointer(start: bytes, count: count)
        guard let target = unsafe target else { return 0 }
        do {
          _ = try unsafe target.parser.parse(Array(input), in: target.folder)
        } catch {
          // `parse` handles faults of the input; for any other, only a trap stops libFuzzer.
          fatalError("\(error)")
        }
        return 0
      }
    }
    throw ExitCode(status)
    #else
    throw ValidationError("this build has no libFuzzer; recipes/fuzz/run.sh makes one with it")
    #endif
  }
}

#if FUZZER
/// The target of libFuzzer's callback, which takes no context; set once before it starts.
nonisolated(unsafe) private var target: (parser: Parser, folder: DataFolder)?
#endif
