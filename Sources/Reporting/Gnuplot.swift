import Foundation
import Storage
import SystemPackage

/// Draws figures with gnuplot.
enum Gnuplot {
  /// Runs a script.
  ///
  /// - Parameters:
  ///   - script: the commands to run after setting the terminal.
  ///   - width: the figure's width in pixels.
  ///   - height: the figure's height in pixels.
  ///   - fontSize: the size of its text in pixels.
  /// - Returns: an SVG element without a background, for a page's own colours.
  /// - Throws: `FileFault` when gnuplot is not installed or fails.
  static func svg(
    _ script: String, width: Int, height: Int, fontSize: Int = 14
  ) throws(FileFault) -> String {
    let folder = try ScratchFolder()
    let scriptPath = folder.path.appending("script.gp")
    let figurePath = folder.path.appending("figure.svg")
    let complaints = folder.path.appending("complaints")
    let head = """
      set encoding utf8
      set terminal svg size \(width),\(height) dynamic noenhanced font 'sans-serif,\(fontSize)'
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
    // Without the declaration before it, and the title, which would be shown beside the mouse.
    let text = try TextFile.text(of: figurePath).replacing("<title>Gnuplot</title>", with: "")
    return text.firstRange(of: "<svg").map { String(text[$0.lowerBound...]) } ?? text
  }

  /// A gnuplot string.
  static func quoted(_ text: String) -> String {
    "'\(text.replacing("'", with: "''"))'"
  }

  /// The label of a tic, in which gnuplot would interpret `%`.
  static func tic(_ name: String) -> String { quoted(name.replacing("%", with: "%%")) }

  /// A named data block, with a line for each row.
  static func block(_ name: String, _ rows: [[Double]]) -> String {
    let lines = rows.map { row in
      row.map { $0.isFinite ? "\($0)" : "NaN" }.joined(separator: " ") + "\n"
    }
    return "$\(name) << END\n\(lines.joined())END\n"
  }
}
