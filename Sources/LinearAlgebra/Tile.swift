import CMatrixKernels
import COpenBLAS

/// Some rows and columns of a `SharedMatrix`, which it keeps alive.
///
/// Its functions are the elementwise kernels of training. The caller ensures that no other thread writes the tile.
// @unchecked: parallel tasks write disjoint tiles.
@safe package struct Tile: @unchecked Sendable {
  /// The matrix that owns the values; nil when the caller of a closure owns them.
  private let owner: SharedMatrix?
  let base: UnsafeMutablePointer<Float>
  /// The number of rows of the tile.
  package let rows: Int
  /// The number of columns of the tile, at most `stride`.
  package let columns: Int
  /// The distance from one row to the next, in values.
  package let stride: Int

  init(
    _ base: UnsafeMutablePointer<Float>, of owner: SharedMatrix?, rows: Int, columns: Int,
    stride: Int
  ) {
    unsafe self.base = base
    self.owner = owner
    (self.rows, self.columns, self.stride) = (rows, columns, stride)
  }

  /// Some rows of this tile.
  package func rows(_ range: Range<Int>) -> Tile {
    precondition(
      range.lowerBound >= 0 && range.upperBound <= rows, "Tile: no rows \(range) of \(rows)")
    return unsafe Tile(
      base + range.lowerBound * stride, of: owner, rows: range.count, columns: columns,
      stride: stride)
  }

  /// Some columns of this tile.
  package func columns(_ range: Range<Int>) -> Tile {
    precondition(
      range.lowerBound >= 0 && range.upperBound <= columns,
      "Tile: no columns \(range) of \(columns)")
    return unsafe Tile(
      base + range.lowerBound, of: owner, rows: rows, columns: range.count, stride: stride)
  }

  /// Passes a row to `body` to modify in place.
  package func withRow(_ row: Int, _ body: (inout MutableSpan<Float>) -> Void) {
    precondition(row >= 0 && row < rows, "Tile: no row \(row) of \(rows)")
    let values = unsafe UnsafeMutableBufferPointer(start: base + row * stride, count: columns)
    var span = unsafe MutableSpan(_unsafeElements: values)
    body(&span)
  }

  /// The memory of contiguous rows, to be filled from a file.
  package var contiguousBytes: UnsafeMutableRawBufferPointer {
    precondition(stride == columns || rows < 2, "Tile: rows of \(columns) values \(stride) apart")
    return unsafe UnsafeMutableRawBufferPointer(
      start: base, count: rows * columns * MemoryLayout<Float>.stride)
  }

  /// Whether two tiles have the same shape and the same distance from row to row.
  private func matches(_ other: Tile) -> Bool {
    rows == other.rows && columns == other.columns && stride == other.stride
  }

  private func requireVector(_ vector: Tile, _ name: String) {
    precondition(
      vector.rows == 1 && vector.columns == columns,
      "\(name): \(vector.rows)×\(vector.columns) for \(columns) columns")
  }

  // MARK: - Products

  /// How a tile enters a product.
  package enum Form {
    case asIs, transposed
  }

  /// Whether a product replaces the tile's values or is added to them.
  package enum Start {
    case replacing, adding
  }

  /// Sets this tile to `left · right`, or adds that to it, using OpenBLAS `sgemm`.
  ///
  /// - Parameters:
  ///   - left: `rows × k` after applying `leftForm`.
  ///   - leftForm: whether `left` is transposed.
  ///   - right: `k × columns` after applying `rightForm`.
  ///   - rightForm: whether `right` is transposed.
  ///   - start: whether the product is added to the existing values.
  package func setProduct(
    _ left: Tile, _ leftForm: Form = .asIs, _ right: Tile, _ rightForm: Form = .asIs,
    _ start: Start = .replacing
  ) {
    let (m, k) = leftForm == .asIs ? (left.rows, left.columns) : (left.columns, left.rows)
    let (inner, n) = rightForm == .asIs ? (right.rows, right.columns) : (right.columns, right.rows)
    precondition(
      m == rows && n == columns && inner == k,
      "setProduct: \(m)×\(k) by \(inner)×\(n) is not \(rows)×\(columns)")
    guard m > 0, n > 0 else { return }
    guard k > 0 else {
      if start == .replacing { clear() }
      return
    }
    unsafe cblas_sgemm(
      CblasRowMajor, leftForm == .asIs ? CblasNoTrans : CblasTrans,
      rightForm == .asIs ? CblasNoTrans : CblasTrans, blasint(m), blasint(n), blasint(k), 1,
      left.base, blasint(left.stride), right.base, blasint(right.stride),
      start == .replacing ? 0 : 1, base, blasint(stride))
  }

  // MARK: - Activations

  /// Sets all values to zero.
  package func clear() {
    for row in 0..<rows { unsafe (base + row * stride).update(repeating: 0, count: columns) }
  }

  /// Adds a bias vector to each row.
  package func add(bias: Tile) {
    requireVector(bias, "add")
    unsafe matrix_add_bias(base, Int64(rows), Int64(columns), Int64(stride), bias.base)
  }

  /// Adds a bias vector to each row and applies a ReLU.
  package func addAndRectify(bias: Tile) {
    requireVector(bias, "addAndRectify")
    unsafe matrix_add_bias_rectify(base, Int64(rows), Int64(columns), Int64(stride), bias.base)
  }

  /// Multiplies each value by `scale` where `outputs` is positive and sets it to zero elsewhere.
  ///
  /// This is the gradient of a ReLU with scaled output, computed from that output alone.
  package func mask(byPositive outputs: Tile, scale: Float) {
    precondition(matches(outputs), "mask: tiles of other shapes")
    unsafe matrix_mask(
      base, outputs.base, Int64(rows), Int64(columns), Int64(stride), scale)
  }

  /// Writes the sum of each column to a vector.
  package func writeColumnSums(to sums: Tile) {
    requireVector(sums, "writeColumnSums")
    unsafe matrix_column_sums(base, Int64(rows), Int64(columns), Int64(stride), sums.base)
  }

  /// Sets random values to zero and multiplies the others by `scale`.
  ///
  /// - Parameters:
  ///   - threshold: how many of 65,536 values are set to zero, on average.
  ///   - scale: what the others are multiplied by.
  ///   - key: the key of the random numbers; the row index is appended to it.
  ///   - firstColumn: where the tile starts in its matrix, a multiple of 4; the result does not depend on how a matrix
  ///     is divided into tiles.
  package func dropAtRandom(threshold: UInt32, scale: Float, key: [UInt64], firstColumn: Int) {
    precondition(firstColumn % 4 == 0, "dropAtRandom: \(firstColumn) is no multiple of 4")
    for row in 0..<rows {
      var generator = SeededGenerator(key + [UInt64(row)])
      generator.skip(firstColumn / 4)
      unsafe matrix_drop(
        base + row * stride, Int64(columns), generator.state, threshold, scale)
    }
  }

  /// Batch normalisation followed by a ReLU, column by column over the rows.
  ///
  /// Computes `max(0, γ · (x − mean) / √(variance + ε) + β)` (Ioffe and Szegedy 2015, algorithm 1).
  ///
  /// - Parameters:
  ///   - normalised: of this tile's shape; receives `(x − mean) / √(variance + ε)`.
  ///   - scale: γ, one value per column.
  ///   - shift: β.
  ///   - epsilon: ε.
  ///   - mean: receives the mean of each column.
  ///   - inverse: receives `1 / √(variance + ε)` of each column.
  package func normalizeAndRectify(
    keeping normalised: Tile, scale: Tile, shift: Tile, epsilon: Float, mean: Tile, inverse: Tile
  ) {
    precondition(matches(normalised), "normalizeAndRectify: tiles of other shapes")
    for vector in [scale, shift, mean, inverse] { requireVector(vector, "normalizeAndRectify") }
    unsafe matrix_normalise(
      base, normalised.base, Int64(rows), Int64(columns), Int64(stride), scale.base, shift.base,
      epsilon, mean.base, inverse.base)
  }

  /// Backpropagates through the batch normalisation of `normalizeAndRectify`, from its output to its input, in place.
  package func normalizeBack(
    _ normalised: Tile, scale: Tile, inverse: Tile, scaleGradient: Tile, shiftGradient: Tile
  ) {
    precondition(matches(normalised), "normalizeBack: tiles of other shapes")
    for vector in [scale, inverse, scaleGradient, shiftGradient] {
      requireVector(vector, "normalizeBack")
    }
    unsafe matrix_normalise_back(
      base, normalised.base, Int64(rows), Int64(columns), Int64(stride), scale.base, inverse.base,
      scaleGradient.base, shiftGradient.base)
  }

  // MARK: - Parameters

  /// The sum of the squares of all values.
  package var sumOfSquares: Double {
    (0..<rows).reduce(0.0) { sum, row in
      let own = unsafe base + row * stride
      let square = unsafe matrix_dot(own, own, Int64(columns))
      return sum + Double(square)
    }
  }

  /// Multiplies all values by `factor`.
  package func scale(by factor: Float) {
    for row in 0..<rows { unsafe matrix_scale(base + row * stride, Int64(columns), factor, 0) }
  }

  /// One step of gradient descent with momentum, in place.
  ///
  /// `v ← momentum · v − rate · (g + decay · p)`, then `p ← p + v`, or with Nesterov momentum
  /// `p ← p + momentum · v − rate · (g + decay · p)`
  /// (Sutskever et al. 2013, "On the importance of initialization and momentum").
  package func takeMomentumStep(
    velocity: Tile, gradient: Tile, rate: Float, momentum: Float, decay: Float, isNesterov: Bool
  ) {
    requireShape(velocity, gradient)
    for row in 0..<rows {
      unsafe matrix_momentum_step(
        base + row * stride, velocity.base + row * velocity.stride,
        gradient.base + row * gradient.stride, Int64(columns), rate, momentum, decay,
        isNesterov ? 1 : 0)
    }
  }

  /// One step of Adam, in place; see `matrix_adam_step`.
  package func takeAdamStep(
    first: Tile, second: Tile, gradient: Tile, _ constants: AdamConstants
  ) {
    requireShape(first, second, gradient)
    let constants = matrix_adam_constants(
      beta1: constants.beta1, beta2: constants.beta2, epsilon: constants.epsilon,
      rate: constants.rate, correction: constants.correction, decay: constants.decay,
      shrinking: constants.shrinking)
    for row in 0..<rows {
      unsafe matrix_adam_step(
        base + row * stride, first.base + row * first.stride, second.base + row * second.stride,
        gradient.base + row * gradient.stride, Int64(columns), constants)
    }
  }

  private func requireShape(_ others: Tile...) {
    precondition(
      others.allSatisfy { $0.rows == rows && $0.columns == columns },
      "Tile: a step with tiles of other shapes than \(rows)×\(columns)")
  }
}

