/// What specialists add to their generalist on the test set, as in tables 3 and 4 of Hinton, Vinyals and Dean 2015.
package struct SpecialistScore: Sendable, Equatable, Codable {
  /// Frames by how many specialists have their true class.
  package struct Coverage: Sendable, Equatable, Codable {
    package let specialists: Int
    package let generalist: AccuracyScore
    package let combined: AccuracyScore
    /// Combined less generalist; its p-value is that of the paired test.
    package let gain: ComparisonScore
  }

  /// What a way to classify frames costs, and what it brings.
  package struct Cost: Sendable, Equatable, Codable {
    package let system: String
    package let networks: Int
    package let parameters: Int
    /// Multiplications with a weight, for each frame, with all networks.
    package let multiplyAdds: Int
    /// Frames that the networks learnt from in all their passes.
    package let trainingFrames: Int
    /// Multiplications with a weight in training, forward alone: the sum over the networks of the rows of all
    /// batches times their multiply-adds.
    ///
    /// A time-delay network computes runs of frames whole, whichever of them it learns from.
    package let trainingMultiplyAdds: Double
    /// Test frames classified in a second by one thread.
    package let framesPerSecond: Double
    package let test: AccuracyScore

    package init(
      system: String, networks: Int, parameters: Int, multiplyAdds: Int, trainingFrames: Int,
      trainingMultiplyAdds: Double, framesPerSecond: Double, test: AccuracyScore
    ) {
      (self.system, self.networks, self.parameters) = (system, networks, parameters)
      (self.multiplyAdds, self.trainingFrames) = (multiplyAdds, trainingFrames)
      (self.trainingMultiplyAdds, self.test) = (trainingMultiplyAdds, test)
      self.framesPerSecond = framesPerSecond
    }
  }

  /// The mean number of active specialists per frame.
  package let activeAFrame: Double
  /// All frames, then those whose class some specialist has; the latter missing when these are none or all.
  package let whole: [Coverage]
  /// By number of specialists, rising; of numbers that frames have.
  package let coverage: [Coverage]
  package let costs: [Cost]
  /// Differences on the test set.
  package let comparisons: [ComparisonScore]

  /// - Parameters:
  ///   - utterances: what was found on each.
  ///   - bootstrap: made for as many utterances.
  ///   - costs: of generalist, of both, and of what they are compared with.
  ///   - comparisons: of students.
  package init(
    _ utterances: [CoverageTally], bootstrap: Bootstrap, costs: [Cost],
    comparisons: [ComparisonScore]
  ) {
    func row(_ specialists: ClosedRange<Int>) -> Coverage? {
      let generalist = utterances.map { $0.sum(\.generalist, specialists) }
      let combined = utterances.map { $0.sum(\.combined, specialists) }
      guard let first = AccuracyScore([generalist], .all, bootstrap: bootstrap),
        let second = AccuracyScore([combined], .all, bootstrap: bootstrap),
        let gain = ComparisonScore(
          "specialists - generalist", [combined], minus: [generalist], bootstrap: bootstrap)
      else { return nil }
      return Coverage(
        specialists: specialists.lowerBound, generalist: first, combined: second, gain: gain)
    }
    let most = utterances.map(\.mostSpecialists).max() ?? 0
    let frames = utterances.reduce(0) { $0 + $1.sum(\.generalist, 0...most).frames }
    activeAFrame =
      Double(utterances.reduce(0) { $0 + $1.activeSpecialists }) / Double(max(1, frames))
    let all = row(0...most)
    let covered = most > 0 ? row(1...most) : nil
    whole = [all, covered?.generalist.frames == all?.generalist.frames ? nil : covered]
      .compactMap { $0 }
    coverage = (0...most).compactMap { row($0...$0) }
    (self.costs, self.comparisons) = (costs, comparisons)
  }
}

/// The frames of one utterance by how many specialists have their true class.
package struct CoverageTally: Sendable {
  /// What is right of the frames that as many specialists cover.
  fileprivate struct Pair: Sendable {
    var generalist = FrameTally()
    var combined = FrameTally()
  }

  private var pairs: [Pair]
  /// How many specialists were active, over all frames.
  fileprivate let activeSpecialists: Int

  /// - Parameters:
  ///   - generalist: the class that it chooses for each frame.
  ///   - combined: the class that generalist and specialists choose.
  ///   - labels: the true ids.
  ///   - coverage: how many specialists have each class.
  ///   - activeSpecialists: over all frames.
  ///   - rules: what counts as right.
  package init(
    generalist: [Int32], combined: [Int32], labels: [Int32], coverage: [Int],
    activeSpecialists: Int, by rules: ScoringRules
  ) {
    self.activeSpecialists = activeSpecialists
    pairs = (0...(coverage.max() ?? 0)).map { count in
      let own = labels.indices.filter { coverage[Int(labels[$0])] == count }
      let truth = own.map { labels[$0] }
      return Pair(
        generalist: rules.tally(predicted: own.map { generalist[$0] }, labels: truth),
        combined: rules.tally(predicted: own.map { combined[$0] }, labels: truth))
    }
  }

  fileprivate var mostSpecialists: Int { pairs.count - 1 }

  fileprivate func sum(
    _ side: KeyPath<Pair, FrameTally>, _ specialists: ClosedRange<Int>
  ) -> FrameTally {
    var sum = FrameTally()
    for count in specialists {
      sum.frames += pairs[count][keyPath: side].frames
      sum.correct += pairs[count][keyPath: side].correct
    }
    return sum
  }
}
