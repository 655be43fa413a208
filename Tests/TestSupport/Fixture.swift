import Foundation

/// The rows of numbers of a text file, as numpy's `savetxt` writes them.
package func readNumbers(_ path: String) throws -> [[Double]] {
  try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").map { line in
    line.split(separator: " ").compactMap { Double($0) }
  }
}
