import CFFTW
import CFrameKernels
import Foundation
import Synchronization

/// Serialises FFTW's planners; FFTW can only execute plans in parallel, not make them.
private let planner = Mutex(())

/// The precision of a Fourier transform.
package enum TransformPrecision: String, Sendable, Codable, CaseIterable {
  /// 32 bits, as in Kaldi.
  ///
  /// The rounding of the loudest frequency then spreads over all others and is the largest error of
  /// a log-mel frame.
  case single
  /// 64 bits, slower.
  case double
}

/// The power spectrum of real frames of a fixed, even size, by FFTW.
///
/// In single precision, one complex transform of half the size takes the even samples as real parts
/// and the odd ones as imaginary parts (Press et al., "Numerical Recipes in C", 2nd edition, §12.3).
/// In double precision, FFTW's own transform of real samples is used.
///
/// A spectrum owns its plan and its aligned buffers, so each thread needs its own. The plan is
/// FFTW's estimate. A measured plan would be selected by timing, and results would differ between
/// runs in their last bits.
@safe package struct PowerSpectrum: ~Copyable {
  @safe private enum Plan {
    case single(fftwf_plan)
    case double(fftw_plan, input: UnsafeMutablePointer<Double>)
  }

  private let size: Int
  private let plan: Plan
  private let frame: UnsafeMutablePointer<Float>
  /// Complex numbers: `size / 2` in single precision, `size / 2 + 1` in double.
  private let transformed: UnsafeMutableRawPointer
  /// Of 2πk / size, for k from 0 to `size / 4`.
  private let cosines: UnsafeMutablePointer<Double>
  private let sines: UnsafeMutablePointer<Double>

  /// - Parameters:
  ///   - size: the number of samples in a frame, even and positive.
  ///   - precision: the precision of the transform.
  package init(size: Int, precision: TransformPrecision) {
    precondition(size > 0 && size % 2 == 0, "PowerSpectrum: size \(size) is not even and positive")
    self.size = size
    let frame = unsafe alignedValues(size, of: Float.self)
    unsafe frame.initialize(repeating: 0, count: size)
    let transformed = unsafe UnsafeMutableRawPointer(
      alignedValues(size / 2 + 1, of: fftw_complex.self))
    unsafe (self.frame, self.transformed) = (frame, transformed)
    unsafe plan = PowerSpectrum.plan(size, precision, from: frame, to: transformed)
    unsafe cosines = alignedValues(size / 4 + 1, of: Double.self)
    unsafe sines = alignedValues(size / 4 + 1, of: Double.self)
    for k in 0...size / 4 {
      let angle = 2 * Double.pi * Double(k) / Double(size)
      unsafe (cosines[k], sines[k]) = (cos(angle), sin(angle))
    }
  }

  private static func plan(
    _ size: Int, _ precision: TransformPrecision, from frame: UnsafeMutablePointer<Float>,
    to transformed: UnsafeMutableRawPointer
  ) -> Plan {
    nonisolated(unsafe) let (frame, transformed) = unsafe (frame, transformed)
    nonisolated(unsafe) var made: Plan?
    planner.withLock { _ in
      switch precision {
      case .single:
        let input = unsafe UnsafeMutableRawPointer(frame).assumingMemoryBound(
          to: fftwf_complex.self)
        let output = unsafe transformed.assumingMemoryBound(to: fftwf_complex.self)
        unsafe made = .single(
          fftwf_plan_dft_1d(
            Int32(size / 2), input, output, FFTW_FORWARD,
            UInt32(FFTW_ESTIMATE | FFTW_PRESERVE_INPUT)))
      case .double:
        let input = unsafe alignedValues(size, of: Double.self)
        let output = unsafe transformed.assumingMemoryBound(to: fftw_complex.self)
        unsafe made = .double(
          fftw_plan_dft_r2c_1d(Int32(size), input, output, UInt32(FFTW_ESTIMATE)), input: input)
      }
    }
    guard let made = unsafe made else {
      preconditionFailure("PowerSpectrum: no plan of size \(size)")
    }
    return made
  }

  deinit {
    switch plan {
    case .single(let plan):
      nonisolated(unsafe) let plan = unsafe plan
      planner.withLock { _ in unsafe fftwf_destroy_plan(plan) }
    case .double(let plan, let input):
      nonisolated(unsafe) let plan = unsafe plan
      planner.withLock { _ in unsafe fftw_destroy_plan(plan) }
      unsafe fftw_free(input)
    }
    unsafe fftw_free(transformed)
    unsafe fftw_free(frame)
    unsafe fftw_free(cosines)
    unsafe fftw_free(sines)
  }

  /// The library's name and version.
  package static var libraryVersion: String {
    unsafe String(cString: limbeck_fftw_version())
  }

  /// Passes the frame to `body`: `size` samples, which are zero at first and keep their values.
  package mutating func withFrame(_ body: (inout MutableSpan<Float>) -> Void) {
    let values = unsafe UnsafeMutableBufferPointer(start: frame, count: size)
    var span = unsafe MutableSpan(_unsafeElements: values)
    body(&span)
  }

  /// Writes the power spectrum of the frame, |X[k]|² for k from 0 to `size / 2`.
  ///
  /// - Parameter power: at least `size / 2 + 1` values, of which that many are overwritten.
  package mutating func compute(into power: inout MutableSpan<Float>) {
    precondition(
      power.count > size / 2, "compute: \(power.count) values for a size of \(size)")
    unsafe power.withUnsafeMutableBufferPointer { power in
      guard let base = power.baseAddress else { return }
      switch plan {
      case .single(let plan):
        unsafe fftwf_execute(plan)
        let halves = unsafe transformed.assumingMemoryBound(to: Float.self)
        unsafe frame_power_of_halves(halves, cosines, sines, Int64(size / 2), base)
      case .double(let plan, let input):
        unsafe frame_widen(frame, Int64(size), input)
        unsafe fftw_execute(plan)
        let spectrum = unsafe transformed.assumingMemoryBound(to: Double.self)
        unsafe frame_power(spectrum, Int64(size / 2 + 1), base)
      }
    }
  }
}

/// Memory for values of a plain type, aligned as FFTW's fastest transforms need it.
private func alignedValues<Value>(
  _ count: Int, of type: Value.Type
) -> UnsafeMutablePointer<Value> {
  guard let memory = unsafe fftw_malloc(count * MemoryLayout<Value>.stride) else {
    preconditionFailure("PowerSpectrum: no memory for \(count) values")
  }
  return unsafe memory.bindMemory(to: Value.self, capacity: count)
}
