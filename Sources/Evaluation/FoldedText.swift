extension String {
  /// The text with its lines folded to the width of a terminal.
  ///
  /// A Markdown table that is too wide becomes several tables below each other, each with the first
  /// column; a cell that is still too wide continues on further lines. Any other line breaks at
  /// blanks, but not within brackets, and its continuation is indented: below the text of a labelled
  /// line (two or more blanks after its first word), otherwise by two more columns. A word wider
  /// than the terminal stays whole, so that a path can still be copied.
  ///
  /// - Parameter columns: the width in characters; less than 20 counts as 20.
  /// - Returns: the same words in the same order; tables repeat their first column.
  package func folded(to columns: Int) -> String {
    let columns = Swift.max(columns, 20)
    var rest = split(separator: "\n", omittingEmptySubsequences: false)[...]
    var lines: [String] = []
    while let line = rest.first {
      if let table = ReadTable(rest) {
        lines += table.lines(within: columns)
        rest = rest.dropFirst(table.rows.count + 1)
      } else {
        lines += folds(of: line, within: columns)
        rest = rest.dropFirst()
      }
    }
    return lines.joined(separator: "\n")
  }
}

/// A table read back from lines that `markdownTable` wrote.
private struct ReadTable {
  /// The header and the rows below it, without padding.
  let rows: [[String]]
  /// The number of leading columns that are aligned left.
  let leftColumns: Int

  /// The table that begins with the first line; nil if none does.
  init?(_ lines: ArraySlice<Substring>) {
    guard lines.count > 1, let header = lines.first, header.hasPrefix("| ") else { return nil }
    let rule = lines[lines.startIndex + 1]
    guard rule.hasPrefix("| --"), rule.hasSuffix(" |"), rule.allSatisfy({ "|-: ".contains($0) })
    else { return nil }
    let cells = rule.dropFirst(2).dropLast(2).split(separator: " | ")
    let widths = cells.map(\.count)
    /// The cells of a line, found by the columns of the rule, since a cell may contain a bar.
    func cut(_ line: Substring) -> [String]? {
      guard line.hasPrefix("| "), line.hasSuffix(" |"), line.count == rule.count else { return nil }
      var rest = line.dropFirst(2)
      return widths.map { width in
        let cell = rest.prefix(width)
        rest = rest.dropFirst(width + 3)
        return cell.drop { $0 == " " }.trimmingSuffix { $0 == " " }
      }
    }
    guard let head = cut(header) else { return nil }
    var rows = [head]
    for line in lines.dropFirst(2) {
      guard let row = cut(line) else { break }
      rows.append(row)
    }
    self.rows = rows
    leftColumns = cells.prefix { !$0.hasSuffix(":") }.count
  }

  /// The table in lines of at most a width, as several tables if necessary.
  func lines(within width: Int) -> [String] {
    let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
    // Each column has a blank and a bar on its right and a blank on its left; the first bar is extra.
    let stub = min(widths[0], (width - 7) / 2)
    let room = width - 1 - (stub + 3) - 3
    var blocks: [[Int]] = []
    var used = width
    for column in widths.indices.dropFirst() {
      let own = min(widths[column], room) + 3
      if used + own > width {
        blocks.append([])
        used = stub + 4
      }
      blocks[blocks.count - 1].append(column)
      used += own
    }
    if blocks.isEmpty { blocks = [[]] }
    return Array(
      blocks.map { block in
        let columns = [0] + block
        let cells = rows.flatMap { row in
          wrapped(columns.map { row[$0] }, to: columns.map { $0 == 0 ? stub : room })
        }
        let left = columns.prefix { $0 < leftColumns }.count
        return markdownTable(cells, leftColumns: left).split(separator: "\n").map(String.init)
      }.joined(separator: [""]))
  }

  /// A row as one or more rows whose cells have at most the given widths.
  private func wrapped(_ row: [String], to widths: [Int]) -> [[String]] {
    let cells = zip(row, widths).map { cell, width in
      cell.count <= width
        ? [cell]
        : folds(of: cell[...], within: width).flatMap { line in
          pieces(of: line.drop { $0 == " " }, each: width)
        }
    }
    let height = cells.map(\.count).max() ?? 1
    return (0..<height).map { line in cells.map { $0.indices.contains(line) ? $0[line] : "" } }
  }
}

/// A text cut into pieces of a length, the last of which may be shorter.
private func pieces(of text: Substring, each length: Int) -> [String] {
  var rest = text
  var pieces: [String] = []
  repeat {
    pieces.append(String(rest.prefix(length)))
    rest = rest.dropFirst(length)
  } while !rest.isEmpty
  return pieces
}

/// A line that is not of a table, in lines of at most a width.
private func folds(of line: Substring, within width: Int) -> [String] {
  guard line.count > width else { return [String(line)] }
  let indent = String(repeating: " ", count: continuation(of: line, within: width))
  var lines: [String] = []
  var current = line.prefix { $0 == " " }.description
  var isEmpty = true
  for word in words(of: line, within: width - indent.count) {
    if isEmpty {
      current += word
      isEmpty = false
    } else if current.count + 1 + word.count <= width {
      current += " " + word
    } else {
      lines.append(current.trimmingSuffix { $0 == " " })
      current = indent + word.drop { $0 == " " }
    }
  }
  return lines + [current]
}

/// The column at which the continuation of a line begins.
private func continuation(of line: Substring, within width: Int) -> Int {
  let start = line.prefix { $0 == " " }.count
  let label = line.dropFirst(start).prefix { $0 != " " }.count
  let gap = line.dropFirst(start + label).prefix { $0 == " " }.count
  let text = start + label + gap
  return gap > 1 && text <= width / 2 ? text : min(start + 2, width / 2)
}

/// The words of a line, where brackets and what they enclose count as one word if it fits; further
/// blanks before a word belong to it.
private func words(of line: Substring, within width: Int) -> [Substring] {
  var words: [Substring] = []
  var rest = line.drop { $0 == " " }
  while !rest.isEmpty {
    let blanks = rest.prefix { $0 == " " }
    let from = rest[blanks.endIndex...]
    var depth = 0
    let enclosed = from.prefix { letter in
      depth += letter == "[" ? 1 : letter == "]" ? -1 : 0
      return letter != " " || depth > 0
    }
    let word = enclosed.count <= width ? enclosed : from.prefix { $0 != " " }
    words.append(rest[..<word.endIndex])
    rest = rest[word.endIndex...].dropFirst()
  }
  return words
}

extension Substring {
  /// The text without the characters at its end that meet a condition.
  fileprivate func trimmingSuffix(_ isTrimmed: (Character) -> Bool) -> String {
    var end = self
    while let last = end.last, isTrimmed(last) { end.removeLast() }
    return String(end)
  }
}

extension String {
  fileprivate func trimmingSuffix(_ isTrimmed: (Character) -> Bool) -> String {
    self[...].trimmingSuffix(isTrimmed)
  }
}
