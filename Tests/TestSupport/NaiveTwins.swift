import Foundation
package import LinearAlgebra

/// The slow and plain forms of the fast kernels, in double precision.
package enum Naive {
  /// The matrix product of rows of numbers.
  package static func product(_ a: [[Double]], _ b: [[Double]]) -> [[Double]] {
    a.map { row in
      (b.first ?? []).indices.map { column in
        zip(row, b).reduce(0) { $0 + $1.0 * $1.1[column] }
      }
    }
  }

  package static func transpose(_ a: [[Double]]) -> [[Double]] {
    (a.first ?? []).indices.map { column in a.map { $0[column] } }
  }

  /// |X[k]|² by the definition of the discrete Fourier transform, for k from 0 to size / 2; samples
  /// beyond those given are zero.
  package static func powerSpectrum(_ samples: [Float], size: Int) -> [Double] {
    (0...size / 2).map { k in
      var (real, imaginary) = (0.0, 0.0)
      for (n, sample) in samples.enumerated() {
        let angle = -2 * Double.pi * Double(k * n % size) / Double(size)
        real += Double(sample) * cos(angle)
        imaginary += Double(sample) * sin(angle)
      }
      return real * real + imaginary * imaginary
    }
  }

  /// exp(z / T) / Σ exp(z / T).
  package static func softmax(_ logits: [Double], temperature: Double = 1) -> [Double] {
    let powers = logits.map { exp($0 / temperature) }
    return powers.map { $0 / powers.reduce(0, +) }
  }

  /// λ · CE(y, softmax(z)) + (1−λ) · T² · CE(p, softmax(z/T)), from the formula.
  package static func distillationLoss(
    _ logits: [Double], label: Int, target: [Double], temperature: Double, hardWeight: Double
  ) -> Double {
    let hard = -log(softmax(logits)[label])
    let soft = zip(target, softmax(logits, temperature: temperature))
      .reduce(0) { $0 - $1.0 * log($1.1) }
    return hardWeight * hard + (1 - hardWeight) * temperature * temperature * soft
  }
}

extension Matrix {
  /// The rows as lists of doubles.
  package var doubles: [[Double]] {
    (0..<rows).map { row in (0..<columns).map { Double(self[row, $0]) } }
  }

  /// A matrix of normally distributed values.
  package static func random(rows: Int, columns: Int, seed: UInt64, scale: Double = 1) -> Matrix {
    var generator = SeededGenerator(seed)
    return Matrix(
      rows: rows, columns: columns,
      values: (0..<rows * columns).map { _ in Float(scale * generator.normal()) })
  }
}
