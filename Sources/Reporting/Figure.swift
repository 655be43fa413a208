import Foundation
import Storage

/// A figure with its caption, drawn once for wide and once for narrow screens.
struct Figure {
  /// The screens that a drawing is for.
  enum Layout {
    /// Its legend is at the right.
    case wide
    /// Up to some 600 pixels; its legend is below.
    case narrow
  }

  let caption: String
  /// The width of the drawing for wide screens, in pixels.
  let width: Int
  // SVG elements.
  let wide: String
  let narrow: String

  /// The width of the drawing for narrow screens, in pixels.
  static let narrowWidth = 380

  /// Draws a figure.
  ///
  /// - Parameters:
  ///   - caption: the caption.
  ///   - width: the width for wide screens, in pixels.
  ///   - height: the height in pixels.
  ///   - script: the gnuplot commands for a layout; see `Gnuplot.svg`.
  /// - Throws: `FileFault` when gnuplot fails.
  init(
    _ caption: String, width: Int = 900, height: Int = 460,
    _ script: (_ layout: Layout) -> String
  ) throws(FileFault) {
    (self.caption, self.width) = (caption, width)
    wide = try Gnuplot.svg(
      Figure.style + "set key outside right top\n" + script(.wide), width: width, height: height)
    narrow = try Gnuplot.svg(
      Figure.style + "set key below\n" + script(.narrow), width: Figure.narrowWidth, height: height,
      fontSize: 12)
  }

  /// Colours that are distinct in any kind of colour vision (Okabe and Ito), each with a shape.
  ///
  /// Black, which a dark page shows as white, is left to axes and text.
  private static let style = """
    set linetype 1 lw 2 dt 1 pt 5 ps 0.7 lc rgb '#0072B2'
    set linetype 2 lw 2 dt 1 pt 7 ps 0.8 lc rgb '#D55E00'
    set linetype 3 lw 2 dt 1 pt 9 ps 0.9 lc rgb '#009E73'
    set linetype 4 lw 2 dt 1 pt 13 ps 1.0 lc rgb '#CC79A7'
    set linetype 5 lw 2 dt 1 pt 11 ps 0.9 lc rgb '#E69F00'
    set linetype 6 lw 2 dt 1 pt 6 ps 0.8 lc rgb '#56B4E9'
    set linetype 7 lw 2 dt 1 pt 4 ps 0.7 lc rgb '#888888'
    set linetype cycle 7
    set grid lc rgb '#dddddd'

    """
}

/// A line of a plot.
struct Series {
  let name: String
  /// x and y, with the bounds of y if there are any.
  let rows: [[Double]]
  var style = "linespoints"
  /// The number of the colour and the shape; nil for the line's position.
  var kind: Int?
}

/// The plot command for some lines, with their data.
func plot(_ series: [Series], using columns: String = "1:2", extra: String = "") -> String {
  let blocks = series.enumerated().map { Gnuplot.block("d\($0)", $1.rows) }.joined()
  let lines = series.enumerated().map { index, own in
    let kind = own.kind ?? index + 1
    let title = Gnuplot.quoted(own.name)
    return "$d\(index) using \(columns) with \(own.style) lt \(kind) title \(title)"
  }
  return blocks + "plot " + ([extra].filter { !$0.isEmpty } + lines).joined(separator: ", ") + "\n"
}
