import CFFTW
import Synchronization

/// Serialises FFTW's planner: of its functions, only the execution of a plan is thread-safe.
private let planner = Mutex(())

/// A forward Fourier transform of real frames of one fixed size.
///
/// Owns its plan and its aligned buffers, so a worker makes its own and never shares it. The plan is
/// FFTW's estimate: a measured one would be chosen by timing, and figures would differ between runs
/// in their last bits.
@safe package struct RealFFT: ~Copyable {
  /// The number of samples in a frame.
  package let size: Int

  private let input: UnsafeMutablePointer<Float>
  private let output: UnsafeMutablePointer<fftwf_complex>
  private let plan: fftwf_plan

  /// - Parameter size: the number of samples in a frame, positive.
  package init(size: Int) {
    precondition(size > 0, "RealFFT: size \(size) is not positive")
    self.size = size
    unsafe input = fftwf_alloc_real(size)
    unsafe output = fftwf_alloc_complex(size / 2 + 1)
    let (input, output) = unsafe (input, output)
    nonisolated(unsafe) var made: fftwf_plan?
    planner.withLock { _ in
      unsafe made = fftwf_plan_dft_r2c_1d(Int32(size), input, output, UInt32(FFTW_ESTIMATE))
    }
    guard let ready = unsafe made else { preconditionFailure("RealFFT: no plan of size \(size)") }
    unsafe plan = ready
  }

  deinit {
    nonisolated(unsafe) let plan = unsafe plan
    planner.withLock { _ in unsafe fftwf_destroy_plan(plan) }
    unsafe fftwf_free(input)
    unsafe fftwf_free(output)
  }

  /// Writes |X[k]|² for k from 0 to `size / 2`.
  ///
  /// - Parameters:
  ///   - frame: at most `size` samples; the rest counts as zero.
  ///   - power: `size / 2 + 1` values, overwritten.
  package mutating func powerSpectrum(of frame: Span<Float>, into power: inout MutableSpan<Float>) {
    precondition(
      frame.count <= size && power.count == size / 2 + 1,
      "powerSpectrum: \(frame.count) samples to \(power.count) values by a size of \(size)")
    for n in frame.indices { unsafe input[n] = frame[n] }
    for n in frame.count..<size { unsafe input[n] = 0 }
    unsafe fftwf_execute(plan)
    for k in power.indices {
      let (real, imaginary) = unsafe output[k]
      power[k] = real * real + imaginary * imaginary
    }
  }
}
