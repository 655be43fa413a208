package import KaldiIO
package import LinearAlgebra
import Storage
import Synchronization

/// One pass over utterances: threads make their features, or other values of their frames, in
/// parallel, which are appended to an archive in order.
package final class FeaturePass: Sendable {
  /// The result for an utterance, ready to be written.
  fileprivate enum Outcome: Sendable {
    case whole(ArchiveEntry, frames: Int, seconds: Double, error: Float?)
    /// Its rows have already been written.
    case inPieces(seconds: Double)
    case leftOut(reason: String)
  }

  private struct State: ~Copyable {
    var archive: FeatureArchive?
    /// The fault that ended the pass: one of the machine or of the archive.
    var fault: (any Fault)?
  }

  private let utterances: [String]
  private let form: ArchiveForm
  private let state: Mutex<State>
  private let report: @Sendable (_ done: Int, _ seconds: Double) -> Void

  /// Prepares a pass.
  ///
  /// - Parameters:
  ///   - archive: receives the features; it may already contain the first utterances.
  ///   - utterances: the ids of all utterances, in order.
  ///   - form: the archive's form.
  ///   - report: called after each utterance with the number done and the seconds of its audio.
  package init(
    _ archive: consuming FeatureArchive, utterances: [String], form: ArchiveForm,
    report: @escaping @Sendable (_ done: Int, _ seconds: Double) -> Void
  ) {
    self.utterances = utterances
    self.form = form
    self.report = report
    state = Mutex(State(archive: archive, fault: nil))
  }

  /// Makes the features that the archive still lacks.
  ///
  /// - Parameters:
  ///   - workers: the threads that share the utterances; the archive does not depend on their
  ///     number.
  ///   - own: makes the state of each thread.
  ///   - make: makes the features of one utterance, by its index in the list, and passes them to
  ///     the sink; it returns the seconds of audio. If it throws, the utterance is skipped for that
  ///     reason, but a machine fault ends the pass.
  /// - Returns: the archive, complete but not committed.
  /// - Throws: `FileFault` when the archive cannot be written, or the first machine fault; what has
  ///   been written is kept.
  package func run<Own: ~Copyable>(
    _ workers: Workers, own: @Sendable () -> Own,
    _ make:
      @Sendable (_ own: inout Own, _ index: Int, _ sink: inout Sink) throws -> Double
  ) throws -> FeatureArchive {
    let first = state.withLock { $0.archive?.records.count ?? 0 }
    let output = OrderedOutput<Outcome>(from: first, limit: FeaturePass.largestWaiting) {
      index, outcome in
      self.write(index, outcome)
    }
    workers.forEach(utterances.count - first, state: own) { own, offset in
      let index = first + offset
      var sink = Sink(pass: self, output: output, index: index)
      // After a fault nothing more is made, but each index must still be submitted.
      let result: Result<Double, LeftOut>
      do {
        try Interruption.check()
        let isWanted = state.withLock { $0.fault == nil }
        result = isWanted ? .success(try make(&own, index, &sink)) : .failure(LeftOut(reason: ""))
      } catch {
        result = .failure(self.reason(for: error))
      }
      let (outcome, size) = sink.finish(result)
      output.submit(index, outcome, size: size)
    }
    return try state.withLock { state in
      if let fault = state.fault { throw fault }
      guard let archive = state.archive.take() else {
        preconditionFailure("FeaturePass: run twice")
      }
      return archive
    }
  }

  /// Why an utterance is skipped; a machine fault ends the pass instead.
  private func reason(for error: any Error) -> LeftOut {
    // A signal to the process group also ends the commands of `wav.scp`, whose audio is not at
    // fault.
    let interruption = Interruption.signal.map(FileFault.interrupted)
    if let fault = interruption ?? error as? any Fault, fault.isOfMachine {
      state.withLock { state in if state.fault == nil { state.fault = fault } }
    }
    return error as? LeftOut ?? LeftOut(reason: "\(error)")
  }

  /// The greatest number of bytes that may wait in memory for their turn to be written.
  private static let largestWaiting = 64 << 20

  private func write(_ index: Int, _ outcome: Outcome) {
    let id = utterances[index]
    var done = 0.0
    attempt { archive throws(FileFault) in
      switch outcome {
      case .whole(let entry, let frames, let seconds, let error):
        try archive.append(id, entry, frames: frames, seconds: seconds, error: error)
        done = seconds
      case .inPieces(let seconds):
        try archive.finishRows(id, seconds: seconds)
        done = seconds
      case .leftOut(let reason):
        try archive.leaveOut(id, reason: reason)
      }
    }
    if state.withLock({ $0.fault == nil }) { report(index + 1, done) }
  }

  private func attempt(_ body: (inout FeatureArchive) throws(FileFault) -> Void) {
    state.withLock { state in
      guard state.fault == nil, var archive = state.archive.take() else { return }
      do throws(FileFault) { try body(&archive) } catch { state.fault = error }
      state.archive = consume archive
    }
  }

  /// Receives the features of one utterance, in any number of pieces.
  package struct Sink: ~Copyable {
    /// The rows not yet handed on; `make` appends here.
    package var frames = Matrix(rows: 0, columns: 0)
    private let pass: FeaturePass
    private let output: OrderedOutput<Outcome>
    private let index: Int
    private var isInPieces = false

    fileprivate init(pass: FeaturePass, output: OrderedOutput<Outcome>, index: Int) {
      (self.pass, self.output, self.index) = (pass, output, index)
    }

    /// Hands rows on if they are too many to keep in memory, after waiting until all earlier
    /// utterances are written.
    ///
    /// - Throws: `LeftOut` when a feature is not finite.
    package mutating func relieve() throws(LeftOut) {
      guard pass.form == .binary, frames.values.count >= Sink.largestPiece else { return }
      let rows = frames
      try Sink.requireFinite(rows)
      let id = pass.utterances[index]
      output.waitForTurn(index)
      pass.attempt { archive throws(FileFault) in try archive.appendRows(id, rows) }
      isInPieces = true
      frames.setRowCount(0)
    }

    /// The greatest number of values of an utterance in memory.
    private static let largestPiece = 1 << 22

    private static func requireFinite(_ rows: Matrix) throws(LeftOut) {
      guard rows.isFinite else {
        throw LeftOut(reason: "expected finite features, found an overflow")
      }
    }

    fileprivate consuming func finish(
      _ result: Result<Double, LeftOut>
    ) -> (outcome: Outcome, size: Int) {
      do throws(LeftOut) {
        let seconds = try result.get()
        let rows = frames
        try Sink.requireFinite(rows)
        let id = pass.utterances[index]
        if isInPieces {
          if rows.rows > 0 {
            output.waitForTurn(index)
            pass.attempt { archive throws(FileFault) in try archive.appendRows(id, rows) }
          }
          return (.inPieces(seconds: seconds), 0)
        }
        var error: Float?
        if case .compressed(let compression) = pass.form {
          guard CompressedMatrix.canStore(rows) else {
            throw LeftOut(
              reason: "expected features with a finite range, as compression needs, found others")
          }
          error = CompressedMatrix.largestError(of: rows, by: compression)
        }
        let entry = ArchiveEntry(id, .matrix(rows), form: pass.form)
        return (
          .whole(entry, frames: rows.rows, seconds: seconds, error: error), entry.bytes.count
        )
      } catch {
        return (.leftOut(reason: error.reason), 0)
      }
    }
  }
}

/// Why an utterance has no features.
package struct LeftOut: Error {
  let reason: String
}
