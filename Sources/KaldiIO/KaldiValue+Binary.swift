import Foundation
import LinearAlgebra
import Storage

extension KaldiValue {
  /// Appends the binary form, starting with the mark `\0B`.
  ///
  /// See `matrix/kaldi-matrix.cc`, `matrix/kaldi-vector.cc`, `util/kaldi-holder-inl.h` and
  /// `hmm/posterior.cc`.
  ///
  /// - Parameters:
  ///   - bytes: the bytes of the archive.
  ///   - compression: for matrices that satisfy `CompressedMatrix.canStore`; nil stores full
  ///     precision.
  func appendBinary(to bytes: inout Data, compression: MatrixCompression? = nil) {
    bytes.append(Data("\0B".utf8))
    switch self {
    case .matrix(let matrix):
      if let compression {
        CompressedMatrix.append(matrix, by: compression, to: &bytes)
        return
      }
      KaldiValue.appendHeader("FM", shape(matrix.rows, matrix.columns), to: &bytes)
      bytes.append(values: matrix.values)
    case .doubleMatrix(let matrix):
      if let compression, case .matrix(let single)? = converted(to: .matrix) {
        CompressedMatrix.append(single, by: compression, to: &bytes)
        return
      }
      KaldiValue.appendHeader("DM", shape(matrix.rows, matrix.columns), to: &bytes)
      bytes.append(values: matrix.values)
    case .vector(let values):
      KaldiValue.appendHeader("FV", [values.count], to: &bytes)
      bytes.append(values: values)
    case .doubleVector(let values):
      KaldiValue.appendHeader("DV", [values.count], to: &bytes)
      bytes.append(values: values)
    case .integers(let values):
      bytes.append(integer: values.count)
      for value in values { bytes.append(integer: Int(value)) }
    case .posterior(let frames):
      bytes.append(integer: frames.count)
      for frame in frames {
        bytes.append(integer: frame.count)
        for entry in frame {
          bytes.append(integer: Int(entry.index))
          bytes.append(4)
          bytes.append(value: entry.weight)
        }
      }
    }
  }

  /// In Kaldi, a matrix without values has no rows and no columns.
  private func shape(_ rows: Int, _ columns: Int) -> [Int] {
    rows * columns == 0 ? [0, 0] : [rows, columns]
  }

  private static func appendHeader(_ token: String, _ shape: [Int], to bytes: inout Data) {
    bytes.append(Data((token + " ").utf8))
    for size in shape { bytes.append(integer: size) }
  }

  /// The length of a binary float matrix's header, and the offset of its number of rows, in bytes.
  static let matrixHeader = (length: 15, rows: 6)

  /// Reads the binary form, from after the mark `\0B`.
  ///
  /// - Parameters:
  ///   - reader: at that byte.
  ///   - kind: whether a list of integers is a posterior; nil guesses from what follows. Other
  ///     kinds are marked in the bytes.
  /// - Returns: a value of whatever kind the bytes hold.
  /// - Throws: `FileFault` when the bytes do not hold a value.
  static func takeBinary(
    _ reader: inout ByteReader, as kind: Kind?
  ) throws(FileFault) -> KaldiValue {
    if try reader.peek() == 4 {
      let isPosterior = if let kind { kind == .posterior } else { try looksLikePosterior(&reader) }
      return isPosterior ? try takePosterior(&reader) : try takeIntegers(&reader)
    }
    let start = reader.offset
    let token = try reader.take(until: { $0 == 32 || $0 < 32 }, "a type and a blank", atMost: 64)
      .prefix(8)
    try reader.skip(1)
    switch String(decoding: token, as: UTF8.self) {
    case "FM":
      let (rows, columns) = try takeShape(&reader, size: 4)
      let values = try reader.take(4 * rows * columns, "\(rows)×\(columns) values")
      return .matrix(
        Matrix(rows: rows, columns: columns, values: littleEndian(values, of: Float.self)))
    case "DM":
      let (rows, columns) = try takeShape(&reader, size: 8)
      let values = try reader.take(8 * rows * columns, "\(rows)×\(columns) values")
      return .doubleMatrix(
        DoubleMatrix(rows: rows, columns: columns, values: littleEndian(values, of: Double.self)))
    case "FV":
      let count = try reader.takeCount(of: "values", size: 4)
      return .vector(littleEndian(try reader.take(4 * count, "values"), of: Float.self))
    case "DV":
      let count = try reader.takeCount(of: "values", size: 8)
      return .doubleVector(littleEndian(try reader.take(8 * count, "values"), of: Double.self))
    case let token:
      if let compression = MatrixCompression.allCases.first(where: { $0.token == token }) {
        return .matrix(try CompressedMatrix.take(compression, &reader))
      }
      throw reader.fault(
        "a type of FM, DM, FV, DV, CM, CM2 or CM3, or a list of integers",
        found: "\"\(token.filter { $0.isASCII && $0 >= " " })\"", at: start)
    }
  }

