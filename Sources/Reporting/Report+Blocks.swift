import Evaluation
import Foundation

extension Report {
  /// The contents of a section; exactly one of the properties other than `fold` is set.
  struct Block {
    var text: String?
    /// A text in larger print.
    var lead: String?
    var figure: FigureView?
    var table: TableView?
    var code: String?
    var sound: SoundView?
    /// The line in place of which the contents appear on a click; nil for contents always shown.
    var fold: String?
  }

  /// A figure in the form that the template expects.
  struct FigureView {
    let caption: String
    /// The greatest width, in pixels.
    let width: Int
    /// The SVG elements for wide and for narrow screens.
    let wide: String
    let narrow: String

    /// The figure with ids that begin with its number on the page.
    func numbered(_ number: Int) -> FigureView {
      func own(_ svg: String, _ layout: String) -> String {
        let mark = "\(layout)\(number)-"
        return svg.replacing("id='", with: "id='" + mark).replacing("id=\"", with: "id=\"" + mark)
          .replacing("href='#", with: "href='#" + mark).replacing("url(#", with: "url(#" + mark)
      }
      return FigureView(
        caption: caption, width: width, wide: own(wide, "w"), narrow: own(narrow, "n"))
    }
  }

  /// A recording in the form that the template expects.
  struct SoundView {
    let caption: String
    /// A WAV file.
    let base64: String
  }

  /// A table in the form that the template expects.
  struct TableView {
    /// A cell.
    struct Cell {
      /// The text of the cell.
      let text: String
      /// The opacity of the background colour, 0 to 1.
      var shade: String?
    }

    /// A row.
    struct Row {
      let cells: [Cell]
    }

    let caption: String
    /// `dense` for small print.
    var kind = ""
    let head: [String]
    let rows: [Row]
  }
}

extension Report.Block {
  init(_ figure: Figure) {
    self.figure = Report.FigureView(
      caption: figure.caption, width: figure.width, wide: figure.wide, narrow: figure.narrow)
  }

  /// A table, in which hyphens that stand for minus signs become minus signs.
  ///
  /// - Parameters:
  ///   - table: a header and rows; its note is not shown.
  ///   - caption: the caption.
  ///   - fold: the line in place of which the table appears on a click; nil to show it always.
  init(_ table: TextTable, caption: String, fold: String? = nil) {
    self.fold = fold
    self.table = Report.TableView(
      caption: caption, head: table.rows[0],
      rows: table.rows.dropFirst().map { row in
        Report.TableView.Row(cells: row.map { Report.TableView.Cell(text: withMinusSigns($0)) })
      })
  }
}

extension TextTable {
  /// The table with one column second.
  func withSecond(_ title: String) -> TextTable {
    guard let column = rows[0].firstIndex(of: title), column > 1 else { return self }
    return TextTable(
      rows: rows.map { row in
        var row = row
        row.insert(row.remove(at: column), at: 1)
        return row
      }, note: note)
  }

  /// The table with only the rows whose first cell meets a condition; nil if none does.
  func rows(where isKept: (_ name: String) -> Bool) -> TextTable? {
    let kept = rows.dropFirst().filter { isKept($0[0]) }
    return kept.isEmpty ? nil : TextTable(rows: [rows[0]] + kept, note: note)
  }
}

/// A text with minus signs for hyphens between blanks, and before a number.
func withMinusSigns(_ text: String) -> String {
  text.replacing(" - ", with: " − ").replacing(/(^|[ (])-([0-9])/) { "\($0.1)−\($0.2)" }
}
