import Foundation
import LinearAlgebra
import Networks
package import Storage
package import SystemPackage

/// The last two states of a training, each a file from which it goes on to the same bits.
///
/// A file is a safetensors file: parameters, what the optimiser keeps of them, the statistics of
/// normalisations, and the best network so far; in its metadata the progress, what the training is of, and a
/// digest of all values and of the progress.
package struct CheckpointFolder: Sendable {
  package let path: FilePath
  /// What the training depends on, a line each; a checkpoint of another training is refused.
  private let identity: [String]
  /// The least time between two checkpoints within an epoch.
  package let pause: Duration
  /// Told of what is damaged, and passed over.
  let warn: @Sendable (String) -> Void

  /// - Parameters:
  ///   - path: the folder, of one training alone.
  ///   - identity: what the training depends on, a line each.
  ///   - pause: the least time between two checkpoints within an epoch; one at its end is written besides.
  ///   - warn: told of a checkpoint that is damaged, and passed over.
  package init(
    _ path: FilePath, identity: [String], pause: Duration,
    warn: @escaping @Sendable (String) -> Void
  ) {
    (self.path, self.identity, self.pause, self.warn) = (path, identity, pause, warn)
  }

  /// How many passes the newest checkpoint in a folder has behind it; none where there is none.
  package static func passes(in path: FilePath) throws(FileFault) -> Int {
    guard try FileSystem.isFolder(path),
      let newest = try files(in: path, ending: ".safetensors").first,
      let epoch = newest.stem.flatMap({ Int($0.suffix(6)) })
    else { return 0 }
    return max(0, epoch - 1)
  }

  /// The checkpoints, the newest first.
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

  /// Removes all checkpoints of a folder, as when the training is done, and the folder when nothing else is in it.
  package static func remove(_ path: FilePath) throws(FileFault) {
    for suffix in [".safetensors", ".part", ".damaged"] {
      for file in try files(in: path, ending: suffix) { try FileSystem.remove(file) }
    }
    try FileSystem.removeEmptyFolder(path)
  }

  // MARK: - Writing

  /// Writes a state, and removes all but it and the one before.
  func save(_ state: TrainingState) throws(FileFault) {
    var file = SafetensorsFile()
    for parameter in state.network.parameters {
      file.tensors[parameter.name] = .init(parameter.values.matrix)
      for (index, moment) in parameter.moments.enumerated() {
        file.tensors["\(parameter.name).moment.\(index)"] = .init(moment.matrix)
      }
    }
    for (name, values) in state.network.statistics { file.tensors[name] = .init(values.matrix) }
    for (name, values) in state.best.tensors { file.tensors["best.\(name)"] = .init(values) }
    file.metadata = [
      "progress": JSONText.line(state.progress), "identity": JSONText.line(identity),
    ]
    file.metadata["digest"] = digest(of: file)
    let number = String(format: "%012d", state.progress.step)
    // The end of an epoch has the step of the last checkpoint within it.
    let name = "\(number)-\(String(format: "%06d", state.progress.epoch)).safetensors"
    try file.write(to: path.appending(name))
    let all = try files()
    let kept = all.prefix(2)
    for old in all.dropFirst(2) { try FileSystem.remove(old) }
    // What a kill left of others while they were written.
    let parts = try CheckpointFolder.files(in: path, ending: ".part")
    for part in parts where !kept.contains(where: { part == $0.withSuffix(".part") }) {
      try FileSystem.remove(part)
    }
  }

  /// Of all numbers and the progress, so that neither is gone on from when damaged.
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

  /// Sets a state to the newest checkpoint that is whole; leaves it as it is when there is none.
  ///
  /// - Throws: `FileFault` when a checkpoint is of another training, with the first difference.
  func restore(_ state: TrainingState) throws(FileFault) {
    for path in try files() {
      do throws(FileFault) {
        let file = try SafetensorsFile(path: path)
        guard file.metadata["digest"] == digest(of: file) else {
          throw .malformed(path: path, expected: "values of the digest in it", found: "others")
        }
        try requireIdentity(of: file, path)
        return try restore(state, from: file, path)
      } catch {
        if error.isOfMachine { throw error }
        // A cut or damaged file is passed over; that of another training is for the user to remove.
        if case .malformed(_, let expected, _) = error, expected.hasPrefix(sameTraining) {
          throw error
        }
        warn("\(error); going on from the checkpoint before it, or from the start")
        // It would stand before those that are written from now on.
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

/// How the fault of another training's checkpoint begins.
private let sameTraining = "a checkpoint of this training"
