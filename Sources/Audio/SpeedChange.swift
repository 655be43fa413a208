import CSamplerate

/// Speeds audio up or slows it down, changing its pitch too.
///
/// It resamples with libsamplerate, by a windowed sinc with a signal-to-noise ratio of 121 dB.
/// Samples arrive in pieces of any size; the result does not depend on the pieces.
@safe package final class SpeedChange {
  private let state: OpaquePointer
  /// The number of output samples per input sample.
  private let ratio: Double
  private var output = [Float](repeating: 0, count: 1 << 14)

  /// - Parameter factor: the speed relative to the original, from 0.25 to 4.
  package init(factor: Double) {
    precondition((0.25...4).contains(factor), "SpeedChange: \(factor)")
    var fault: Int32 = 0
    guard let state = unsafe src_new(Int32(SRC_SINC_MEDIUM_QUALITY), 1, &fault) else {
      preconditionFailure("SpeedChange: no memory for a resampler")
    }
    unsafe self.state = state
    ratio = 1 / factor
  }

  deinit { _ = unsafe src_delete(state) }

  /// Takes the next samples.
  ///
  /// - Parameters:
  ///   - samples: any number of finite samples.
  ///   - isLast: whether no more follow; the remaining output is then flushed.
  /// - Returns: the output samples that are complete.
  package func push(_ samples: [Float], isLast: Bool) -> [Float] {
    var result: [Float] = []
    var start = 0
    while true {
      let (used, made) = unsafe samples.withUnsafeBufferPointer { input in
        unsafe output.withUnsafeMutableBufferPointer { output -> (Int, Int) in
          var data = unsafe SRC_DATA()
          // libsamplerate needs an address even without samples.
          unsafe data.data_in =
            input.baseAddress.map { unsafe $0 + start } ?? UnsafePointer(output.baseAddress)
          unsafe data.input_frames = samples.count - start
          unsafe data.data_out = output.baseAddress
          unsafe data.output_frames = output.count
          unsafe data.src_ratio = ratio
          unsafe data.end_of_input = isLast ? 1 : 0
          let fault = unsafe src_process(state, &data)
          precondition(fault == 0, "SpeedChange: libsamplerate's error \(fault)")
          return unsafe (data.input_frames_used, data.output_frames_gen)
        }
      }
      start += used
      result += output[..<made]
      if made == 0, start == samples.count || used == 0 { return result }
    }
  }
}
