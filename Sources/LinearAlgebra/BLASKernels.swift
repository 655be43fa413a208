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

  /// Kernels that this processor can run and that are better than those in use; nil when OpenBLAS
  /// knows the processor or the user has chosen.
  package static func better(
    than inUse: String = inUse,
    environment: [String: String] = ProcessInfo.processInfo.environment,
    processorFlags: Set<Substring> = processorFlags()
  ) -> String? {
    guard inUse == "Prescott", environment[variable] == nil else { return nil }
    if processorFlags.isSuperset(of: ["avx512f", "avx512dq", "avx512bw", "avx512vl"]) {
      return "SkylakeX"
    }
    if processorFlags.isSuperset(of: ["avx2", "fma"]) { return "Haswell" }
    return nil
  }

  /// The processor's features, as Linux names them in `/proc/cpuinfo`; empty elsewhere.
  package static func processorFlags() -> Set<Substring> {
    guard let text = try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8),
      let line = text.split(separator: "\n").first(where: { $0.hasPrefix("flags") })
    else { return [] }
    return Set(line.split(separator: " "))
  }
}
