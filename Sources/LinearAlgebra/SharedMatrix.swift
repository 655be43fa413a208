import Foundation

/// A row-major matrix of single-precision values at a fixed address.
///
/// Threads may write disjoint tiles of it in parallel.
///
/// `Matrix` is the value type to keep and pass on. This is scratch memory of a single owner, which ensures that no two
/// threads touch the same tile at once.
// @unchecked: the values are only reached through tiles, and tiles that are written are disjoint.
@safe package final class SharedMatrix: @unchecked Sendable {
  /// The number of rows in use; the storage may hold more.
  package private(set) var rows: Int
  /// The number of values in a row, without padding.
  package let columns: Int
  private var capacity: Int
  private var base: UnsafeMutablePointer<Float>

  /// A matrix of zeros.
  package init(rows: Int, columns: Int) {
    precondition(rows >= 0 && columns >= 0, "SharedMatrix: \(rows)×\(columns) is not a shape")
    (self.rows, self.columns) = (rows, columns)
    capacity = SharedMatrix.count(rows, columns)
    unsafe base = SharedMatrix.zeros(capacity)
  }

  /// The number of values of a shape; one too large to address ends the program, like refused memory.
  private static func count(_ rows: Int, _ columns: Int) -> Int {
    let (count, overflow) = rows.multipliedReportingOverflow(by: columns)
    guard !overflow, count <= Int.max / 64 else {
      endWithoutMemory(for: "\(rows)×\(columns) values")
    }
    return count
  }

  /// A copy of a matrix.
  package convenience init(_ matrix: Matrix) {
    self.init(rows: matrix.rows, columns: matrix.columns)
    set(matrix.values)
  }

  /// A copy of a vector, as one row.
  package convenience init(_ vector: [Float]) {
    self.init(rows: 1, columns: vector.count)
    set(vector)
  }

  deinit { unsafe SharedMatrix.free(base, capacity) }

  /// Zeroed memory aligned to cache lines, so that 64-byte vectors do not cross them.
  ///
  /// Large blocks are mapped and returned to the system, where a heap would keep them; their pages take memory only
  /// once written.
  private static func zeros(_ count: Int) -> UnsafeMutablePointer<Float> {
    let bytes = max(1, count) * MemoryLayout<Float>.stride
    guard bytes >= mappedBytes else {
      var heap: UnsafeMutableRawPointer?
      guard unsafe posix_memalign(&heap, 64, bytes) == 0, let memory = unsafe heap else {
        endWithoutMemory(for: "\(count) values")
      }
      return unsafe memory.initializeMemory(as: Float.self, repeating: 0, count: max(1, count))
    }
    let memory = unsafe mmap(nil, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
    guard let memory = unsafe memory, unsafe memory != MAP_FAILED else {
      endWithoutMemory(for: "\(count) values")
    }
    return unsafe memory.bindMemory(to: Float.self, capacity: count)
  }

  private static func free(_ base: UnsafeMutablePointer<Float>, _ count: Int) {
    let bytes = max(1, count) * MemoryLayout<Float>.stride
    if bytes >= mappedBytes {
      unsafe munmap(base, bytes)
    } else {
      unsafe Foundation.free(base)
    }
  }

  /// Sets the number of rows.
  ///
  /// The storage grows when necessary, and all values are then zero; otherwise they are unchanged.
  package func setRowCount(_ count: Int) {
    precondition(count >= 0, "SharedMatrix: \(count) is not a number of rows")
    rows = count
    let wanted = SharedMatrix.count(count, columns)
    guard wanted > capacity else { return }
    unsafe SharedMatrix.free(base, capacity)
    capacity = wanted
    unsafe base = SharedMatrix.zeros(capacity)
  }

  /// The values in use, row by row.
  package var values: [Float] {
    let own = unsafe UnsafeBufferPointer(start: base, count: rows * columns)
    return unsafe Array(own)
  }

  /// A copy as a `Matrix`.
  package var matrix: Matrix { Matrix(rows: rows, columns: columns, values: values) }

  /// Replaces all values in use.
  package func set(_ values: [Float]) {
    precondition(
      values.count == rows * columns, "SharedMatrix: \(values.count) values for \(rows)×\(columns)")
    unsafe values.withUnsafeBufferPointer { values in
      guard let source = values.baseAddress else { return }
      unsafe base.update(from: source, count: values.count)
    }
  }

  /// Copies a range of rows to the front; the other rows keep their values.
  package func moveToFront(_ range: Range<Int>) {
    precondition(
      range.lowerBound >= 0 && range.upperBound <= rows, "SharedMatrix: no rows \(range) of \(rows)"
    )
    unsafe memmove(
      base, base + range.lowerBound * columns,
      range.count * columns * MemoryLayout<Float>.stride)
  }

  /// All rows and columns in use.
  package var tile: Tile {
    unsafe Tile(base, of: self, rows: rows, columns: columns, stride: columns)
  }

  /// A tile of some rows and columns; nil selects all.
  package func tile(rows: Range<Int>? = nil, columns: Range<Int>? = nil) -> Tile {
    let (rows, columns) = (rows ?? 0..<self.rows, columns ?? 0..<self.columns)
    precondition(
      rows.lowerBound >= 0 && rows.upperBound <= self.rows && columns.lowerBound >= 0
        && columns.upperBound <= self.columns,
      "SharedMatrix: no rows \(rows) and columns \(columns) in \(self.rows)×\(self.columns)")
    return unsafe Tile(
      base + rows.lowerBound * self.columns + columns.lowerBound, of: self, rows: rows.count,
      columns: columns.count, stride: self.columns)
  }

  /// The first values, viewed as a matrix of another shape.
  package func tile(asRows rows: Int, columns: Int) -> Tile {
    precondition(
      rows >= 0 && columns >= 0 && rows * columns <= self.rows * self.columns,
      "SharedMatrix: no \(rows)×\(columns) in \(self.rows)×\(self.columns)")
    return unsafe Tile(base, of: self, rows: rows, columns: columns, stride: columns)
  }

  /// Passes a row to `body` to modify in place.
  package func withRow<Result>(
    _ row: Int, _ body: (inout MutableSpan<Float>) -> Result
  ) -> Result {
    precondition(row >= 0 && row < rows, "SharedMatrix: no row \(row) of \(rows)")
    let values = unsafe UnsafeMutableBufferPointer(start: base + row * columns, count: columns)
    var span = unsafe MutableSpan(_unsafeElements: values)
    return body(&span)
  }

  /// A read-only view of a row.
  @_lifetime(borrow self)
  package func row(_ row: Int) -> Span<Float> { values(ofRows: row..<row + 1) }

  /// A read-only view of consecutive rows.
  @_lifetime(borrow self)
  package func values(ofRows range: Range<Int>) -> Span<Float> {
    precondition(
      range.lowerBound >= 0 && range.upperBound <= rows, "SharedMatrix: no rows \(range) of \(rows)"
    )
    let values = unsafe UnsafeBufferPointer(
      start: base + range.lowerBound * columns, count: range.count * columns)
    let span = unsafe Span(_unsafeElements: values)
    return unsafe _overrideLifetime(span, borrowing: self)
  }
}

/// The size in bytes from which memory is mapped rather than allocated on the heap.
private let mappedBytes = 1 << 20
