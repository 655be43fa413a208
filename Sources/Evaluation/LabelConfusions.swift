package import Classes
import Corpus
package import LinearAlgebra

/// Which labels, such as phones, frames are taken for.
package struct LabelConfusions: Sendable, Equatable {
  /// The labels that classes are states of, each once, in the order of the classes.
  package let labels: [String]
  /// The label of each class.
  private let ofClass: [Int]
  /// By true label, then by chosen label.
  package private(set) var frames: [[Int]]

  /// No frames yet.
  ///
  /// - Parameter classes: the model's.
  package init(_ classes: ClassInventory) {
    var numbers: [String: Int] = [:]
    var labels: [String] = []
    ofClass = classes.labels.map { label in
      if let known = numbers[label] { return known }
      numbers[label] = labels.count
      labels.append(label)
      return labels.count - 1
    }
    self.labels = labels
    frames = Array(repeating: Array(repeating: 0, count: labels.count), count: labels.count)
  }

  /// Counts some frames.
  ///
  /// - Parameters:
  ///   - chosen: a class id a frame.
  ///   - truth: the true ids, as many.
  package mutating func add(chosen: [Int32], truth: [Int32]) {
    for (own, other) in zip(truth, chosen) {
      frames[ofClass[Int(own)]][ofClass[Int(other)]] += 1
    }
  }

  /// The number of a class's label.
  package func label(of id: Int32) -> Int { ofClass[Int(id)] }

  /// The probability of each label, frames × labels.
  ///
  /// - Parameter posteriors: frames × classes, each row a distribution.
  /// - Returns: each row a distribution.
  package func posteriors(_ posteriors: Matrix) -> Matrix {
    var result = Matrix(rows: posteriors.rows, columns: labels.count)
    result.withRows(0..<result.rows) { frame, row in
      let own = posteriors.row(frame)
      for index in own.indices { row[ofClass[index]] += own[index] }
    }
    return result
  }

  /// The frames of a label.
  package func count(of label: Int) -> Int { frames[label].reduce(0, +) }

  /// The share of a label's frames that is taken for it; nil without a frame.
  package func recall(of label: Int) -> Double? {
    let count = count(of: label)
    return count > 0 ? Double(frames[label][label]) / Double(count) : nil
  }
}

/// A run of frames on which a system is sure of another label than the alignment has.
package struct Doubt: Sendable, Equatable {
  package let frames: Range<Int>
  /// The label's number in `LabelConfusions`.
  package let truth: Int
  package let chosen: Int

  /// All such runs of an utterance.
  ///
  /// - Parameters:
  ///   - posteriors: frames × labels, each row a distribution.
  ///   - truth: the true label of each frame.
  ///   - confidence: the least probability of the other label.
  /// - Returns: in their order.
  package static func all(
    in posteriors: Matrix, truth: [Int], confidence: Float
  ) -> [Doubt] {
    let chosen = posteriors.largestColumns().map { Int($0) }
    var result: [Doubt] = []
    for frame in 0..<posteriors.rows {
      guard chosen[frame] != truth[frame], posteriors[frame, chosen[frame]] >= confidence
      else { continue }
      if let last = result.last, last.frames.upperBound == frame, last.truth == truth[frame],
        last.chosen == chosen[frame]
      {
        result[result.count - 1] = Doubt(
          frames: last.frames.lowerBound..<frame + 1, truth: last.truth, chosen: last.chosen)
      } else {
        result.append(
          Doubt(frames: frame..<frame + 1, truth: truth[frame], chosen: chosen[frame]))
      }
    }
    return result
  }
}
