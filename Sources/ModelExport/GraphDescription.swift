import Foundation
import ONNXRecords
package import Storage
import SwiftProtobuf
package import SystemPackage

/// What the file of an exported graph says of itself.
package struct GraphDescription: Sendable {
  /// Lines of text for people.
  package let text: String

  /// Whether bytes begin like a graph that `ModelGraph` wrote: the version of the format, and the
  /// producer.
  package static func isGraph(_ head: ArraySlice<UInt8>) -> Bool {
    head.starts(with: [0x08, UInt8(GraphBuilder.formatVersion), 0x12, 7] + Array("limbeck".utf8))
  }

  /// Reads a graph that `ModelGraph` wrote.
  ///
  /// - Throws: `FileFault` when the file is unreadable, cut short, or another graph.
  package init(path: FilePath) throws(FileFault) {
    let bytes = try TextFile.bytes(of: path)
    guard let file = try? Limbeck_Onnx_ModelProto(serializedBytes: bytes), file.hasGraph,
      let classes = GraphDescription.classes(of: file)
    else {
      throw .malformed(
        path: path, expected: "an ONNX graph that limbeck export wrote",
        found: "\(bytes.count) bytes of another file, or of a part of one")
    }
    let metadata = Dictionary(
      file.metadataProps.map { ($0.key, $0.value) }, uniquingKeysWith: { first, _ in first })
    let rate = metadata["sampleRate"].map { " at \($0) Hz, full scale [-1, 1)" } ?? ""
    let constants = file.graph.initializer.reduce(0) { $0 + $1.rawData.count }
    text = """
      graph        \(file.docString), limbeck \(file.producerVersion)
      input        \(file.graph.input.map(GraphDescription.shape).joined(separator: ", "))\(rate)
      output       \(file.graph.output.map(GraphDescription.shape).joined(separator: ", "))
      operations   \(file.graph.node.count), \(constants) bytes of constants
      classes      \(classes.count): \(classes.prefix(6).joined(separator: " ")) …

      """
  }

  /// The classes in the metadata; nil if there are none.
  private static func classes(of file: Limbeck_Onnx_ModelProto) -> [String]? {
    file.metadataProps.first { $0.key == "classes" }
      .flatMap { try? JSONDecoder().decode([String].self, from: Data($0.value.utf8)) }
  }

  /// The name and shape of an input or output, such as `samples [batch × samples]`.
  private static func shape(_ value: Limbeck_Onnx_ValueInfoProto) -> String {
    let sizes = value.type.tensorType.shape.dim.map { size in
      size.dimParam.isEmpty ? "\(size.dimValue)" : size.dimParam
    }
    return "\(value.name) [\(sizes.joined(separator: " × "))]"
  }
}
