import Foundation
package import LinearAlgebra
package import Storage
package import SystemPackage

/// A file of named tensors with text metadata, in the safetensors format.
///
/// The format is the length of the header in 8 little-endian bytes, the header in JSON, and the
/// values in little-endian order.
package struct SafetensorsFile: Sendable, Equatable {
  /// The values of a tensor, in one of the format's types.
  package enum Elements: Sendable, Equatable {
    /// `F32`.
    case float32([Float])
    /// `BF16`: the upper 16 bits of 32-bit floats.
    case bfloat16([UInt16])
    /// `I8`.
    case int8([Int8])

    /// The number of values.
    package var count: Int {
      switch self {
      case .float32(let values): values.count
      case .bfloat16(let values): values.count
      case .int8(let values): values.count
      }
    }

    /// The name of the type in a header.
    package var type: String {
      switch self {
      case .float32: "F32"
      case .bfloat16: "BF16"
      case .int8: "I8"
      }
    }

    /// The size of a value of a type in bytes; nil for types that are not read.
    fileprivate static func size(of type: String) -> Int? { ["F32": 4, "BF16": 2, "I8": 1][type] }

    fileprivate var data: Data {
      switch self {
      case .float32(let values): unsafe values.withUnsafeBytes { unsafe Data($0) }
      case .bfloat16(let values): unsafe values.withUnsafeBytes { unsafe Data($0) }
      case .int8(let values): unsafe values.withUnsafeBytes { unsafe Data($0) }
      }
    }

    /// Values of a type that has a `size`.
    fileprivate init(_ type: String, _ bytes: Data) {
      func values<Value>(_ zero: Value) -> [Value] {
        var values = Array(repeating: zero, count: bytes.count / MemoryLayout<Value>.size)
        unsafe values.withUnsafeMutableBytes { unsafe _ = bytes.copyBytes(to: $0) }
        return values
      }
      switch type {
      case "BF16": self = .bfloat16(values(0))
      case "I8": self = .int8(values(0))
      default: self = .float32(values(0))
      }
    }
  }

  /// A tensor of any number of dimensions.
  package struct Tensor: Sendable, Equatable {
    /// The size of each dimension; empty for a scalar.
    package let shape: [Int]
    /// The values in row-major order: the last dimension varies fastest.
    package let elements: Elements

    /// The values as 32-bit floats, which hold every value of the other types.
    package var values: [Float] {
      switch elements {
      case .float32(let values): values
      case .bfloat16(let values): values.map { Float(bitPattern: UInt32($0) << 16) }
      case .int8(let values): values.map(Float.init)
      }
    }

    /// A tensor of given shape, whose product is the number of values.
    package init(shape: [Int], elements: Elements) {
      precondition(
        shape.reduce(1.0) { $0 * Double($1) } == Double(elements.count),
        "Tensor: \(elements.count) values in \(shape)")
      (self.shape, self.elements) = (shape, elements)
    }

    /// A tensor of 32-bit floats.
    package init(shape: [Int], values: [Float]) {
      self.init(shape: shape, elements: .float32(values))
    }

    /// A tensor of two dimensions.
    package init(_ matrix: Matrix) {
      self.init(shape: [matrix.rows, matrix.columns], values: matrix.values)
    }

    /// A tensor of one dimension.
    package init(_ vector: [Float]) {
      self.init(shape: [vector.count], values: vector)
    }
  }

  /// The strings of the header's `__metadata__`.
  package var metadata: [String: String]
  /// The tensors by name.
  package var tensors: [String: Tensor]

  /// The content of a file to be written.
  package init(metadata: [String: String] = [:], tensors: [String: Tensor] = [:]) {
    (self.metadata, self.tensors) = (metadata, tensors)
  }

  /// Writes the file, which is renamed into place when complete.
  ///
  /// Equal content gives equal bytes.
  package func write(to path: FilePath) throws(FileFault) {
    var header = Header(metadata: metadata, entries: [:])
    var offset = 0
    let names = tensors.keys.sorted()
    for name in names {
      guard let tensor = tensors[name] else { continue }
      let type = tensor.elements.type
      let end = offset + tensor.elements.count * (Elements.size(of: type) ?? 0)
      header.entries[name] = Header.Entry(
        dtype: type, shape: tensor.shape, dataOffsets: [offset, end])
      offset = end
    }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    guard var json = try? encoder.encode(header) else {
      preconditionFailure("SafetensorsFile: a header of strings and numbers does not encode")
    }
    json.append(contentsOf: repeatElement(UInt8(ascii: " "), count: (8 - json.count % 8) % 8))
    var file = try AtomicFile(path: path)
    try file.write(littleEndianBytes(UInt64(json.count)) + json)
    for name in names {
      guard let tensor = tensors[name] else { continue }
      try file.write(tensor.elements.data)
    }
    try file.commit()
  }

  /// Reads a file.
  ///
  /// - Throws: `FileFault` when the file is missing or cut short, has tensors of a type other than
  ///   `F32`, `BF16` and `I8`, or does not fit in memory.
  package init(path: FilePath) throws(FileFault) {
    let facts = try FileSystem.facts(of: path)
    // A device may have no end.
    if let facts, facts.kind != .file {
      throw .malformed(
        path: path, expected: "a safetensors file",
        found: facts.kind == .folder ? "a folder" : "a device or a pipe")
    }
    // The bytes of the file, and its values.
    var need = MemoryNeed()
    need.add("values", facts?.size ?? 0, 2, size: 1)
    do throws(MemoryFault) {
      try MemoryBudget.current().require(need, for: path.text, remedy: "raise the limit")
    } catch {
      throw .tooLarge(error)
    }
    let bytes = try TextFile.bytes(of: path)
    func malformed(_ expected: String, _ found: String) -> FileFault {
      .malformed(path: path, expected: expected, found: found)
    }
    guard bytes.count >= 8 else {
      throw malformed("a safetensors file", "\(bytes.count) bytes")
    }
    let length = bytes.prefix(8).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    guard length <= UInt64(bytes.count - 8) else {
      throw malformed(
        "a safetensors file", "\(bytes.count) bytes of another format, or cut short")
    }
    let start = 8 + Int(length)
    let header: Header
    do {
      header = try JSONDecoder().decode(Header.self, from: bytes[8..<start])
    } catch {
      throw malformed("a safetensors header", "other JSON or none")
    }
    metadata = header.metadata
    tensors = [:]
    // A file holds each value once, so its values fit in the memory that was asked for.
    var used = 0
    for (name, entry) in header.entries.sorted(by: {
      $0.value.dataOffsets.lexicographicallyPrecedes($1.value.dataOffsets)
    }) {
      // In floating point, so that a nonsensical shape cannot overflow.
      let valueSize = Elements.size(of: entry.dtype) ?? 0
      let size = entry.shape.reduce(Double(valueSize)) { $0 * Double($1) }
      guard valueSize > 0, entry.dataOffsets.count == 2,
        entry.dataOffsets.allSatisfy({ (0...Int(UInt32.max) << 8).contains($0) }),
        entry.shape.allSatisfy({ $0 >= 0 }),
        Double(entry.dataOffsets[1] - entry.dataOffsets[0]) == size
      else {
        throw malformed(
          "tensor \(name) of F32, BF16 or I8", "\(entry.dtype) \(entry.shape) \(entry.dataOffsets)")
      }
      guard entry.dataOffsets[1] <= bytes.count - start else {
        throw malformed(
          "\(entry.dataOffsets[1]) bytes of values for tensor \(name)", "\(bytes.count - start)")
      }
      guard entry.dataOffsets[0] >= used else {
        throw malformed(
          "tensor \(name) behind byte \(used) of the values, where another ends",
          "\(entry.dataOffsets)")
      }
      used = entry.dataOffsets[1]
      let range = start + entry.dataOffsets[0]..<start + entry.dataOffsets[1]
      tensors[name] = Tensor(
        shape: entry.shape, elements: Elements(entry.dtype, bytes[range]))
    }
  }
}

/// The JSON header: an entry for each tensor, and `__metadata__`.
private struct Header: Codable {
  struct Entry: Codable {
    let dtype: String
    let shape: [Int]
    let dataOffsets: [Int]

    enum CodingKeys: String, CodingKey {
      case dtype, shape
      case dataOffsets = "data_offsets"
    }
  }

  struct Name: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }
    init(_ name: String) { stringValue = name }
    init?(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
    static let metadata = Name("__metadata__")
  }

  var metadata: [String: String]
  var entries: [String: Entry]

  init(metadata: [String: String], entries: [String: Entry]) {
    (self.metadata, self.entries) = (metadata, entries)
  }

  init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: Name.self)
    metadata = try container.decodeIfPresent([String: String].self, forKey: .metadata) ?? [:]
    entries = [:]
    for key in container.allKeys where key.stringValue != Name.metadata.stringValue {
      entries[key.stringValue] = try container.decode(Entry.self, forKey: key)
    }
  }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Name.self)
    if !metadata.isEmpty { try container.encode(metadata, forKey: .metadata) }
    for (name, entry) in entries { try container.encode(entry, forKey: Name(name)) }
  }
}

private func littleEndianBytes(_ value: UInt64) -> Data {
  Data((0..<8).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) })
}
