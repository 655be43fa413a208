import Classes
package import Corpus
import Features
import KaldiIO
import LinearAlgebra
package import Models
import Networks
import Storage
package import SystemPackage
import Training

/// Turns a model in float32 into one in a reduced precision.
package struct ModelQuantization: Sendable {
  private let path: FilePath
  private let model: AcousticModel

  /// Reads the model.
  ///
  /// - Throws: `ModelFault` when it cannot be read or is not in float32.
  package init(modelPath: FilePath) throws(ModelFault) {
    path = modelPath
    model = try AcousticModel(path: modelPath)
    try model.requireFloat32(path: modelPath)
  }

  /// The model in bfloat16.
  package var inBFloat16: AcousticModel { model.with(.bfloat16) }

  /// The model in int8, with steps chosen on features in a folder.
  ///
  /// - Parameters:
  ///   - folder: the features.
  ///   - frames: how many frames suffice, at least one; utterances are taken at equal distances.
  /// - Returns: the model.
  /// - Throws: `ModelFault` when the model expects other features or is too wide for 8 bits,
  ///   `FileFault` when there are no features or they cannot be read.
  package func inInt8(
    calibratedOn folder: FeatureFolder, frames: Int
  ) throws -> AcousticModel {
    try inInt8(
      calibratedOn: folder, made: folder.options(), name: .file(folder.path), frames: frames)
  }

  /// The model in int8, with steps chosen on the features of a table.
  ///
  /// - Parameters:
  ///   - table: the features.
  ///   - frames: how many frames suffice, at least one; utterances are taken at equal distances.
  /// - Returns: the model.
  /// - Throws: as for a folder.
  package func inInt8(
    calibratedOn table: borrowing TableFolder, frames: Int
  ) throws -> AcousticModel {
    try inInt8(
      calibratedOn: table.features, made: table.options, name: table.origin, frames: frames)
  }

  private func inInt8(
    calibratedOn folder: FeatureFolder, made: FeatureOptions, name: Origin, frames wanted: Int
  ) throws -> AcousticModel {
    try model.requireFeatures(made, path: path, madeIn: name)
    guard model.network.fitsBytes else { throw ModelFault.tooWide(path: path) }
    let frames = try ArchiveFrames(
      features: try MatrixArchive(path: folder.archivePath, otherForms: .held), targets: nil,
      columns: model.features.columns, classes: model.classes.count)
    let count = (0..<frames.count).reduce(0) { $0 + frames.frameCount(of: $1) }
    guard count > 0 else {
      throw FileFault.malformed(path: name, expected: "at least one utterance", found: "none")
    }
    try ThreadMemory.require(
      forLogitsOf: frames, by: 1, classes: model.classes.count, workers: .one)
    var calibration = Calibration(of: model)
    for index in stride(from: 0, to: frames.count, by: max(1, (count + wanted - 1) / wanted)) {
      try Interruption.check()
      calibration.add(try frames.features(of: index, path: name))
    }
    return calibration.model(data: "\(name)")
  }
}
