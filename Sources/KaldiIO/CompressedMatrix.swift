import Foundation
package import LinearAlgebra
import Storage

/// Kaldi's lossy compression methods for matrices (`matrix/compressed-matrix.h`).
package enum MatrixCompression: String, Sendable, CaseIterable {
  /// `CM`, Kaldi's `kSpeechFeature`: one byte per value, relative to the quartiles of its column.
  case speech = "cm"
  /// `CM2`, Kaldi's `kTwoByteAuto`: two bytes per value, evenly spaced from minimum to maximum.
  case twoBytes = "cm2"
  /// `CM3`, Kaldi's `kOneByteAuto`: one byte per value, evenly spaced from minimum to maximum.
  case oneByte = "cm3"

  var token: String { rawValue.uppercased() }
}

/// The binary form of compressed matrices (`matrix/compressed-matrix.cc`).
///
/// After the token come the minimum, the range, the shape and the codes.
package enum CompressedMatrix {
  /// Whether a matrix can be compressed: its values and their range must be finite.
  package static func canStore(_ matrix: Matrix) -> Bool {
    matrix.isFinite && bounds(of: matrix).range.isFinite
  }

  /// The minimum and the range of the codes; the range is positive unless the matrix is empty.
  private static func bounds(of matrix: Matrix) -> (least: Float, range: Float) {
    guard let least = matrix.values.min(), let largest = matrix.values.max() else { return (0, 0) }
    // A constant matrix still needs a range.
    return (least, (largest > least ? largest : least + (1 + abs(least))) - least)
  }

  /// A compressible matrix after compression and decompression.
  package static func restored(_ matrix: Matrix, by compression: MatrixCompression) -> Matrix {
    var bytes = Data()
    append(matrix, by: compression, to: &bytes)
    let codes = [UInt8](bytes.dropFirst(compression.token.utf8.count + 1))
    guard !matrix.values.isEmpty else { return matrix }
    var reader = ByteReader(ByteStream(blocks: [codes], named: ""))
    guard let read = try? take(compression, &reader) else { return matrix }
    return read
  }

  /// The largest error that compression makes in a value of a compressible matrix.
  package static func largestError(of matrix: Matrix, by compression: MatrixCompression) -> Float {
    zip(matrix.values, restored(matrix, by: compression).values)
      .reduce(0) { max($0, abs($1.0 - $1.1)) }
  }

  /// Appends a compressible matrix to an archive's bytes, starting with the token.
  static func append(_ matrix: Matrix, by compression: MatrixCompression, to bytes: inout Data) {
    let isEmpty = matrix.values.isEmpty
    bytes.append(Data(((isEmpty ? MatrixCompression.speech : compression).token + " ").utf8))
    let (least, range) = bounds(of: matrix)
    bytes.append(value: least)
    bytes.append(value: range)
    bytes.append(value: Int32(isEmpty ? 0 : matrix.rows))
    bytes.append(value: Int32(isEmpty ? 0 : matrix.columns))
    guard !isEmpty else { return }
    let scale = Scale(least: least, range: range)
    switch compression {
    case .twoBytes: bytes.append(values: matrix.values.map { UInt16(scale.code($0, steps: 65535)) })
    case .oneByte: bytes.append(values: matrix.values.map { UInt8(scale.code($0, steps: 255)) })
    case .speech: appendColumns(of: matrix, scale, to: &bytes)
    }
  }

  private static func appendColumns(of matrix: Matrix, _ scale: Scale, to bytes: inout Data) {
    var codes = Data()
    for column in 0..<matrix.columns {
      let values = (0..<matrix.rows).map { matrix[$0, column] }
      let quartiles = Quartiles(of: values, scale)
      bytes.append(values: quartiles.codes)
      let points = quartiles.codes.map { scale.value(of: $0) }
      codes.append(contentsOf: values.map { Quartiles.code($0, between: points) })
    }
    bytes.append(codes)
  }

  /// Reads a matrix, starting after its token and blank.
  static func take(
    _ compression: MatrixCompression, _ reader: inout ByteReader
  ) throws(FileFault) -> Matrix {
    let start = reader.offset
    let header = try reader.take(16, "the header of a compressed matrix")
    let bounds = littleEndian(header.prefix(8), of: Float.self)
    let shape = littleEndian(header.dropFirst(8), of: Int32.self).map(Int.init)
    let (rows, columns) = (shape[0], shape[1])
    guard isShape(rows, columns), reader.hasRoom(for: rows * columns, of: 1),
      bounds.allSatisfy(\.isFinite)
    else {
      throw reader.fault(
        "a compressed matrix that fits the file", found: "\(rows)×\(columns)", at: start)
    }
    let scale = Scale(least: bounds[0], range: bounds[1])
    let (what, count) = ("\(rows)×\(columns) codes", rows * columns)
    switch compression {
    case .twoBytes:
      let codes = littleEndian(try reader.take(2 * count, what), of: UInt16.self)
      return Matrix(rows: rows, columns: columns, values: codes.map { scale.value(of: $0) })
    case .oneByte:
      let step = scale.range * (1 / 255)
      return Matrix(
        rows: rows, columns: columns,
        values: try reader.take(count, what).map { scale.least + step * Float($0) })
    case .speech:
      let headers = littleEndian(
        try reader.take(8 * columns, "\(columns) column headers"), of: UInt16.self)
      let codes = [UInt8](try reader.take(count, what))
      var matrix = Matrix(rows: rows, columns: columns)
      for column in 0..<columns {
        let points = headers[4 * column..<4 * column + 4].map { scale.value(of: $0) }
        for row in 0..<rows {
          matrix[row, column] = Quartiles.value(of: codes[column * rows + row], between: points)
        }
      }
      return matrix
    }
  }
}

