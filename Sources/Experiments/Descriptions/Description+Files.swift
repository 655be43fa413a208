import Distillation
import Classes
import Models
import Corpus
import Evaluation
import Features
import Foundation
import LinearAlgebra
import ModelExport
import Networks
import Storage
import SystemPackage
import Training

extension Description {
  /// Describes a file that the program writes, other than archives and lists.
  ///
  /// - Parameters:
  ///   - path: the file's path.
  ///   - head: its first bytes.
  /// - Returns: nil for any other file.
  /// - Throws: `FileFault` or `ModelFault` for an incomplete or corrupt file.
  static func ofContent(_ path: FilePath, _ head: ArraySlice<UInt8>) throws -> String? {
    if isSafetensors(head) { return try safetensors(path) }
    if GraphDescription.isGraph(head) { return try GraphDescription(path: path).text }
    if head.first == UInt8(ascii: "{") { return try json(path) }
    if isRecord(head) { return try record(path) }
    if head.starts(with: "<!DOCTYPE html>".utf8) {
      return try TextFile.text(of: path).contains("limbeck") ? "report       a web page\n" : nil
    }
    if Data(head).range(of: Data("brain.Event:".utf8)) != nil {
      return "events       of TensorBoard\n"
    }
    if path.lastComponent == "scores.md", head.starts(with: "| system".utf8) {
      return "scores       as tables\n"
    }
    if path.lastComponent == "classes.txt" {
      let classes = try ClassInventory(path: path)
      return
        "classes      \(classes.count): \(classes.symbols.prefix(6).joined(separator: " ")) …\n"
    }
    return nil
  }

  // MARK: - Models and checkpoints

  /// Whether bytes begin like a safetensors file: the length of a header, and its brace.
  private static func isSafetensors(_ bytes: ArraySlice<UInt8>) -> Bool {
    bytes.count > 9 && bytes.dropFirst(8).first == UInt8(ascii: "{")
      && bytes.dropFirst(6).prefix(2).allSatisfy { $0 == 0 }
  }

  private static func safetensors(_ path: FilePath) throws -> String {
    let file = try SafetensorsFile(path: path)
    guard let text = file.metadata["progress"],
      let progress = try? JSONDecoder().decode(TrainingProgress.self, from: Data(text.utf8))
    else { return model(try AcousticModel(path: path)) }
    let best = progress.bestEpoch > 0 ? ", the best so far \(progress.bestEpoch)" : ""
    return """
      checkpoint   of an unfinished training
      epoch        \(progress.epoch)\(best)
      steps        \(progress.step)

      """
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
    let calibration = model.calibration.map {
      ", calibrated on \($0.frames) frames of \($0.utterances) utterances in \($0.data)"
    }
    return """
      model        \(provenance.system), seed \(provenance.seed), epoch \(provenance.epoch), \
      development accuracy \(String(format: "%.2f", 100 * provenance.developmentAccuracy)) %, \
      limbeck \(provenance.limbeckVersion)
      layers       \(layers.joined(separator: "\n             "))
      precision    \(model.precision.name.rawValue)\(calibration ?? "")
      parameters   \(network.parameterCount)
      multiply-adds a frame  \(network.multiplyAdds)
      context      \(-context.lowerBound) frames left, \(context.upperBound) right
      latency      \(latency(of: model))
      posteriors   \(posteriors(of: model))
      features     \(options)
      classes      \(model.classes.count): \(model.classes.symbols.prefix(6).joined(separator: " ")) …

      """
  }

  /// How long after the start of a frame's window its posteriors are known, such as `75 ms: a
  /// window of 25 ms and 5 later frames of 10 ms`.
  private static func latency(of model: AcousticModel) -> String {
    let (grid, later) = (model.features.grid, model.laterFrames)
    func text(_ samples: Int) -> String { milliseconds(Double(samples) / Double(grid.sampleRate)) }
    let count = later.context + later.deltas
    var known = "\(text(model.latencyInSamples)): a window of \(text(grid.window))"
    if count > 0 {
      known += " and \(count) later frame\(count == 1 ? "" : "s") of \(text(grid.shift))"
    }
    if later.deltas > 0 { known += ", \(later.deltas) of them for deltas" }
    return switch model.features.transform.normalization {
    case .none: known
    case let other: "\(known), after the features are normalised (\(other.rawValue))"
    }
  }

  /// What `limbeck posteriors` writes, such as `120 columns, a row every 10 ms, the first centred at
  /// 12.5 ms; --log-likelihoods has the model's priors`.
  private static func posteriors(of model: AcousticModel) -> String {
    let grid = model.features.grid
    let input = model.features.logMel == nil ? "features" : "audio at \(grid.sampleRate) Hz"
    return """
      of \(input): \(model.classes.count) columns, a row every \
      \(milliseconds(grid.shiftInSeconds)), the first centred at \
      \(milliseconds(grid.centre(ofFrame: 0))); --log-likelihoods \
      \(model.logPriors == nil ? "needs --priors" : "has the model's priors")
      """
  }

