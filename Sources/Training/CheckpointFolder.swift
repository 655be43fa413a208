import Foundation
import LinearAlgebra
import Networks
package import Storage
package import SystemPackage

/// The last two checkpoints of a training run; a run resumed from either gives the same result, bit
/// for bit.
///
/// A checkpoint is a safetensors file with the parameters, the optimiser's moments, the statistics
/// of batch normalisation, the average of the parameters if there is one, and the best network so
/// far. Its metadata has the progress, the identity of the training, and a digest of all values and
/// of the progress.
package struct CheckpointFolder: Sendable {
  /// The folder.
  package let path: FilePath
  /// What the training depends on, one line for each input; checkpoints of another training are
  /// refused.
  private let identity: [String]
  /// The minimum time between two checkpoints within an epoch.
  package let pause: Duration
  /// Called with a message for each damaged checkpoint, which is skipped.
  let warn: @Sendable (String) -> Void

  /// - Parameters:
  ///   - path: the folder, used by one training only.
  ///   - identity: what the training depends on, one line for each input.
  ///   - pause: the minimum time between two checkpoints within an epoch. Another is written at the
  ///     end of each epoch.
  ///   - warn: called with a message for each damaged checkpoint, which is skipped.
  package init(
    _ path: FilePath, identity: [String], pause: Duration,
    warn: @escaping @Sendable (String) -> Void
  ) {
    (self.path, self.identity, self.pause, self.warn) = (path, identity, pause, warn)
  }

  /// The number of epochs completed by the newest checkpoint in a folder; 0 when there is none.
  package static func passes(in path: FilePath) throws(FileFault) -> Int {
    guard try FileSystem.isFolder(path),
      let newest = try files(in: path, ending: ".safetensors").first,
      let epoch = newest.stem.flatMap({ Int($0.suffix(6)) })
    else { return 0 }
    return max(0, epoch - 1)
  }

  /// The checkpoints, newest first.
  private func files() throws(FileFault) -> [FilePath] {
    try CheckpointFolder.files(in: path, ending: ".safetensors")
  }

  private static func files(
    in path: FilePath, ending suffix: String
  ) throws(FileFault) -> [FilePath] {
    guard try FileSystem.exists(path) else { return [] }
    return try FileSystem.names(in: path)
      .filter { $0.string.hasSuffix(suffix) }.reversed().map { path.appending($0) }
  }

  /// Removes all checkpoints from a folder, and the folder if it is then empty.
  package static func remove(_ path: FilePath) throws(FileFault) {
    for suffix in [".safetensors", ".part", ".damaged"] {
      for file in try files(in: path, ending: suffix) { try FileSystem.remove(file) }
    }
    try FileSystem.removeEmptyFolder(path)
  }

  // MARK: - Writing

  /// Writes a checkpoint, and removes all others except the previous one.
  func save(_ state: TrainingState) throws(FileFault) {
    var file = SafetensorsFile()
    for parameter in state.network.parameters {
      file.tensors[parameter.name] = .init(parameter.values.matrix)
      for (index, moment) in parameter.moments.enumerated() {
        file.tensors["\(parameter.name).moment.\(index)"] = .init(moment.matrix)
      }
    }
    for (name, values) in state.network.statistics { file.tensors[name] = .init(values.matrix) }
    for (name, values) in state.average?.tensors ?? [] {
      file.tensors["average.\(name)"] = .init(values.matrix)
    }
    for (name, values) in state.best.tensors { file.tensors["best.\(name)"] = .init(values) }
    file.metadata = [
      "progress": JSONText.line(state.progress), "identity": JSONText.line(identity),
    ]
    file.metadata["digest"] = digest(of: file)
    let number = String(format: "%012d", state.progress.step)
    // The checkpoint at an epoch's end may have the same step as the last one within the epoch.
    let name = "\(number)-\(String(format: "%06d", state.progress.epoch)).safetensors"
    try file.write(to: path.appending(name))
    let all = try files()
    let kept = all.prefix(2)
    for old in all.dropFirst(2) { try FileSystem.remove(old) }
    // Left behind by runs that were killed while they wrote.
    let parts = try CheckpointFolder.files(in: path, ending: ".part")
    for part in parts where !kept.contains(where: { part == $0.withSuffix(".part") }) {
      try FileSystem.remove(part)
    }
  }

  /// The digest of all values and of the progress, so that a damaged checkpoint is detected.
  private func digest(of file: SafetensorsFile) -> String {
    let parts =
      [file.metadata["progress"] ?? ""]
      + file.tensors.keys.sorted().map { name -> String in
        let values = file.tensors[name]?.values ?? []
        let bytes = unsafe values.withUnsafeBytes { unsafe Data($0) }
        return "\(name) \(Fingerprint(of: bytes))"
      }
    return Fingerprint(of: parts.joined(separator: "\n")).description
  }

  // MARK: - Reading

  /// Restores a state from the newest intact checkpoint; without one, the state is unchanged.
  ///
  /// - Throws: `FileFault` with the first difference when a checkpoint is of another training.
  func restore(_ state: TrainingState) throws(FileFault) {
    for path in try files() {
      do throws(FileFault) {
        let file = try SafetensorsFile(path: path)
        guard file.metadata["digest"] == digest(of: file) else {
          throw .malformed(path: path, expected: "values that match the digest", found: "others")
        }
        try requireIdentity(of: file, path)
        return try restore(state, from: file, path)
      } catch {
        if error.isOfMachine { throw error }
        // A truncated or damaged file is skipped; one of another training is left for the user to
        // remove.
        if case .malformed(_, let expected, _) = error, expected.hasPrefix(sameTraining) {
          throw error
        }
        warn("\(error); resuming from the previous checkpoint, or from the start")
        // Otherwise it would sort before the checkpoints written from now on.
        try FileSystem.rename(path, to: path.withSuffix(".damaged"))
      }
    }
  }

  private func requireIdentity(of file: SafetensorsFile, _ path: FilePath) throws(FileFault) {
    let found: [String] = decoded(file.metadata["identity"]) ?? []
    guard found != identity else { return }
    let difference = zip(identity, found).first { $0 != $1 }
    throw .malformed(
      path: path,
      expected: "\(sameTraining)\(difference.map { ", with \($0.0)" } ?? "")",
      found:
        "one with \(difference?.1 ?? "other inputs"); remove the folder to train from the start")
  }

  private func restore(
    _ state: TrainingState, from file: SafetensorsFile, _ path: FilePath
  ) throws(FileFault) {
    guard let progress: TrainingProgress = decoded(file.metadata["progress"]) else {
      throw .malformed(path: path, expected: "the progress of a training", found: "none")
    }
    var places: [(name: String, matrix: SharedMatrix)] = []
    for parameter in state.network.parameters {
      places.append((parameter.name, parameter.values))
      for (index, moment) in parameter.moments.enumerated() {
        places.append(("\(parameter.name).moment.\(index)", moment))
      }
    }
    places += state.network.statistics.map { ($0.name, $0.values) }
    places += (state.average?.tensors ?? []).map { ("average.\($0.name)", $0.values) }
    var best: [String: [Float]] = [:]
    for (name, values) in state.best.tensors {
      guard let tensor = file.tensors["best.\(name)"], tensor.values.count == values.count else {
        throw .malformed(path: path, expected: "a tensor best.\(name)", found: "none that fits")
      }
      best[name] = tensor.values
    }
    for (name, matrix) in places {
      guard file.tensors[name]?.values.count == matrix.rows * matrix.columns else {
        throw .malformed(path: path, expected: "a tensor \(name)", found: "none that fits")
      }
    }
    for (name, matrix) in places { matrix.set(file.tensors[name]?.values ?? []) }
    state.best = state.best.with(best)
    state.progress = progress
  }

  private func decoded<Value: Decodable>(_ text: String?) -> Value? {
    text.flatMap { try? JSONDecoder().decode(Value.self, from: Data($0.utf8)) }
  }
}

/// The beginning of what was expected instead of another training's checkpoint.
private let sameTraining = "a checkpoint of this training"
