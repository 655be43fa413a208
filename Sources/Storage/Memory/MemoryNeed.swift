import Foundation

/// The bytes that a piece of work takes, by what takes them; sums and products saturate, so that no size
/// that a user asks for overflows.
package struct MemoryNeed: Sendable, Equatable {
  /// By their names, in the order in which they were added.
  package private(set) var parts: [(name: String, bytes: Int)] = []

  package init() {}

  /// Adds so many values of so many bytes.
  ///
  /// - Parameters:
  ///   - name: what they are.
  ///   - factors: their number in each dimension.
  ///   - size: bytes a value.
  package mutating func add(_ name: String, _ factors: Int..., size: Int = 4) {
    parts.append((name, factors.reduce(size) { $0.multiplyingSaturated($1) }))
  }

  /// Of all parts.
  package var bytes: Int { parts.reduce(0) { $0.addingSaturated($1.bytes) } }

  package static func == (left: MemoryNeed, right: MemoryNeed) -> Bool {
    left.parts.elementsEqual(right.parts) { $0 == $1 }
  }

  /// The parts in words, as in `networks 0.40 GB, activations 0.02 GB`, but for those below a hundredth.
  package var words: String {
    parts.filter { $0.bytes > bytes / 100 }.map { "\($0.name) \(gigabytes($0.bytes))" }
      .joined(separator: ", ")
  }
}

/// Bytes in words.
package func gigabytes(_ bytes: Int) -> String {
  String(format: "%.2f GB", Double(bytes) / 1e9)
}

extension Int {
  /// The sum of two numbers that are not negative, or the largest number.
  package func addingSaturated(_ other: Int) -> Int {
    let (sum, overflow) = addingReportingOverflow(other)
    return overflow ? .max : sum
  }

  /// The product of two numbers that are not negative, or the largest number.
  package func multiplyingSaturated(_ other: Int) -> Int {
    let (product, overflow) = multipliedReportingOverflow(by: other)
    return overflow ? .max : product
  }
}

/// Work for which there is not enough memory.
package enum MemoryFault: Fault, Equatable {
  /// - `work`: what needs it, as `member-00 (1,234 parameters)`.
  /// - `parts`: what takes it, in words.
  /// - `remedy`: which options to change.
  case tooLittle(
    work: String, bytes: Int, parts: String, limit: MemoryBudget.Limit, remedy: String)

  package var exitStatus: ExitStatus { .system }

  package var description: String {
    switch self {
    case .tooLittle(let work, let bytes, let parts, let limit, let remedy):
      """
      \(work): needs \(gigabytes(bytes)) of memory (\(parts)), and \(limit.name) leaves \
      \(gigabytes(limit.available)); \(remedy)
      """
    }
  }
}

extension MemoryBudget {
  /// Throws `MemoryFault` for work that needs more than there is.
  ///
  /// - Parameters:
  ///   - need: what it takes.
  ///   - work: its name.
  ///   - remedy: which options to change.
  /// - Throws: `MemoryFault` with what is needed and the limit.
  package func require(_ need: MemoryNeed, for work: String, remedy: String) throws(MemoryFault) {
    guard let limit = limit(below: need.bytes) else { return }
    throw .tooLittle(
      work: work, bytes: need.bytes, parts: need.words, limit: limit, remedy: remedy)
  }
}
