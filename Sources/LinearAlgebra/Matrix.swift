/// A dense row-major matrix of `rows × columns` single-precision values.
package struct Matrix: Sendable, Equatable {
  /// The values, row by row.
  package internal(set) var values: [Float]
  /// The number of rows, possibly zero.
  package private(set) var rows: Int
  /// The number of values in a row.
  package let columns: Int

  /// A matrix of zeros.
  package init(rows: Int, columns: Int) {
    precondition(rows >= 0 && columns >= 0, "Matrix: \(rows)×\(columns) is not a shape")
    (self.rows, self.columns) = (rows, columns)
    values = Array(repeating: 0, count: rows * columns)
  }

  /// A matrix of given values, row by row.
  package init(rows: Int, columns: Int, values: [Float]) {
    precondition(
      rows >= 0 && columns >= 0 && values.count == rows * columns,
      "Matrix: \(values.count) values do not make \(rows)×\(columns)")
    (self.rows, self.columns, self.values) = (rows, columns, values)
  }

  /// One value; both indices count from zero.
  package subscript(row: Int, column: Int) -> Float {
    get {
      precondition(column >= 0 && column < columns, "Matrix: no column \(column) of \(columns)")
      return values[row * columns + column]
    }
    set {
      precondition(column >= 0 && column < columns, "Matrix: no column \(column) of \(columns)")
      values[row * columns + column] = newValue
    }
  }

  /// Row `index`, a borrowed view of `columns` values.
  @_lifetime(borrow self)
  package func row(_ index: Int) -> Span<Float> {
    values.span.extracting(index * columns..<(index + 1) * columns)
  }

  /// Some of the rows, in the order given.
  package func rows(_ indices: [Int]) -> Matrix {
    Matrix(
      rows: indices.count, columns: columns,
      values: indices.flatMap { values[$0 * columns..<($0 + 1) * columns] })
  }

  /// Whether no value is infinite or not a number.
  package var isFinite: Bool {
    // Non-finite values have the largest bit patterns, so the loop needs no branch.
    values.reduce(0) { max($0, $1.magnitude.bitPattern) } < Float.infinity.bitPattern
  }

  /// Passes row `index` to `body` to modify in place.
  package mutating func withRow(_ index: Int, _ body: (inout MutableSpan<Float>) -> Void) {
    let range = index * columns..<(index + 1) * columns
    unsafe values.withUnsafeMutableBufferPointer { buffer in
      var row = unsafe MutableSpan(_unsafeElements: buffer.extracting(range))
      body(&row)
    }
  }

  /// Passes the values of consecutive rows to `body` to modify in place, row by row in one span.
  package mutating func withValues(
    ofRows rows: Range<Int>, _ body: (inout MutableSpan<Float>) -> Void
  ) {
    let range = rows.lowerBound * columns..<rows.upperBound * columns
    unsafe values.withUnsafeMutableBufferPointer { buffer in
      var span = unsafe MutableSpan(_unsafeElements: buffer.extracting(range))
      body(&span)
    }
  }

  /// Passes each row of a range to `body` to modify, in order, with its index within the range.
  package mutating func withRows(
    _ rows: Range<Int>, _ body: (_ index: Int, inout MutableSpan<Float>) -> Void
  ) {
    let columns = columns
    unsafe values.withUnsafeMutableBufferPointer { buffer in
      for index in 0..<rows.count {
        let start = (rows.lowerBound + index) * columns
        var row = unsafe MutableSpan(_unsafeElements: buffer.extracting(start..<start + columns))
        body(index, &row)
      }
    }
  }

  /// Sets the number of rows.
  ///
  /// Remaining rows keep their values, and new rows are zero. The storage is kept, so that a shorter last batch needs
  /// no allocation.
  package mutating func setRowCount(_ count: Int) {
    precondition(count >= 0, "Matrix: \(count) is not a number of rows")
    if count < rows {
      values.removeLast((rows - count) * columns)
    } else if count > rows {
      values.append(contentsOf: repeatElement(0, count: (count - rows) * columns))
    }
    rows = count
  }

  /// Appends the rows of a matrix with the same number of columns.
  package mutating func append(_ other: Matrix) {
    precondition(
      other.columns == columns, "Matrix: \(other.columns) columns do not go below \(columns)")
    values += other.values
    rows += other.rows
  }

  /// Appends consecutive whole rows.
  package mutating func append(rows others: Span<Float>) {
    precondition(
      columns > 0 && others.count % columns == 0,
      "Matrix: \(others.count) values are no rows of \(columns)")
    unsafe others.withUnsafeBufferPointer { unsafe values.append(contentsOf: $0) }
    rows += others.count / columns
  }

  /// Removes rows from the front; the others keep their values.
  package mutating func removeFirstRows(_ count: Int) {
    precondition(count >= 0 && count <= rows, "Matrix: no \(count) first rows of \(rows)")
    values.removeFirst(count * columns)
    rows -= count
  }

  /// Runs `body` once for each row.
  ///
  /// Rows are disjoint, so no two calls share memory.
  package mutating func forEachRow(
    _ workers: Workers = .one,
    _ body: @Sendable (_ index: Int, _ row: inout MutableSpan<Float>) -> Void
  ) {
    let (rows, columns) = (rows, columns)
    unsafe values.withUnsafeMutableBufferPointer { buffer in
      nonisolated(unsafe) let base = unsafe buffer
      workers.forElements(rows * columns).forEachPart(of: rows, size: 16) { part in
        for index in part {
          let range = index * columns..<(index + 1) * columns
          var row = unsafe MutableSpan(_unsafeElements: base.extracting(range))
          body(index, &row)
        }
      }
    }
  }

  /// The column of the largest value in each row, the first in case of ties.
  package func largestColumns() -> [Int32] {
    (0..<rows).map { index in
      let row = row(index)
      var best = 0
      for column in 1..<max(1, columns) where row[column] > row[best] { best = column }
      return Int32(best)
    }
  }
}
