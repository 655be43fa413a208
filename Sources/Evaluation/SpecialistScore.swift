/// What specialists gain over their generalist on the test set, as in tables 3 and 4 of Hinton,
/// Vinyals and Dean 2015.
package struct SpecialistScore: Sendable, Equatable, Codable {
  /// The accuracies on the frames whose true class a given number of specialists have.
  package struct Coverage: Sendable, Equatable, Codable {
    /// The number of specialists that have the true class; the minimum for rows of `whole`.
    package let specialists: Int
    /// The accuracy of the generalist alone.
    package let generalist: AccuracyScore
    /// The accuracy of generalist and specialists.
    package let combined: AccuracyScore
    /// The combined accuracy minus the generalist's, with the p-value of the paired test.
    package let gain: ComparisonScore
  }

  /// The cost and the accuracy of a system.
  package struct Cost: Sendable, Equatable, Codable {
    /// The system's name.
    package let system: String
    /// The number of networks.
    package let networks: Int
    /// The number of parameters of all networks.
    package let parameters: Int
    /// The number of multiply-adds with a weight per frame, over all networks.
    package let multiplyAdds: Int
    /// The number of frames that the networks were trained on, over all passes.
    package let trainingFrames: Int
    /// The number of multiply-adds with a weight in the forward passes of training.
    ///
    /// It is the sum over the networks of the rows of all batches times their multiply-adds. A
    /// time-delay network computes whole runs of frames, whichever of them it learns from.
    package let trainingMultiplyAdds: Double
    /// The test frames classified per second by one thread.
    package let framesPerSecond: Double
    /// The accuracy on the test set.
    package let test: AccuracyScore

    /// A cost of the given parts.
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
  /// All frames, then those whose true class at least one specialist has.
  ///
  /// The second row is missing when these are none or all.
  package let whole: [Coverage]
  /// The frames by the number of specialists, ascending, without numbers that no frame has.
  package let coverage: [Coverage]
  /// The costs of the systems compared.
  package let costs: [Cost]
  /// The differences between students on the test set.
  package let comparisons: [ComparisonScore]

  /// - Parameters:
  ///   - utterances: a tally for each test utterance.
  ///   - bootstrap: a bootstrap for those utterances.
  ///   - costs: the costs of the generalist, of generalist and specialists, and of the systems that
  ///     they are compared with.
  ///   - comparisons: the differences between students.
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

/// The frames of one utterance, by the number of specialists that have their true class.
package struct CoverageTally: Sendable {
  /// The tallies of the frames that the same number of specialists cover.
  fileprivate struct Pair: Sendable {
    var generalist = FrameTally()
    var combined = FrameTally()
  }

  private var pairs: [Pair]
  /// The number of active specialists, summed over all frames.
  fileprivate let activeSpecialists: Int

  /// - Parameters:
  ///   - generalist: the generalist's class id for each frame.
  ///   - combined: the class id that generalist and specialists choose for each frame.
  ///   - labels: the true class id of each frame.
  ///   - coverage: the number of specialists that have each class.
  ///   - activeSpecialists: the number of active specialists, summed over all frames.
  ///   - rules: the rules of scoring.
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
