import LinearAlgebra
import Networks
import Storage

extension TrainingRun {
  /// The network that is scored at the end of the current epoch: the averaged one if weights are
  /// averaged, otherwise the one in training.
  ///
  /// - Throws: `FileFault` when frames cannot be read, or a signal requested termination.
  func networkToScore() throws(FileFault) -> AcousticNetwork {
    guard let average = state.average else { return state.network.network }
    return try measured(
      average.network(
        with: state.network, epoch: state.progress.epoch, of: trainer.options.epochs))
  }

  /// A network with the statistics of batch normalisation of the training frames.
  ///
  /// Those of the network in training are not those of an average of its weights (Izmailov et al.
  /// 2018, §3.2). Mean and variance are the averages over the epoch's first batches, without
  /// dropout.
  private func measured(_ network: AcousticNetwork) throws(FileFault) -> AcousticNetwork {
    guard network.layers.contains(where: { $0.normalization != nil }) else { return network }
    let own = TrainableNetwork(network, moments: 0, workers: trainer.workers)
    let stream = BatchStream(plan(state.progress.epoch))
    var (batches, runs) = (0, 0)
    while batches < mostBatches, let (batch, _) = try stream.next() {
      try Interruption.check()
      trainer.workers.forEach(batch.fillTasks) { batch.fill($0) }
      batches += 1
      runs += batch.chunks
      var step = TrainableNetwork.Step(input: batch.input, chunks: batch.chunks)
      step.statisticsShare = Float(batch.chunks) / Float(runs)
      own.measure(step)
    }
    return own.network
  }
}

/// The largest number of batches over which statistics are measured, 51,200 frames by default.
private let mostBatches = 200
