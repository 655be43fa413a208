import Foundation
import Storage

/// The window function that a frame is multiplied by (Kaldi, `feat/feature-window.cc`).
///
/// A window has N values, and n runs from 0 to N−1.
package enum WindowShape: String, Sendable, Codable, CaseIterable {
  /// A Hann window raised to the power 0.85.
  case povey
  /// 0.5 − 0.5 cos(2πn / (N−1)).
  case hann
  /// 0.54 − 0.46 cos(2πn / (N−1)).
  case hamming
  /// b − 0.5 cos(2πn / (N−1)) + (0.5 − b) cos(4πn / (N−1)), where b is `blackmanCoefficient`.
  case blackman
  /// sin(πn / (N−1)).
  case sine
  /// All ones.
  case rectangular

  /// The window's values, computed in double precision.
  ///
  /// - Parameters:
  ///   - count: N, at least 2.
  ///   - blackmanCoefficient: b of the Blackman window; other windows ignore it.
  /// - Returns: N values.
  func values(count: Int, blackmanCoefficient: Double) -> [Float] {
    let step = 2 * Double.pi / Double(count - 1)
    return (0..<count).map { n in
      let angle = step * Double(n)
      return switch self {
      case .povey: Float(pow(0.5 - 0.5 * cos(angle), 0.85))
      case .hann: Float(0.5 - 0.5 * cos(angle))
      case .hamming: Float(0.54 - 0.46 * cos(angle))
      case .blackman:
        Float(
          blackmanCoefficient - 0.5 * cos(angle) + (0.5 - blackmanCoefficient) * cos(2 * angle))
      case .sine: Float(sin(0.5 * angle))
      case .rectangular: 1
      }
    }
  }
}