/// Codes that are evenly spaced over a range.
struct Scale: Sendable, Equatable {
  let least: Float
  let range: Float

  /// The nearest of the codes 0...`steps`.
  func code(_ value: Float, steps: Float) -> Int {
    Int(Double(min(1, max(0, (value - least) / range)) * steps) + 0.499)
  }

  /// The value of a two-byte code.
  func value(of code: UInt16) -> Float {
    least + range * 1.525_902_189_669_64e-5 * Float(code)
  }
}

/// The quartiles of a column, relative to which its values are coded.
private struct Quartiles {
  /// The codes of minimum, first quartile, third quartile and maximum, in ascending order.
  let codes: [UInt16]

  init(of values: [Float], _ scale: Scale) {
    let sorted = values.sorted()
    // With fewer than five values, each is its own quartile.
    let places =
      sorted.count >= 5
      ? [0, sorted.count / 4, 3 * (sorted.count / 4), sorted.count - 1] : [0, 1, 2, 3]
    var codes: [Int] = []
    for (index, place) in places.enumerated() {
      let least = (codes.last ?? -1) + 1
      let own = place < sorted.count ? scale.code(sorted[place], steps: 65535) : least
      codes.append(min(max(own, least), 65532 + index))
    }
    self.codes = codes.map { UInt16($0) }
  }

  static func code(_ value: Float, between points: [Float]) -> UInt8 {
    func place(_ from: Float, _ to: Float, _ steps: Double) -> Int {
      // Adjacent codes may have equal values.
      guard to > from else { return 0 }
      let share = Double((value - from) / (to - from) * Float(steps)) + 0.5
      return Int(min(max(share, 0), steps))
    }
    let code =
      if value < points[1] {
        place(points[0], points[1], 64)
      } else if value < points[2] {
        64 + place(points[1], points[2], 128)
      } else {
        192 + place(points[2], points[3], 63)
      }
    return UInt8(code)
  }

  static func value(of code: UInt8, between points: [Float]) -> Float {
    switch code {
    case 0...64: points[0] + (points[1] - points[0]) * Float(code) * (1 / 64)
    case 65...192: points[1] + (points[2] - points[1]) * Float(code - 64) * (1 / 128)
    default: points[2] + (points[3] - points[2]) * Float(code - 192) * (1 / 63)
    }
  }
}
