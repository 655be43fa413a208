import Classes
package import Models
package import Corpus
import Foundation
package import LinearAlgebra
import Networks
import Storage
package import SystemPackage
package import Training

/// One pass over the training frames with a generalist, to compute the covariance of its
/// predictions and its confusions.
package struct ClusterPass {
  let frames: ArchiveFrames
  /// The features' path, for messages.
  let featuresPath: FilePath
  let generalist: AcousticModel
  let options: ClusteringOptions
  let workers: Workers
  let reporter: Reporter

  /// A pass over some frames; nothing is read yet.
  package init(
    frames: ArchiveFrames, featuresPath: FilePath, generalist: AcousticModel,
    options: ClusteringOptions, workers: Workers, reporter: Reporter
  ) {
    (self.frames, self.featuresPath, self.generalist) = (frames, featuresPath, generalist)
    (self.options, self.workers, self.reporter) = (options, workers, reporter)
  }

  /// The greatest number of values in memory at a time; a longer utterance is processed alone.
  private static let mostValues = 1 << 24

  /// Runs the pass and clusters the classes.
  ///
  /// - Returns: the clusters.
  /// - Throws: `FileFault` when features or classes cannot be read, `OptionFault` for clusters that
  ///   no specialist can be trained for.
  package func run() throws -> ClusterReport {
    let classes = generalist.classes
    var covariance = PredictionCovariance(classes: classes.count)
    var confusions = [Int](repeating: 0, count: classes.count * classes.count)
    var next = 0
    while next < frames.count {
      try Interruption.check()
      let round = frames.round(
        from: next, columns: classes.count, mostValues: ClusterPass.mostValues)
      let results = workers.map(round.count) { index -> Result<Matrix, any Error> in
        Result {
          var posteriors = try frames.logits(
            of: round.lowerBound + index, by: generalist, path: .file(featuresPath))
          posteriors.replaceRowsBySoftmax()
          return posteriors
        }
      }
      var all = Matrix(rows: 0, columns: classes.count)
      for (utterance, result) in zip(round, results) {
        let posteriors = try result.get()
        for (truth, chosen) in zip(
          try frames.labels(of: utterance), posteriors.largestColumns())
        {
          confusions[Int(truth) * classes.count + Int(chosen)] += 1
        }
        all.append(posteriors)
      }
      covariance.add(all, workers: workers)
      next = round.upperBound
      reporter.progress(
        WorkProgress(
          work: "clusters", done: Double(next), total: Double(frames.count), unit: "utterances"))
    }
    return try report(covariance, confusions)
  }

  private func report(
    _ covariance: PredictionCovariance, _ confusions: [Int]
  ) throws -> ClusterReport {
    let classes = generalist.classes
    let elements: [[Int32]]
    let columns: [[Double]]
    switch options.by {
    case .class:
      elements = (0..<Int32(classes.count)).map { [$0] }
      columns = covariance.columns
    case .label:
      var labels: [String] = []
      for label in classes.labels where !labels.contains(label) { labels.append(label) }
      elements = labels.map { classes.ids(ofLabel: $0) }
      columns = covariance.columns(ofGroups: elements)
    }
    let found = ClassClusters(columns, options: options, workers: workers)
    let sets = found.sets.map { set in set.flatMap { elements[Int($0)] }.sorted() }
    let report = ClusterReport(
      sets, inertia: found.inertia, options: options, classes: classes, confusions: confusions)
    if sets.count < options.clusters {
      reporter.log.warning(
        """
        clusters: only \(sets.count) of the \(options.clusters) of specialists.clustering.clusters have a class, \
        so there are only \(sets.count) specialists
        """)
    }
    for (set, cluster) in zip(sets, report.clusters) {
      try requireOption(
        set.count < classes.count && cluster.frames > 0 && cluster.frames < report.frames,
        "specialists.clustering", expected: "clusters with some but not all of the training frames",
        found:
          "\(set.count) of \(classes.count) classes with \(cluster.frames) of \(report.frames) frames"
      )
    }
    return report
  }
}
