package import LinearAlgebra

/// A dense row-major matrix in double precision, as statistics are stored.
package struct DoubleMatrix: Sendable, Equatable {
  /// The number of rows, possibly zero.
  package let rows: Int
  /// The number of values in a row.
  package let columns: Int
  /// `rows · columns` values, row by row.
  package var values: [Double]

  /// A matrix of given values, row by row.
  package init(rows: Int, columns: Int, values: [Double]) {
    precondition(
      rows >= 0 && columns >= 0 && values.count == rows * columns,
      "DoubleMatrix: \(values.count) values do not make \(rows)×\(columns)")
    (self.rows, self.columns, self.values) = (rows, columns, values)
  }
}

/// A class with a weight in a frame's posterior.
package struct PosteriorEntry: Sendable, Equatable {
  /// The class id, such as a Kaldi transition id or pdf id.
  package let index: Int32
  /// The weight, usually the probability of the class.
  package let weight: Float

  /// A class and its weight.
  package init(index: Int32, weight: Float) {
    (self.index, self.weight) = (index, weight)
  }
}

/// The value of an entry of a Kaldi archive.
package enum KaldiValue: Sendable, Equatable {
  /// A matrix in single precision: `FM`, or compressed.
  case matrix(Matrix)
  /// A matrix in double precision: `DM`.
  case doubleMatrix(DoubleMatrix)
  /// A vector in single precision: `FV`.
  case vector([Float])
  /// A vector in double precision: `DV`.
  case doubleVector([Double])
  /// A vector of 32-bit integers, such as an alignment.
  case integers([Int32])
  /// For each frame, the classes with a weight (`hmm/posterior.h`).
  case posterior([[PosteriorEntry]])

  /// The kinds of values.
  ///
  /// A reader may need one: neither the text form nor the binary form of integers and posteriors
  /// says what it is.
  package enum Kind: String, Sendable, CaseIterable {
    /// One for each case of `KaldiValue`.
    case matrix, doubleMatrix, vector, doubleVector, integers, posterior
  }

  /// The kind of this value.
  package var kind: Kind {
    switch self {
    case .matrix: .matrix
    case .doubleMatrix: .doubleMatrix
    case .vector: .vector
    case .doubleVector: .doubleVector
    case .integers: .integers
    case .posterior: .posterior
    }
  }

  /// The largest count in its binary form, which must fit 32 bits.
  var largestCount: Int {
    switch self {
    case .matrix(let matrix): max(matrix.rows, matrix.columns)
    case .doubleMatrix(let matrix): max(matrix.rows, matrix.columns)
    case .vector(let values): values.count
    case .doubleVector(let values): values.count
    case .integers(let values): values.count
    case .posterior(let frames): frames.reduce(frames.count) { max($0, $1.count) }
    }
  }

  /// The value in the precision of another kind; nil when the kinds differ in more than precision.
  ///
  /// Double precision is rounded to single.
  package func converted(to kind: Kind) -> KaldiValue? {
    switch (self, kind) {
    case (.doubleMatrix(let matrix), .matrix):
      .matrix(
        Matrix(rows: matrix.rows, columns: matrix.columns, values: matrix.values.map { Float($0) }))
    case (.matrix(let matrix), .doubleMatrix):
      .doubleMatrix(
        DoubleMatrix(
          rows: matrix.rows, columns: matrix.columns, values: matrix.values.map(Double.init)))
    case (.vector(let values), .doubleVector): .doubleVector(values.map(Double.init))
    case (.doubleVector(let values), .vector): .vector(values.map { Float($0) })
    default: self.kind == kind ? self : nil
    }
  }
}
