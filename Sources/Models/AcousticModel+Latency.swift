import Networks
import Features

extension AcousticModel {
  /// The number of later frames that must be available before a frame's logits are known: those of
  /// the network's context, and those that their deltas need.
  package var laterFrames: (context: Int, deltas: Int) {
    let transform = features.transform
    let deltas = Deltas(order: transform.deltas, window: transform.deltaWindow)
    return (max(0, network.context.upperBound), deltas.reach)
  }

  /// The number of samples from the start of a frame's window until its logits are known: the
  /// window, plus one frame shift for each later frame.
  package var latencyInSamples: Int {
    let (grid, later) = (features.grid, laterFrames)
    return grid.window + (later.context + later.deltas) * grid.shift
  }
}