  private static func takeShape(
    _ reader: inout ByteReader, size: Int
  ) throws(FileFault) -> (rows: Int, columns: Int) {
    let start = reader.offset
    let rows = try reader.takeInteger("the number of rows")
    let columns = try reader.takeInteger("the number of columns")
    guard isShape(rows, columns), reader.hasRoom(for: rows * columns, of: size) else {
      throw reader.fault("a shape that fits the file", found: "\(rows)×\(columns)", at: start)
    }
    return (rows, columns)
  }

  /// Whether more integers follow where the next key should be.
  ///
  /// A posterior starts with its number of frames, which looks like a list of integers, and
  /// continues.
  private static func looksLikePosterior(_ reader: inout ByteReader) throws(FileFault) -> Bool {
    var count = 0
    for place in (1...4).reversed() { count = count << 8 | Int(try reader.peek(place) ?? 0) }
    return reader.hasRoom(for: count, of: 5) ? try reader.peek(5 + 5 * count) == 4 : false
  }

  private static func takeIntegers(_ reader: inout ByteReader) throws(FileFault) -> KaldiValue {
    let count = try reader.takeCount(of: "integers", size: 5)
    let start = reader.offset
    let bytes = [UInt8](try reader.take(5 * count, "\(count) integers"))
    // No key begins with this byte.
    if try reader.peek() == 4 {
      throw reader.fault("integers and the next key", found: "a posterior (--type posterior)")
    }
    var values: [Int32] = []
    values.reserveCapacity(count)
    for place in stride(from: 0, to: bytes.count, by: 5) {
      guard bytes[place] == 4 else {
        throw reader.fault(
          "an integer of 4 bytes", found: "a size byte of \(bytes[place])", at: start + place)
      }
      let bits = (1...4).reversed().reduce(UInt32(0)) { $0 << 8 | UInt32(bytes[place + $1]) }
      values.append(Int32(bitPattern: bits))
    }
    return .integers(values)
  }

  private static func takePosterior(_ reader: inout ByteReader) throws(FileFault) -> KaldiValue {
    let frames = try reader.takeCount(of: "frames", size: 5)
    var posterior: [[PosteriorEntry]] = []
    for _ in 0..<frames {
      let count = try reader.takeCount(of: "classes of a frame", size: 10)
      var frame: [PosteriorEntry] = []
      for _ in 0..<count {
        let index = Int32(truncatingIfNeeded: try reader.takeInteger("a class"))
        let weight = try reader.takeInteger("a weight")
        frame.append(
          PosteriorEntry(
            index: index, weight: Float(bitPattern: UInt32(truncatingIfNeeded: weight))))
      }
      posterior.append(frame)
    }
    return .posterior(posterior)
  }
}

/// Whether a matrix may have this shape: both counts are positive, or both are zero.
func isShape(_ rows: Int, _ columns: Int) -> Bool {
  rows > 0 && columns > 0 || rows == 0 && columns == 0
}
