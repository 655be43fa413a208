import CMatrixKernels
import COpenBLAS
import Foundation

/// The processor kernels that OpenBLAS uses.
///
/// An OpenBLAS that does not know a new processor falls back to SSE3 kernels, which are several
/// times slower than what the processor can do: 0.3.21 of Debian 12 does so on every Intel server
/// processor after Sapphire Rapids. OpenBLAS reads `OPENBLAS_CORETYPE` when it is loaded,
/// so a program can only change its own kernels by restarting.
package enum BLASKernels {
  /// The variable that names the kernels to use.
  package static let variable = "OPENBLAS_CORETYPE"

  /// The library's name, version and settings.
  package static var libraryVersion: String {
    unsafe String(cString: openblas_get_config())
  }

  /// The kernels in use, by OpenBLAS's name for the processor they were written for.
  package static var inUse: String { unsafe String(cString: openblas_get_corename()) }

  /// What a processor can do, as far as OpenBLAS has kernels for it.
  package enum Level: Int32 {
    case baseline, avx2, avx512

    /// The level of this machine's processor, queried from the processor itself.
    ///
    /// Reading it from a file could fail, and results would then differ in their last bits.
    package static var ofProcessor: Level { Level(rawValue: matrix_processor_level()) ?? .baseline }
  }

  /// Better kernels than those in use that this processor can run; nil when OpenBLAS knows the processor or the user
  /// has chosen.
  package static func better(
    than inUse: String = inUse,
    environment: [String: String] = ProcessInfo.processInfo.environment,
    level: Level = .ofProcessor
  ) -> String? {
    guard inUse == "Prescott", environment[variable] == nil else { return nil }
    return switch level {
    case .avx512: "SkylakeX"
    case .avx2: "Haswell"
    case .baseline: nil
    }
  }

  /// Restarts the program with better kernels if there are any; to be called first of all.
  ///
  /// It returns if the kernels are right, or if the system refuses to start the program again.
  package static func restartIfBetter() {
    guard let kernels = better() else { return }
    var program = [CChar](repeating: 0, count: Int(PATH_MAX) + 1)
    guard unsafe readlink("/proc/self/exe", &program, Int(PATH_MAX)) > 0 else { return }
    unsafe setenv(variable, kernels, 1)
    // `Workers` limits OpenBLAS to one thread, so it need not start others.
    unsafe setenv("OPENBLAS_NUM_THREADS", "1", 1)
    var arguments = unsafe CommandLine.arguments.map { unsafe strdup($0) } + [nil]
    unsafe execv(program, &arguments)
    unsafe arguments.forEach { unsafe free($0) }
  }
}
