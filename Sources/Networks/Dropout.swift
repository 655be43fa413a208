import LinearAlgebra

/// Sets hidden units to zero at random while training and scales the others up to make up for it
/// (Srivastava et al., 2014).
package struct Dropout: Sendable {
  /// The probability that a unit is dropped, in [0, 1), to the nearest 1/65536.
  let rate: Double
  private let seed: UInt64
  private let epoch: UInt64
  private let batch: UInt64

  package init(rate: Double, seed: UInt64, epoch: Int, batch: Int) {
    precondition((0..<1).contains(rate), "Dropout: \(rate) is not in [0, 1)")
    (self.rate, self.seed) = (rate, seed)
    (self.epoch, self.batch) = (UInt64(epoch), UInt64(batch))
  }

  /// No unit is dropped.
  package static let none = Dropout(rate: 0, seed: 0, epoch: 0, batch: 0)

  /// What the kept units are multiplied by.
  var scale: Float { Float(1 / (1 - rate)) }

  /// Drops and scales the values of some columns of a layer.
  func apply(to tile: Tile, layer: Int, firstColumn: Int) {
    guard rate > 0 else { return }
    tile.dropAtRandom(
      threshold: UInt32((rate * 65536).rounded()), scale: scale,
      key: [seed, RandomStream.dropout.rawValue, epoch, batch, UInt64(layer)],
      firstColumn: firstColumn)
  }
}