  /// A time as text, such as `12.5 ms`.
  private static func milliseconds(_ seconds: Double) -> String {
    let text = String(format: "%.3f", 1000 * seconds)
    return text.replacing(/\.?0+$/, with: "") + " ms"
  }

  /// The frames that a layer sees, such as `× 26 frames (-20 to 5)` or `× 3 frames (-3, 0, 3)`.
  private static func frames(_ offsets: [Int]) -> String {
    guard offsets != [0], let first = offsets.first, let last = offsets.last else { return "" }
    let isRun = last - first == offsets.count - 1 && offsets.count > 3
    let names = isRun ? "\(first) to \(last)" : offsets.map(String.init).joined(separator: ", ")
    return " × \(offsets.count) frames (\(names))"
  }

  // MARK: - JSON

  /// The value that `read` returns; nil for a fault of the data.
  private static func attempt<Value>(_ read: () throws -> Value) throws -> Value? {
    do { return try read() } catch let fault as any Fault where fault.isOfMachine {
      throw fault
    } catch {
      return nil
    }
  }

  /// Describes JSON, or lines of JSON, that the program writes.
  private static func json(_ path: FilePath) throws -> String {
    if let own = try attempt({ try ScoreReport(path: path) }) { return own.table }
    if let own = try attempt({ try SearchReport(path: path) }) { return own.table.markdown }
    if let own = try attempt({ try BaselineSearchReport(path: path) }) { return own.table.markdown }
    if let own = try attempt({ try ClusterReport(path: path) }) { return own.table.markdown }
    if let own = try attempt({ try SoftTargetReport(path: path) }) { return own.table.markdown }
    if let ledger = try attempt({ try Ledger(path: path) }), !ledger.entries.isEmpty {
      return
        "ledger       \(ledger.entries.count) entries, \(ledger.leftOutCount) utterances skipped\n"
        + ledger.leftOut.prefix(10).map { $0.account + "\n" }.joined()
    }
    let bytes = try TextFile.bytes(of: path)
    if let text = trainingLog(bytes) { return text }
    func decoded<Value: Decodable>(_ type: Value.Type) -> Value? {
      try? JSONDecoder().decode(type, from: bytes)
    }
    if let own = decoded(FeatureFolder.Description.self) {
      return "features     \(list(own.options.listed))\n"
    }
    if let own = decoded(TargetFolder.Description.self) {
      return "targets      \(list(own.options.listed))\nstates       \(own.states)\n"
    }
    if let folds = decoded(Folds.self) { return "folds        \(folds.count)\n" }
    let keys = (try? JSONSerialization.jsonObject(with: bytes)) as? [String: Any]
    throw FileFault.malformed(
      path: path, expected: "JSON that limbeck writes",
      found: keys.map { "keys \($0.keys.sorted().prefix(5).joined(separator: ", "))" }
        ?? "other JSON or lines")
  }

  private static func list(_ options: [(name: String, value: String)]) -> String {
    options.map { "\($0.name) \($0.value)" }.joined(separator: ", ")
  }

  /// Describes a training log; nil for other lines.
  private static func trainingLog(_ bytes: Data) -> String? {
    let lines = bytes.split(separator: UInt8(ascii: "\n"))
    guard let first = lines.first, (try? JSONDecoder().decode(StepRecord.self, from: first)) != nil
    else { return nil }
    let epochs = lines.compactMap { try? JSONDecoder().decode(EpochRecord.self, from: $0) }
    let last = epochs.last.map {
      String(
        format: ", the last with loss %.4f, development accuracy %.2f %%", $0.loss,
        100 * $0.developmentAccuracy)
    }
    return "log          of a training, \(epochs.count) epochs\(last ?? "")\n"
  }

  // MARK: - Records

  /// The length of the digest and line end with which records begin.
  static let recordMark = 33

  static func isRecord(_ head: ArraySlice<UInt8>) -> Bool {
    head.count >= recordMark && head.dropFirst(recordMark - 1).first == UInt8(ascii: "\n")
      && head.prefix(recordMark - 1).allSatisfy { byte in
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
          || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte)
      }
  }

  /// Describes a step's record, or the journal of an unfinished archive.
  private static func record(_ path: FilePath) throws -> String {
    let lines = try TextFile.lossyLines(of: path).dropFirst().map(\.text)
    if lines.contains(where: { $0.hasPrefix("{") }) {
      return "journal      \(lines.count) utterances of an unfinished archive\n"
    }
    let files = lines.map { $0.keyAndRest.rest }
    return "record       of a completed step\n" + files.map { "makes        \($0)\n" }.joined()
  }

  /// Describes a recipe; nil for any other text.
  static func recipe(_ path: FilePath) throws -> String? {
    guard let recipe = try attempt({ try Recipe(path: path) }) else { return nil }
    let count = recipe.ensemble.groups.count
    let groups = count == 1 ? "" : " in \(count) groups"
    return """
      recipe       \(recipe.ensemble.members) members\(groups), \(recipe.targets.format.rawValue) alignments

      """
  }
}
