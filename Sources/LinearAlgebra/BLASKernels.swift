import CMatrixKernels
import COpenBLAS
import Foundation

/// Which processor's kernels OpenBLAS runs with.
///
/// An OpenBLAS that does not know a new processor falls back to SSE3 kernels, which are several
/// times slower than what the processor can do: 0.3.21 of Debian 12 does so on every Intel server
/// processor after Sapphire Rapids. It reads `OPENBLAS_CORETYPE` when it is loaded, so a program
/// can only choose for itself by starting again.
package enum BLASKernels {
  /// The variable that names the kernels to use.
  package static let variable = "OPENBLAS_CORETYPE"

  /// The library's name, version and settings.
  package static var libraryVersion: String {
    unsafe String(cString: openblas_get_config())
  }

  /// The kernels in use, by OpenBLAS's name of the processor they were written for.
  package static var inUse: String { unsafe String(cString: openblas_get_corename()) }

  /// What a processor can do, as far as OpenBLAS has kernels for it.
  package enum Level: Int32 {
    case baseline, avx2, avx512

    /// Of this machine's processor, by its own account: a file that says so could fail to be read, and results would
    /// differ in their last bits.
    package static var ofProcessor: Level { Level(rawValue: matrix_processor_level()) ?? .baseline }
  }

  /// Kernels that this processor can run and that are better than those in use; nil when OpenBLAS
  /// knows the processor or the user has chosen.
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
}