/// The constants of one step of Adam (Kingma and Ba 2015, algorithm 1).
package struct AdamConstants: Sendable {
  let beta1, beta2, epsilon, rate, correction, decay, shrinking: Float

  /// - Parameters:
  ///   - step: the step number, from 1.
  ///   - rate: the learning rate.
  ///   - beta1: the decay rate of the moving mean of the gradient.
  ///   - beta2: the decay rate of the moving mean of the squared gradient.
  ///   - epsilon: added to the root of the mean squared gradient.
  ///   - decay: L2 regularisation; times the parameter, added to the gradient.
  ///   - decoupledDecay: AdamW's weight decay, which shrinks the parameter by `rate · decay`.
  package init(
    step: Int, rate: Double, beta1: Double, beta2: Double, epsilon: Double, decay: Double,
    decoupledDecay: Double
  ) {
    (self.beta1, self.beta2, self.epsilon) = (Float(beta1), Float(beta2), Float(epsilon))
    self.rate = Float(rate / (1 - power(beta1, step)))
    correction = Float(1 / (1 - power(beta2, step)).squareRoot())
    self.decay = Float(decay)
    shrinking = Float(1 - rate * decoupledDecay)
  }
}

/// `base` raised to a positive integer exponent, by squaring.
private func power(_ base: Double, _ exponent: Int) -> Double {
  var (result, factor, rest) = (1.0, base, exponent)
  while rest > 0 {
    if rest & 1 == 1 { result *= factor }
    factor *= factor
    rest >>= 1
  }
  return result
}

extension Matrix {
  /// Passes all values to `body` as a tile that must not be written.
  package func withTile<Result>(_ body: (Tile) -> Result) -> Result {
    unsafe values.withUnsafeBufferPointer { values in
      guard let base = values.baseAddress else {
        return body(SharedMatrix(rows: rows, columns: columns).tile)
      }
      let start = unsafe UnsafeMutablePointer(mutating: base)
      return unsafe body(Tile(start, of: nil, rows: rows, columns: columns, stride: columns))
    }
  }
}
