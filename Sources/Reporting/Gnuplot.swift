import Foundation
import Storage
import SystemPackage

/// Draws figures with gnuplot.
enum Gnuplot {
  /// Runs a script.
  ///
  /// - Parameters:
  ///   - script: what to draw, without the terminal.
  ///   - width: of the figure, in pixels.
  ///   - height: of the figure, in pixels.
  /// - Returns: an SVG document.
  /// - Throws: `FileFault` when there is no gnuplot, or it finds a fault in the script.
  static func svg(_ script: String, width: Int, height: Int) throws(FileFault) -> Data {
    let folder = try ScratchFolder()
    let scriptPath = folder.path.appending("script.gp")
    let figurePath = folder.path.appending("figure.svg")
    let complaints = folder.path.appending("complaints")
    let head = """
      set encoding utf8
      set terminal svg size \(width),\(height) dynamic noenhanced background 'white' font 'sans-serif,14'
      set output \(quoted(figurePath.string))

      """
    try AtomicFile.write(head + script, to: scriptPath)
    let status = try ShellCommand.exitStatus(
      of: "exec gnuplot '\(scriptPath.string)' 2>'\(complaints.string)'")
    guard status == 0 else {
      let text = try TextFile.text(of: complaints).split(separator: "\n").last
      throw .unreadable(
        path: .named("gnuplot"),
        reason: status == 127
          ? "it is not installed; Debian's package is gnuplot-nox"
          : "it ended with status \(status): \(text ?? "no message")")
    }
    return try TextFile.bytes(of: figurePath)
  }

  /// A text as gnuplot takes it.
  static func quoted(_ text: String) -> String {
    "'\(text.replacing("'", with: "''"))'"
  }

  /// The name of a tic, which gnuplot takes for a format.
  static func tic(_ name: String) -> String { quoted(name.replacing("%", with: "%%")) }

  /// A named block of data, a line for each row.
  static func block(_ name: String, _ rows: [[Double]]) -> String {
    let lines = rows.map { row in
      row.map { $0.isFinite ? "\($0)" : "NaN" }.joined(separator: " ") + "\n"
    }
    return "$\(name) << END\n\(lines.joined())END\n"
  }
}
