package import Models
package import Storage
package import SystemPackage

/// Why models cannot be exported as one graph.
package enum ExportFault: Fault, Equatable {
  /// There are no models.
  case noModels
  /// A model is missing, or its file is unusable.
  case model(ModelFault)
  /// The classes differ from those of the first model.
  case otherClasses(path: FilePath, first: FilePath)
  /// The features differ from those of the first model; one string per difference.
  case otherFeatures(path: FilePath, first: FilePath, differences: [String])
  /// A graph cannot compute the model's features from samples, because of one option.
  case needsFeatures(path: FilePath, expected: String, found: String)
  /// A deviation of the model's normaliser is so small that its reciprocal is infinite.
  case tinyDeviation(path: FilePath)
  /// The graph would have this many bytes, which is more than a protocol buffer can have.
  case tooLarge(path: FilePath, bytes: Int)
  /// There is not enough memory to build the graph.
  case memory(MemoryFault)
  /// The graph cannot be written.
  case file(FileFault)

  /// That of the model's, the memory's or the file's fault, otherwise 65 (`data`).
  package var exitStatus: ExitStatus {
    switch self {
    case .model(let fault): fault.exitStatus
    case .memory(let fault): fault.exitStatus
    case .file(let fault): fault.exitStatus
    default: .data
    }
  }

  package var description: String {
    switch self {
    case .noModels: "export: expected at least one model, found none"
    case .model(let fault): fault.description
    case .otherClasses(let path, let first):
      "\(path.text): expected the classes of \(first.text), found others"
    case .otherFeatures(let path, let first, let differences):
      "\(path.text): expects features that differ from those of \(first.text): "
        + differences.joined(separator: "; ")
    case .needsFeatures(let path, let expected, let found):
      "\(path.text): a graph from audio: expected \(expected), found \(found); "
        + "export it from features"
    case .tinyDeviation(let path):
      "\(path.text): expected deviations of features with a finite reciprocal, found a smaller one"
    case .tooLarge(let path, let bytes):
      "\(path.text): expected a graph of less than 2 GB, found \(gigabytes(bytes))"
    case .memory(let fault): fault.description
    case .file(let fault): fault.description
    }
  }
}
