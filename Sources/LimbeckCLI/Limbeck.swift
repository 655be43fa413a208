import ArgumentParser
import Foundation
import LinearAlgebra
import Experiments
import Storage
import SystemPackage

/// The command `limbeck`.
struct Limbeck: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "limbeck",
    abstract: "Turns recorded speech into frame-level acoustic models, and an ensemble into one.",
    discussion: """
      Exit status: 0 done; 64 wrong usage; 65 bad data (what could be done is done, each fault is \
      in the ledger); 66 no such input; 70 a bug; 71 too little memory; 74 reading or writing \
      failed; 130 and 143 ended by SIGINT and SIGTERM.
      """,
    version: limbeckVersion,
    subcommands: [
      Validate.self, Features.self, Targets.self, Train.self, Distill.self, Specialists.self,
      Score.self, PlanCommand.self, Run.self, Info.self, ReportCommand.self, Copy.self,
    ])
}

/// A command whose work goes on where a signal ended it.
protocol Resumable: ParsableCommand {}

extension Features: Resumable {}
extension Targets: Resumable {}
extension Train: Resumable {}
extension Distill: Resumable {}
extension Specialists: Resumable {}
extension Run: Resumable {}

@main
enum Main {
  static func main() {
    restartWithBetterKernels()
    // A file that may grow no more is a fault of writing, not the end of the process.
    signal(SIGXFSZ, SIG_IGN)
    do {
      try requireRoom()
      try Descriptors.prepare()
      try checkHelp()
      var command = try Limbeck.parseAsRoot()
      if command is any Resumable { Interruption.listen() }
      try command.run()
    } catch let fault as any Fault where fault.isInterruption {
      // Where it was is no matter, so the line is the same for all.
      let message = Interruption.signal.map { FileFault.interrupted($0).description }
      fail(message ?? fault.description, fault.exitStatus)
    } catch let fault as any Fault {
      fail(fault.description, fault.exitStatus)
    } catch  where Limbeck.exitCode(for: error) == .failure {
      fail("\(error)", .software)
    } catch  where Limbeck.exitCode(for: error) == .success {
      // Help and the version are results: that they cannot be written is a fault.
      do throws(FileFault) { try Terminal.print(Limbeck.fullMessage(for: error) + "\n") } catch {
        fail(error.description, error.exitStatus)
      }
    } catch {
      Limbeck.exit(withError: error)
    }
  }

  /// Throws `MemoryFault` where there is not even room for the threads that wait.
  private static func requireRoom() throws(MemoryFault) {
    let budget = MemoryBudget.current()
    guard budget.limits.contains(where: \.countsAddresses) else { return }
    // OpenBLAS ends its threads at the exit, and waits for ever for those that it had no addresses for.
    unsafe on_exit(
      { status, _ in
        fflush(nil)
        _exit(status)
      }, nil)
    var need = MemoryNeed()
    need.add("stacks", 48 << 20, size: 1)
    try budget.require(need, for: "limbeck", remedy: "raise the limit")
  }

  /// Throws for `help VERB` of a verb that there is not.
  private static func checkHelp() throws {
    let words = CommandLine.arguments.dropFirst()
    guard words.first == "help", let verb = words.dropFirst().first, !verb.hasPrefix("-") else {
      return
    }
    let verbs = Limbeck.configuration.subcommands.map { $0._commandName } + ["help"]
    guard verbs.contains(verb) else {
      throw ValidationError("help: expected one of \(verbs.joined(separator: ", ")), found \(verb)")
    }
  }

  private static func fail(_ message: String, _ status: ExitStatus) -> Never {
    Terminal.complain("limbeck: \(message)")
    Foundation.exit(status.rawValue)
  }

  /// Starts the program again with the kernels that OpenBLAS should have chosen, when it did not
  /// know the processor (see `BLASKernels`).
  private static func restartWithBetterKernels() {
    guard let kernels = BLASKernels.better(),
      let program = FileSystem.target(ofLink: "/proc/self/exe")
    else { return }
    unsafe setenv(BLASKernels.variable, kernels, 1)
    // `Workers` holds OpenBLAS to one thread; so it need not start others.
    unsafe setenv("OPENBLAS_NUM_THREADS", "1", 1)
    var arguments = unsafe CommandLine.arguments.map { unsafe strdup($0) } + [nil]
    unsafe _ = program.withPlatformString { unsafe execv($0, &arguments) }
    // execv returns only when it fails; the program then goes on with the slower kernels.
    unsafe arguments.forEach { unsafe free($0) }
  }
}
