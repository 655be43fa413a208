import Audio
import Corpus
import Evaluation
import Features
import Foundation
import KaldiIO
import LinearAlgebra
import Logging
import Networks
import Storage
import Training

/// What is in a file or a folder, in words.
package struct Description: Sendable {
  /// Lines for people.
  package let text: String

  /// Reads a file or a folder.
  ///
  /// - Parameter path: a model, an archive, or an experiment's folder.
  /// - Throws: `FileFault` or `ModelFault` when it is none of them or not whole.
  package init(of path: String) throws {
    var isFolder: ObjCBool = false
    _ = unsafe FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
    if isFolder.boolValue {
      text = try Description.experiment(path)
    } else if path.hasSuffix(".ark") {
      text = try Description.archive(path)
    } else {
      text = Description.model(try AcousticModel(path: path))
    }
  }

  private static func model(_ model: AcousticModel) -> String {
    let network = model.network
    let layers = network.layers.enumerated().map { index, layer in
      let isLast = index == network.layers.count - 1
      return
        "\(layer.inputs)\(frames(layer.offsets)) → \(layer.bias.count)\(isLast ? "" : ", ReLU"), "
        + "\(layer.weights.values.count + layer.bias.count) parameters"
    }
    let options = model.features.listed.map { "\($0.name) \($0.value)" }.joined(separator: ", ")
    let context = network.context
    let provenance = model.provenance
    return """
      model        \(provenance.system), seed \(provenance.seed), epoch \(provenance.epoch), \
      development accuracy \(String(format: "%.2f", 100 * provenance.developmentAccuracy)) %, \
      limbeck \(provenance.limbeckVersion)
      layers       \(layers.joined(separator: "\n             "))
      parameters   \(network.parameterCount)
      multiply-adds a frame  \(network.multiplyAdds)
      context      \(-context.lowerBound) frames left, \(context.upperBound) right
      features     \(options)
      classes      \(model.classes.count): \(model.classes.symbols.prefix(6).joined(separator: " ")) …

      """
  }

  /// The frames that a layer sees, as `× 26 (-20 to 5)` or `× 3 (-3, 0, 3)`.
  private static func frames(_ offsets: [Int]) -> String {
    guard offsets != [0], let first = offsets.first, let last = offsets.last else { return "" }
    let isRun = last - first == offsets.count - 1 && offsets.count > 3
    let names = isRun ? "\(first) to \(last)" : offsets.map(String.init).joined(separator: ", ")
    return " × \(offsets.count) frames (\(names))"
  }

  private static func archive(_ path: String) throws -> String {
    var tallies: [KaldiValue.Kind: ArchiveTally] = [:]
    try Archive.forEach(in: path) { _, value in tallies[value.kind, default: .init()].add(value) }
    guard !tallies.isEmpty else { return "archive      empty\n" }
    return KaldiValue.Kind.allCases.compactMap { kind in
      tallies[kind].map { "archive      \(kind.rawValue)\n\($0.text)" }
    }.joined()
  }

  private static func experiment(_ path: String) throws -> String {
    let models = ((try? FileManager.default.contentsOfDirectory(atPath: path + "/models")) ?? [])
      .filter { $0.hasSuffix(".safetensors") }.sorted()
    var text = "models       \(models.isEmpty ? "none" : models.joined(separator: " "))\n"
    let prepared = path + "/data/ledger.jsonl"
    if FileManager.default.fileExists(atPath: prepared) {
      let leftOut = try Ledger(path: prepared).leftOutCount
      text += "prepare      \(leftOut) utterances left out before wav.scp; see \(prepared)\n"
    }
    var scores: ScoreReport?
    if FileManager.default.fileExists(atPath: path + "/scores.json") {
      scores = try ScoreReport(path: path + "/scores.json")
    } else {
      text += "scores       none yet\n"
    }
    if scores != nil || FileManager.default.fileExists(atPath: path + "/ledger.jsonl") {
      let accounts = try Accounts(experiment: path)
      let systems = scores?.systems.map(\.system).filter { models.contains("\($0).safetensors") }
      try accounts.check(systems: accounts.isScored ? systems ?? [] : [])
      if scores != nil, !accounts.isScored {
        text += "ledger       of a run that did not go as far as the scores, which are older\n"
      }
      let grid = try FeatureFolder(path: path + "/features/train").options().logMel.grid
      text += "\n" + accounts.table(secondsPerFrame: grid.shiftInSeconds)
    }
    let baselines = path + "/baseline-search.json"
    if FileManager.default.fileExists(atPath: baselines) {
      text += "\n" + (try BaselineSearchReport(path: baselines)).table.markdown
    }
    let clusters = path + "/specialists/clusters.json"
    if FileManager.default.fileExists(atPath: clusters) {
      text += "\n" + (try ClusterReport(path: clusters)).table.markdown
    }
    if FileManager.default.fileExists(atPath: path + "/search.json") {
      text += "\n" + (try SearchReport(path: path + "/search.json")).table.markdown
    }
    // Those of the recipe that was scored; while another one runs, its search may be gone.
    if let recipe = try? Recipe(path: path + "/recipe.yaml") {
      let experiment = Experiment(
        recipe: recipe, path: path, workers: .one,
        reporter: Reporter(log: Logger(label: "limbeck")) { _ in })
      if let report = try? experiment.softTargetReport() { text += "\n" + report.table.markdown }
    }
    return text + (scores.map { "\n" + $0.table } ?? "")
  }
}

/// What is in an archive's entries of one kind.
private struct ArchiveTally {
  private var entries = 0
  private var rows = 0
  private var columns: Set<Int> = []
  private var least = Int32.max
  private var largest = Int32.min

  mutating func add(_ value: KaldiValue) {
    entries += 1
    switch value {
    case .matrix(let matrix): add(rows: matrix.rows, columns: matrix.columns)
    case .doubleMatrix(let matrix): add(rows: matrix.rows, columns: matrix.columns)
    case .vector(let values): rows += values.count
    case .doubleVector(let values): rows += values.count
    case .integers(let values):
      rows += values.count
      least = min(least, values.min() ?? least)
      largest = max(largest, values.max() ?? largest)
    case .posterior(let frames): rows += frames.count
    }
  }

  private mutating func add(rows: Int, columns: Int) {
    self.rows += rows
    self.columns.insert(columns)
  }

  var text: String {
    var text = "entries      \(entries)\nrows         \(rows)\n"
    if !columns.isEmpty {
      text += "columns      \(columns.sorted().map(String.init).joined(separator: ", "))\n"
    }
    if least <= largest { text += "values       from \(least) to \(largest)\n" }
    return text
  }
}
