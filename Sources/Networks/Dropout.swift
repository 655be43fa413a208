import LinearAlgebra

/// Sets random hidden units to zero during training, and scales up the others to compensate
/// (Srivastava et al., 2014).
package struct Dropout: Sendable {
  /// The probability that a unit is dropped, in [0, 1), rounded to a multiple of 1/65536.
  let rate: Double
  private let seed: UInt64
  private let epoch: UInt64
  private let batch: UInt64

  /// - Parameters:
  ///   - rate: the probability that a unit is dropped, in [0, 1).
  ///   - seed: the seed of the training.
  ///   - epoch: the epoch; each epoch drops different units.
  ///   - batch: the batch; each batch of an epoch drops different units.
  package init(rate: Double, seed: UInt64, epoch: Int, batch: Int) {
    precondition((0..<1).contains(rate), "Dropout: \(rate) is not in [0, 1)")
    (self.rate, self.seed) = (rate, seed)
    (self.epoch, self.batch) = (UInt64(epoch), UInt64(batch))
  }

  /// No dropout.
  package static let none = Dropout(rate: 0, seed: 0, epoch: 0, batch: 0)

  /// The factor for the units that are kept.
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
