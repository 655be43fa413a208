import Corpus
import Features
import Foundation
package import KaldiIO
import LinearAlgebra
import Networks
import Storage
import Training

/// What is in a file or a folder, in words.
package struct Description: Sendable {
  /// Lines for people.
  package let text: String

  /// Reads a file or a folder, by what is in it and not by its name.
  ///
  /// - Parameters:
  ///   - place: a path, or Kaldi's `ark:PATH` or `scp:PATH`.
  ///   - kind: what to take an archive's values for that do not say what they are; nil guesses.
  /// - Throws: `FileFault` or `ModelFault` for what is not whole, or is nothing of this program's or Kaldi's, with
  ///   what was seen.
  package init(of place: String, as kind: KaldiValue.Kind? = nil) throws {
    let input = try ArchiveInput(place)
    guard let path = input.path, try FileSystem.isFolder(path) else {
      text = try Description.file(input, named: place, as: kind)
      return
    }
    text = try Description.folder(path)
  }

  /// What is in a file.
  private static func file(
    _ input: ArchiveInput, named place: String, as kind: KaldiValue.Kind?
  ) throws -> String {
    guard let path = input.path else {
      throw FileFault.malformed(path: place, expected: "a file or a folder", found: "a command")
    }
    if place.hasPrefix("ark"), path != place { return try archive(path, as: kind) }
    if case .script = input { return try script(path, as: kind) }
    let bytes = try TextFile.bytes(of: path)
    if isSafetensors(bytes) {
      return model(try AcousticModel(path: path))
    }
    if bytes.first == UInt8(ascii: "{") { return try json(path, bytes) }
    do throws(FileFault) {
      return try archive(path, as: kind)
    } catch {
      if error.isOfMachine || kind != nil || looksLikeArchive(bytes) { throw error }
      throw FileFault.malformed(
        path: path, expected: "a model, a Kaldi archive or scp, or a file that limbeck writes",
        found: seen(bytes))
    }
  }

  /// Whether bytes begin as a safetensors file: the length of a header, and its brace.
  private static func isSafetensors(_ bytes: Data) -> Bool {
    bytes.count > 9 && bytes.dropFirst(8).first == UInt8(ascii: "{")
      && bytes.dropFirst(6).prefix(2).allSatisfy { $0 == 0 }
  }

  /// Whether bytes begin with a key and Kaldi's mark of binary values.
  private static func looksLikeArchive(_ bytes: Data) -> Bool {
    let key = bytes.prefix { $0 > 0x20 }
    return bytes.dropFirst(key.count + 1).starts(with: [0, UInt8(ascii: "B")])
  }

  /// The first bytes of a file, for a message.
  private static func seen(_ bytes: Data) -> String {
    guard !bytes.isEmpty else { return "an empty file" }
    let head = bytes.prefix(24)
    guard head.allSatisfy({ (0x20..<0x7F).contains($0) || (9...13).contains($0) }) else {
      return "a file of \(bytes.count) bytes that begins with "
        + head.prefix(8).map { String(format: "%02x", $0) }.joined(separator: " ")
    }
    return
      "text that begins with \"\(String(decoding: head, as: UTF8.self).split(separator: "\n").first ?? "")\""
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

  /// What is in an archive; where its values do not say what they are and are no integers, they may be
  /// posteriors.
  private static func archive(
    _ path: String, as kind: KaldiValue.Kind?
  ) throws(FileFault) -> String {
    do throws(FileFault) { return try tally(.archive(path), as: kind) } catch {
      guard kind == nil, !error.isOfMachine,
        let text = try? tally(.archive(path), as: .posterior)
      else { throw error }
      return text
    }
  }

  /// What is in the values that a list names.
  private static func script(_ path: String, as kind: KaldiValue.Kind?) throws(FileFault) -> String
  {
    "list         \(path)\n" + (try tally(.script(path), as: kind))
  }

  private static func tally(
    _ input: ArchiveInput, as kind: KaldiValue.Kind?
  ) throws(FileFault) -> String {
    var tallies: [KaldiValue.Kind: ArchiveTally] = [:]
    try input.forEach(as: kind, commands: .refused) { _, value in
      tallies[value.kind, default: .init()].add(value)
    }
    guard !tallies.isEmpty else { return "archive      empty\n" }
    return KaldiValue.Kind.allCases.compactMap { kind in
      tallies[kind].map { "archive      \(kind.rawValue)\n\($0.text)" }
    }.joined()
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
