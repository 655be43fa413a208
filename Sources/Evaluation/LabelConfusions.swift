package import Classes
import Corpus
package import LinearAlgebra

/// The confusion matrix of a model's labels, such as phones.
package struct LabelConfusions: Sendable, Equatable {
  /// The distinct labels of the classes, in the order of the classes; states share their label.
  package let labels: [String]
  /// The label of each class.
  private let ofClass: [Int]
  /// The number of frames by true label, then by chosen label.
  package private(set) var frames: [[Int]]

  /// An empty matrix.
  ///
  /// - Parameter classes: the model's classes.
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

  /// Adds some frames.
  ///
  /// - Parameters:
  ///   - chosen: the chosen class id of each frame.
  ///   - truth: the true class id of each frame.
  package mutating func add(chosen: [Int32], truth: [Int32]) {
    for (own, other) in zip(truth, chosen) {
      frames[ofClass[Int(own)]][ofClass[Int(other)]] += 1
    }
  }

  /// The index of a class's label in `labels`.
  package func label(of id: Int32) -> Int { ofClass[Int(id)] }

  /// Sums the probabilities of each label's classes.
  ///
  /// - Parameter posteriors: distributions over classes, [frames × classes].
  /// - Returns: distributions over labels, [frames × labels].
  package func posteriors(_ posteriors: Matrix) -> Matrix {
    var result = Matrix(rows: posteriors.rows, columns: labels.count)
    result.withRows(0..<result.rows) { frame, row in
      let own = posteriors.row(frame)
      for index in own.indices { row[ofClass[index]] += own[index] }
    }
    return result
  }

  /// The number of frames whose true label is the given one.
  package func count(of label: Int) -> Int { frames[label].reduce(0, +) }

  /// The share of a label's frames that are classified as the label; nil when it has no frames.
  package func recall(of label: Int) -> Double? {
    let count = count(of: label)
    return count > 0 ? Double(frames[label][label]) / Double(count) : nil
  }
}

/// A run of frames for which a system is confident of a label other than the alignment's.
package struct Doubt: Sendable, Equatable {
  /// The frames within the utterance.
  package let frames: Range<Int>
  /// The alignment's label, an index into `LabelConfusions.labels`.
  package let truth: Int
  /// The system's label, an index into `LabelConfusions.labels`.
  package let chosen: Int

  /// Finds all such runs in an utterance.
  ///
  /// - Parameters:
  ///   - posteriors: distributions over labels, [frames × labels].
  ///   - truth: the true label of each frame.
  ///   - confidence: the minimum probability of the system's label.
  /// - Returns: the runs in time order.
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
