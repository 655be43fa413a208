import LinearAlgebra
import Networks

/// The average of a network's parameters, beside the network in training.
///
/// Statistics of batch normalisation are not averaged: `TrainingRun.measured` computes those of the
/// averaged network.
struct WeightAverage {
  private let options: AveragingOptions
  /// The averages, of the shapes and in the order of the network's parameters.
  let tensors: [(name: String, values: SharedMatrix)]

  /// The average of a network that has not been trained yet.
  init(_ options: AveragingOptions, of network: TrainableNetwork) {
    self.options = options
    tensors = network.parameters.map { ($0.name, SharedMatrix($0.values.matrix)) }
  }

  /// Takes a step, counted from 0, into an average over steps.
  func add(_ network: TrainableNetwork, step: Int, workers: Workers) {
    guard case .exponential(let decay) = options else { return }
    let kept = min(decay, Double(1 + step) / Double(10 + step))
    move(towards: network, share: Float(1 - kept), workers: workers)
  }

  /// The averaged network at the end of an epoch, with the statistics of the network in training.
  ///
  /// - Parameters:
  ///   - network: the network in training.
  ///   - epoch: the epoch that ends, counted from 1.
  ///   - epochs: the number of epochs of the training.
  /// - Returns: the network; the average itself is unchanged.
  func network(with network: TrainableNetwork, epoch: Int, of epochs: Int) -> AcousticNetwork {
    let own = network.network
    let values: [(name: String, values: [Float])]
    switch options {
    case .exponential: values = tensors.map { ($0.name, $0.values.values) }
    case .epochs(let last):
      let share = 1 / Float(max(1, epoch - max(0, epochs - last)))
      let ends = WeightAverage(options, copying: tensors)
      ends.move(towards: network, share: share, workers: .one)
      values = ends.tensors.map { ($0.name, $0.values.values) }
    }
    let averages = Dictionary(uniqueKeysWithValues: values.map { ($0.name, $0.values) })
    let all = own.tensors.map { ($0.name, averages[$0.name] ?? $0.values) }
    return own.with(Dictionary(uniqueKeysWithValues: all))
  }

  /// Takes the end of an epoch into an average over epochs.
  ///
  /// - Parameter network: the averaged network of that epoch.
  func close(with network: AcousticNetwork) {
    guard case .epochs = options else { return }
    let values = Dictionary(uniqueKeysWithValues: network.tensors.map { ($0.name, $0.values) })
    for (name, average) in tensors { average.set(values[name] ?? average.values) }
  }

  private init(
    _ options: AveragingOptions, copying tensors: [(name: String, values: SharedMatrix)]
  ) {
    self.options = options
    self.tensors = tensors.map { ($0.name, SharedMatrix($0.values.matrix)) }
  }

  /// `w̄ ← (1 − share) · w̄ + share · w`, value by value.
  private func move(towards network: TrainableNetwork, share: Float, workers: Workers) {
    let pairs = zip(tensors, network.parameters).map { ($0.values, $1.values) }
    let parts = tensors.indices.flatMap { place in
      stride(from: 0, to: tensors[place].values.rows, by: rowsAPart).map {
        (place, $0..<min(tensors[place].values.rows, $0 + rowsAPart))
      }
    }
    workers.forEach(parts.count) { part in
      let (place, rows) = parts[part]
      let (average, values) = pairs[place]
      for row in rows {
        average.withRow(row) {
          RowKernels.combine(&$0, values.row(row), factor: 1 - share, otherFactor: share)
        }
      }
    }
  }
}

/// The number of rows of a tensor that one task moves.
private let rowsAPart = 64
