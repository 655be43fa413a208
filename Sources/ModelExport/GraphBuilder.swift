import Foundation
import LinearAlgebra
import ONNXRecords

/// Builds an ONNX graph, one operation at a time.
///
/// Operations are named after their operator and their place, and each gives one tensor of the same
/// name. Nothing but the order of the calls decides on the graph, so equal calls give equal bytes.
struct GraphBuilder {
  /// A tensor of the graph, by its name.
  struct Tensor {
    let name: String
  }

  /// An attribute of an operation.
  enum Attribute {
    case integer(String, Int)
    case integers(String, [Int])
  }

  /// The set of ONNX operators that the graph uses, and the oldest file format that has them.
  static let operatorSet: Int64 = 13
  static let formatVersion: Int64 = 7

  /// The graph so far.
  private(set) var graph = Limbeck_Onnx_GraphProto()
  /// The names of the constants so far.
  private var constants: Set<String> = []

  /// An empty graph.
  init(name: String) { graph.name = name }

  // MARK: - Inputs and outputs

  /// One dimension of an input or output.
  enum Dimension {
    case fixed(Int)
    /// A size that differs from call to call.
    case free(String)
  }

  /// Adds an input of 32-bit floats.
  mutating func input(_ name: String, _ shape: [Dimension], doc: String) -> Tensor {
    graph.input.append(GraphBuilder.description(name, shape, doc))
    return Tensor(name: name)
  }

  /// Declares the tensor of an operation an output of 32-bit floats.
  mutating func output(_ tensor: Tensor, _ shape: [Dimension], doc: String) {
    graph.output.append(GraphBuilder.description(tensor.name, shape, doc))
  }

  private static func description(
    _ name: String, _ shape: [Dimension], _ doc: String
  ) -> Limbeck_Onnx_ValueInfoProto {
    var description = Limbeck_Onnx_ValueInfoProto()
    (description.name, description.docString) = (name, doc)
    description.type.tensorType.elemType = Float.code
    description.type.tensorType.shape.dim = shape.map { size in
      var dimension = Limbeck_Onnx_TensorShapeProto.Dimension()
      switch size {
      case .fixed(let count): dimension.dimValue = Int64(count)
      case .free(let name): dimension.dimParam = name
      }
      return dimension
    }
    return description
  }

  // MARK: - Operations

  /// Adds an operation.
  ///
  /// - Parameters:
  ///   - operation: the name of an operator with one output, such as `MatMul`.
  ///   - inputs: its inputs.
  ///   - attributes: its attributes, where they are not ONNX's defaults.
  ///   - name: the name of its output; nil to make one up.
  /// - Returns: its output.
  mutating func apply(
    _ operation: String, _ inputs: [Tensor], _ attributes: [Attribute] = [],
    named name: String? = nil
  ) -> Tensor {
    var node = Limbeck_Onnx_NodeProto()
    let output = Tensor(name: name ?? "\(operation)_\(graph.node.count)")
    (node.name, node.opType) = (output.name, operation)
    (node.input, node.output) = (inputs.map(\.name), [output.name])
    node.attribute = attributes.map { given in
      var attribute = Limbeck_Onnx_AttributeProto()
      switch given {
      case .integer(let name, let value):
        (attribute.name, attribute.type, attribute.i) = (name, .int, Int64(value))
      case .integers(let name, let values):
        (attribute.name, attribute.type) = (name, .ints)
        attribute.ints = values.map(Int64.init)
      }
      return attribute
    }
    graph.node.append(node)
    return output
  }

  /// Adds an operation of two tensors, which are broadcast against each other where they differ.
  mutating func apply(_ operation: String, _ left: Tensor, _ right: Tensor) -> Tensor {
    apply(operation, [left, right])
  }

  /// The size of a tensor's axis, a scalar.
  mutating func size(of tensor: Tensor, axis: Int) -> Tensor {
    let shape = apply("Shape", [tensor])
    return apply("Gather", [shape, integer(axis)], [.integer("axis", 0)])
  }

  /// The integers from `first` to before `end`, both scalars.
  mutating func range(_ first: Tensor, _ end: Tensor) -> Tensor {
    let step = integer(1)
    return apply("Range", [first, end, step])
  }

  // MARK: - Constants

  /// Adds a constant; the last dimension varies fastest.
  ///
  /// A name stands for one value: only the first constant of a name is kept.
  mutating func constant<Element: GraphElement>(
    _ name: String, _ values: [Element], shape: [Int]
  ) -> Tensor {
    precondition(
      values.count == shape.reduce(1, *), "constant \(name): \(values.count) values in \(shape)")
    if constants.insert(name).inserted {
      var tensor = Limbeck_Onnx_TensorProto()
      (tensor.name, tensor.dataType) = (name, Element.code)
      tensor.dims = shape.map(Int64.init)
      tensor.rawData = unsafe values.withUnsafeBytes { unsafe Data($0) }
      graph.initializer.append(tensor)
    }
    return Tensor(name: name)
  }

  /// Adds a constant of one dimension.
  mutating func constant<Element: GraphElement>(_ name: String, _ values: [Element]) -> Tensor {
    constant(name, values, shape: [values.count])
  }

  /// Adds a constant of two dimensions.
  mutating func constant(_ name: String, _ matrix: Matrix) -> Tensor {
    constant(name, matrix.values, shape: [matrix.rows, matrix.columns])
  }

  /// A scalar.
  mutating func scalar<Element: GraphElement>(_ value: Element) -> Tensor {
    constant("\(Element.self).\(value)", [value], shape: [])
  }

  /// A scalar integer.
  mutating func integer(_ value: Int) -> Tensor { scalar(Int64(value)) }

  /// A list of integers.
  mutating func integers(_ values: [Int]) -> Tensor {
    constant(
      "integers." + values.map(String.init).joined(separator: "_"), values.map(Int64.init))
  }
}

/// A number that a tensor of the graph can hold.
protocol GraphElement {
  /// ONNX's code of the type.
  static var type: Limbeck_Onnx_TensorProto.DataType { get }
}

extension GraphElement {
  /// ONNX's code of the type, as tensors have it.
  static var code: Int32 { Int32(type.rawValue) }
}

extension Float: GraphElement {
  static var type: Limbeck_Onnx_TensorProto.DataType { .float }
}

extension Double: GraphElement {
  static var type: Limbeck_Onnx_TensorProto.DataType { .double }
}

extension Int64: GraphElement {
  static var type: Limbeck_Onnx_TensorProto.DataType { .int64 }
}
