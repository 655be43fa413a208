package import LinearAlgebra

/// A matrix in double precision, row by row, as statistics are stored.
package struct DoubleMatrix: Sendable, Equatable {
  package let rows: Int
  package let columns: Int
  /// `rows · columns` values.
  package var values: [Double]

  package init(rows: Int, columns: Int, values: [Double]) {
    precondition(
      rows >= 0 && columns >= 0 && values.count == rows * columns,
      "DoubleMatrix: \(values.count) values do not make \(rows)×\(columns)")
    (self.rows, self.columns, self.values) = (rows, columns, values)
  }
}

/// One class of a frame's posterior, with its weight.
package struct PosteriorEntry: Sendable, Equatable {
  package let index: Int32
  package let weight: Float

  package init(index: Int32, weight: Float) {
    (self.index, self.weight) = (index, weight)
  }
}

/// What an entry of a Kaldi archive can be.
package enum KaldiValue: Sendable, Equatable {
  case matrix(Matrix)
  case doubleMatrix(DoubleMatrix)
  case vector([Float])
  case doubleVector([Double])
  case integers([Int32])
  /// For each frame the classes that have a weight (`hmm/posterior.h`).
  case posterior([[PosteriorEntry]])

  /// The kinds of values, as a reader may have to be told: neither the text form nor the binary form
  /// of integers and posteriors says what it is.
  package enum Kind: String, Sendable, CaseIterable {
    case matrix, doubleMatrix, vector, doubleVector, integers, posterior
  }

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

  /// The largest of the counts that its binary form has.
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

  /// The value as another kind, where only precision or form differ; nil where it cannot be.
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
