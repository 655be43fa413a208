import CSoxr

/// Speeds audio up or slows it down, changing its pitch too.
///
/// It resamples with the SoX resampler at its "high quality": a pass band that is flat to 91 % of
/// half the lower rate, and a stop band 120 dB down. Samples arrive in pieces of any size; the
/// result does not depend on the pieces.
@safe package final class SpeedChange {
  private let state: soxr_t
  private var output = [Float](repeating: 0, count: 1 << 14)

  /// - Parameter factor: the speed relative to the original, from 0.25 to 4.
  package init(factor: Double) {
    precondition((0.25...4).contains(factor), "SpeedChange: \(factor)")
    var quality = unsafe soxr_quality_spec(UInt(SOXR_HQ), 0)
    guard let state = unsafe soxr_create(factor, 1, 1, nil, nil, &quality, nil) else {
      preconditionFailure("SpeedChange: no memory for a resampler")
    }
    unsafe self.state = state
  }

  deinit { unsafe soxr_delete(state) }

  /// Takes the next samples.
  ///
  /// - Parameters:
  ///   - samples: any number of finite samples.
  ///   - isLast: whether no more follow; the remaining output is then flushed.
  /// - Returns: the output samples that are complete.
  package func push(_ samples: [Float], isLast: Bool) -> [Float] {
    var result: [Float] = []
    unsafe samples.withUnsafeBufferPointer { input in
      var start = 0
      while let base = input.baseAddress, start < samples.count {
        start += unsafe process(base + start, samples.count - start, appendingTo: &result).used
      }
      if isLast { while unsafe process(nil, 0, appendingTo: &result).made > 0 {} }
    }
    return result
  }

  /// Passes samples to the resampler; none ends the input.
  private func process(
    _ samples: UnsafePointer<Float>?, _ count: Int, appendingTo result: inout [Float]
  ) -> (used: Int, made: Int) {
    var (used, made) = (0, 0)
    let fault = unsafe output.withUnsafeMutableBufferPointer { output in
      unsafe soxr_process(state, samples, count, &used, output.baseAddress, output.count, &made)
    }
    precondition(unsafe fault == nil, "SpeedChange: the resampler fails")
    result += output[..<made]
    return (used, made)
  }
}
