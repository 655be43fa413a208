import Foundation
import LinearAlgebra
import Storage

extension KaldiValue {
  /// The text form of the value, as it follows the key, with its final newline.
  ///
  /// Numbers have the shortest form that reads back to the same bits.
  package var text: String {
    switch self {
    case .matrix(let matrix):
      KaldiValue.text(rows: matrix.rows, columns: matrix.columns, matrix.values)
    case .doubleMatrix(let matrix):
      KaldiValue.text(rows: matrix.rows, columns: matrix.columns, matrix.values)
    case .vector(let values): " [ \(values.map { "\($0) " }.joined())]\n"
    case .doubleVector(let values): " [ \(values.map { "\($0) " }.joined())]\n"
    case .integers(let values): values.map { "\($0) " }.joined() + "\n"
    case .posterior(let frames):
      frames.map { frame in
        "[ \(frame.map { "\($0.index) \($0.weight) " }.joined())] "
      }.joined() + "\n"
    }
  }

  private static func text(
    rows: Int, columns: Int, _ values: [some CustomStringConvertible]
  ) -> String {
    guard rows > 0 else { return " [ ]\n" }
    let lines = (0..<rows).map { row in
      "\n  " + values[row * columns..<(row + 1) * columns].map { "\($0) " }.joined()
    }
    return " [\(lines.joined())]\n"
  }

  /// Reads the text form, from after the key's blank to the end of its last line.
  ///
  /// - Parameters:
  ///   - reader: at that byte.
  ///   - kind: the kind of the value. Nil guesses: numbers without brackets are integers, several
  ///     brackets on a line a posterior, a newline after the bracket a matrix, anything else a
  ///     vector.
  /// - Returns: a value of that kind.
  /// - Throws: `FileFault` for anything else.
  static func takeText(_ reader: inout ByteReader, as kind: Kind?) throws(FileFault) -> KaldiValue {
    try reader.skip(while: isBlank)
    if kind == .posterior { return try takePosteriorText(&reader) }
    guard try reader.peek() == UInt8(ascii: "[") else { return .integers(try takeLine(&reader)) }
    let kind = if let kind { kind } else { try guess(&reader) }
    if kind == .posterior { return try takePosteriorText(&reader) }
    try reader.skip(1)
    let start = reader.offset
    let body = try reader.take(until: { $0 == UInt8(ascii: "]") }, "numbers and a bracket ]")
    try reader.skip(1)
    try reader.skip(while: isBlank)
    guard let end = try reader.peek(), end == newline else {
      throw reader.fault("the end of the line after ]", found: "more, or the end of the file")
    }
    try reader.skip(1)
    let lines = body.split(separator: newline).map { $0.split(whereSeparator: isBlank) }
      .filter { !$0.isEmpty }
    switch kind {
    case .matrix:
      let (columns, values): (Int, [Float]) = try rows(lines, reader, start)
      return .matrix(Matrix(rows: lines.count, columns: columns, values: values))
    case .doubleMatrix:
      let (columns, values): (Int, [Double]) = try rows(lines, reader, start)
      return .doubleMatrix(DoubleMatrix(rows: lines.count, columns: columns, values: values))
    case .vector: return .vector(try numbers(lines.joined(), reader, start))
    case .doubleVector: return .doubleVector(try numbers(lines.joined(), reader, start))
    // Integers in brackets, as kaldiio writes them.
    default: return .integers(try numbers(lines.joined(), reader, start))
    }
  }

  /// Guesses what follows an opening bracket from how its line ends, and consumes nothing.
  private static func guess(_ reader: inout ByteReader) throws(FileFault) -> Kind {
    var place = 1
    func skip(while isSkipped: (UInt8) -> Bool, _ reader: inout ByteReader) throws(FileFault) {
      while let byte = try reader.peek(place), isSkipped(byte) { place += 1 }
    }
    try skip(while: isBlank, &reader)
    if try reader.peek(place) == newline { return .matrix }
    try skip(while: { $0 != UInt8(ascii: "]") && $0 != newline }, &reader)
    if try reader.peek(place) == newline { return .matrix }
    place += 1
    try skip(while: isBlank, &reader)
    return try reader.peek(place) == UInt8(ascii: "[") ? .posterior : .vector
  }

  /// Reads integers to the end of the line.
  private static func takeLine(_ reader: inout ByteReader) throws(FileFault) -> [Int32] {
    let start = reader.offset
    let line = try reader.take(
      until: { $0 == newline }, "a text entry that ends with a newline")
    try reader.skip(1)
    return try numbers(line.split(whereSeparator: isBlank), reader, start)
  }

  private static func takePosteriorText(_ reader: inout ByteReader) throws(FileFault) -> KaldiValue
  {
    var posterior: [[PosteriorEntry]] = []
    let start = reader.offset
    let line = try reader.take(until: { $0 == newline }, "a posterior that ends with a newline")
    try reader.skip(1)
    for frame in line.split(separator: UInt8(ascii: "]")) {
      let fields = frame.split(whereSeparator: isBlank)
      if fields.isEmpty { continue }
      guard fields[0].elementsEqual("[".utf8), fields.count % 2 == 1 else {
        throw reader.fault(
          "frames as [ class weight … ]",
          found: "\"\(String(decoding: frame.prefix(80), as: UTF8.self))\"",
          at: start)
      }
      let places = stride(from: 1, to: fields.count, by: 2)
      let indices: [Int32] = try numbers(places.map { fields[$0] }, reader, start)
      let weights: [Float] = try numbers(places.map { fields[$0 + 1] }, reader, start)
      posterior.append(zip(indices, weights).map { PosteriorEntry(index: $0, weight: $1) })
    }
    return .posterior(posterior)
  }

  private static func rows<Value: LosslessStringConvertible>(
    _ lines: [[ArraySlice<UInt8>]], _ reader: borrowing ByteReader, _ start: Int
  ) throws(FileFault) -> (columns: Int, values: [Value]) {
    let columns = lines.first?.count ?? 0
    if let other = lines.first(where: { $0.count != columns }) {
      throw reader.fault("rows of \(columns) numbers", found: "one of \(other.count)", at: start)
    }
    return (columns, try numbers(lines.joined(), reader, start))
  }

  private static func numbers<Value: LosslessStringConvertible>(
    _ fields: some Sequence<ArraySlice<UInt8>>, _ reader: borrowing ByteReader, _ start: Int
  ) throws(FileFault) -> [Value] {
    var values: [Value] = []
    for field in fields {
      let text = String(decoding: field, as: UTF8.self)
      guard let value = Value(text) else {
        throw reader.fault("numbers", found: "\"\(text.prefix(80))\"", at: start)
      }
      values.append(value)
    }
    return values
  }
}

private let newline = UInt8(ascii: "\n")

/// Whether a byte is a blank within a line: a space, a tab or a carriage return.
func isBlank(_ byte: UInt8) -> Bool {
  byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") || byte == UInt8(ascii: "\r")
}
