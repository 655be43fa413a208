import ArgumentParser
import Corpus
import Evaluation
import Foundation
import LinearAlgebra
import Experiments
import Storage
import SystemPackage

/// The command `limbeck`.
struct Limbeck: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "limbeck",
    abstract:
      "Train frame-level acoustic models on recorded speech, and distil ensembles into single models.",
    discussion: """
      Exit status: 0 done; 64 wrong usage; 65 bad data (the rest is done, and the ledger lists each \
      fault); 66 no such input; 70 a bug; 71 too little memory; 74 reading or writing failed; \
      130 and 143 interrupted by SIGINT and SIGTERM.
      """,
    version: limbeckVersion,
    subcommands: [
      Validate.self, Split.self, Init.self, Features.self, Targets.self, Train.self, Distill.self,
      Specialists.self, Score.self, Posteriors.self, Quantize.self, Export.self, PlanCommand.self,
      Run.self, Info.self, ReportCommand.self,
      Copy.self,
    ])
}

/// A command that resumes where a signal stopped it.
protocol Resumable: ParsableCommand {}

extension Features: Resumable {}
extension Targets: Resumable {}
extension Posteriors: Resumable {}
extension Train: Resumable {}
extension Distill: Resumable {}
extension Specialists: Resumable {}
extension Run: Resumable {}

/// The entry point, which turns errors into messages and exit statuses.
@main
enum Main {
  static func main() {
    BLASKernels.restartIfBetter()
    // A file at its size limit is a writing fault, not the end of the process.
    signal(SIGXFSZ, SIG_IGN)
    do {
      try requireRoom()
      try Descriptors.prepare()
      try checkVerb()
      var command = try Limbeck.parseAsRoot()
      if command is any Resumable { Interruption.listen() }
      try command.run()
    } catch let fault as any Fault where fault.isInterruption {
      // Where the work stopped does not matter, so the line is always the same.
      let message = Interruption.signal.map { FileFault.interrupted($0).description }
      fail(message ?? fault.description, fault.exitStatus)
    } catch let fault as any Fault {
      fail(fault.description, fault.exitStatus)
    } catch  where Limbeck.exitCode(for: error) == .failure {
      fail("\(error)", .software)
    } catch  where Limbeck.exitCode(for: error) == .success {
      // Help and the version are results: failing to write them is a fault.
      do throws(FileFault) { try Terminal.print(message(of: error) + "\n") } catch {
        fail(error.description, error.exitStatus)
      }
    } catch {
      let message = message(of: error)
      if !message.isEmpty { Terminal.complain(message) }
      Foundation.exit(Limbeck.exitCode(for: error).rawValue)
    }
  }

  /// The message of a parser's error, whose usage is folded like its help.
  private static func message(of error: any Error) -> String {
    let columns = Screen.output.columns ?? Screen.wantedColumns ?? Screen.usualColumns
    return Limbeck.fullMessage(for: error).split(separator: "\n", omittingEmptySubsequences: false)
      .map { line in
        let isFolded = ["usage: ", "help: "].contains { line.lowercased().hasPrefix($0) }
        return isFolded ? String(line).folded(to: columns) : String(line)
      }
      .joined(separator: "\n")
  }

  /// Throws `MemoryFault` when there is no room even for the waiting threads.
  private static func requireRoom() throws(MemoryFault) {
    let budget = MemoryBudget.current()
    guard budget.limits.contains(where: \.countsAddresses) else { return }
    // OpenBLAS joins its threads at exit, and waits forever for any that it had no address space to
    // start.
    unsafe on_exit(
      { status, _ in
        fflush(nil)
        _exit(status)
      }, nil)
    var need = MemoryNeed()
    need.add("stacks", 48 << 20, size: 1)
    try budget.require(need, for: "limbeck", remedy: "raise the limit")
  }

  /// Throws for an unknown verb, also after `help`, and suggests the nearest.
  private static func checkVerb() throws {
    let words = CommandLine.arguments.dropFirst()
    let verbs = Limbeck.configuration.subcommands.map { $0._commandName } + ["help"]
    guard let verb = words.first == "help" ? words.dropFirst().first : words.first,
      !verb.hasPrefix("-"), !verbs.contains(verb)
    else { return }
    let hint =
      nearest(to: verb, among: verbs).map { "did you mean \($0)?" }
      ?? "the commands are \(verbs.joined(separator: ", "))"
    throw ValidationError("unknown command \(verb); \(hint)")
  }

  private static func fail(_ message: String, _ status: ExitStatus) -> Never {
    for line in message.split(separator: "\n") { Terminal.complain("limbeck: \(line)") }
    Foundation.exit(status.rawValue)
  }
}
