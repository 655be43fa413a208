import Corpus
import Evaluation
import Features
import Foundation
import KaldiIO
import LinearAlgebra
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
    let sizes = [network.inputs] + network.layers.map(\.bias.count)
    let multiplyAdds = network.layers.reduce(0) { $0 + $1.weights.values.count }
    let options = Mirror(reflecting: model.features).children
      .map { "\($0.label ?? "") \($0.value)" }.joined(separator: ", ")
    let context = model.context
    let provenance = model.provenance
    return """
      model        \(provenance.system), seed \(provenance.seed), epoch \(provenance.epoch), \
      development accuracy \(String(format: "%.2f", 100 * provenance.developmentAccuracy)) %, \
      limbeck \(provenance.limbeckVersion)
      layers       \(sizes.map(String.init).joined(separator: " → ")), ReLU between
      parameters   \(network.parameterCount)
      multiply-adds a frame  \(multiplyAdds)
      context      \(context.left) frames left, \(context.right) right
      features     \(options)
      classes      \(model.classes.count): \(model.classes.symbols.prefix(6).joined(separator: " ")) …

      """
  }

  private static func archive(_ path: String) throws -> String {
    let matrices: [(key: String, matrix: Matrix)]
    do {
      matrices = try MatrixArchive.read(path)
    } catch let fault {
      guard let vectors = try? IntegerVectorArchive.read(path) else { throw fault }
      let values = vectors.map(\.values)
      return """
        archive      integer vectors
        entries      \(vectors.count)
        integers     \(values.reduce(0) { $0 + $1.count }), from \(values.joined().min() ?? 0) to \
        \(values.joined().max() ?? 0)

        """
    }
    let columns = Set(matrices.map(\.matrix.columns)).sorted().map(String.init)
    return """
      archive      float matrices
      entries      \(matrices.count)
      rows         \(matrices.reduce(0) { $0 + $1.matrix.rows })
      columns      \(columns.joined(separator: ", "))

      """
  }

  private static func experiment(_ path: String) throws -> String {
    let scores = path + "/scores.json"
    let models = ((try? FileManager.default.contentsOfDirectory(atPath: path + "/models")) ?? [])
      .filter { $0.hasSuffix(".safetensors") }.sorted()
    var text = "models       \(models.isEmpty ? "none" : models.joined(separator: " "))\n"
    if FileManager.default.fileExists(atPath: scores) {
      text += "\n" + (try ScoreReport(path: scores).table)
    } else {
      text += "scores       none yet\n"
    }
    return text
  }
}
