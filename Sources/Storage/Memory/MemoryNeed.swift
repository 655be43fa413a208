import Foundation

/// The memory that a piece of work needs, itemised.
///
/// Sums and products saturate, so that no size a user asks for overflows.
package struct MemoryNeed: Sendable, Equatable {
  /// The items by name, in the order added.
  package private(set) var parts: [(name: String, bytes: Int)] = []

  /// A need of nothing.
  package init() {}

  /// Adds an array of values.
  ///
  /// - Parameters:
  ///   - name: what the values are, for messages.
  ///   - factors: the size of each dimension.
  ///   - size: the bytes per value.
  package mutating func add(_ name: String, _ factors: Int..., size: Int = 4) {
    parts.append((name, factors.reduce(size) { $0.multiplyingSaturated($1) }))
  }

  /// The total of all parts, in bytes.
  package var bytes: Int { parts.reduce(0) { $0.addingSaturated($1.bytes) } }

  /// Whether all parts have the same names and sizes, in the same order.
  package static func == (left: MemoryNeed, right: MemoryNeed) -> Bool {
    left.parts.elementsEqual(right.parts) { $0 == $1 }
  }

  /// The parts in words, such as `networks 0.40 GB, activations 0.02 GB`; those below 1 % are omitted.
  package var words: String {
    parts.filter { $0.bytes > bytes / 100 }.map { "\($0.name) \(gigabytes($0.bytes))" }
      .joined(separator: ", ")
  }
}

/// A number of bytes as text, such as `1.25 GB`.
package func gigabytes(_ bytes: Int) -> String {
  String(format: "%.2f GB", Double(bytes) / 1e9)
}

extension Int {
  /// The sum of two non-negative numbers, or `Int.max` on overflow.
  package func addingSaturated(_ other: Int) -> Int {
    let (sum, overflow) = addingReportingOverflow(other)
    return overflow ? .max : sum
  }

  /// The product of two non-negative numbers, or `Int.max` on overflow.
  package func multiplyingSaturated(_ other: Int) -> Int {
    let (product, overflow) = multipliedReportingOverflow(by: other)
    return overflow ? .max : product
  }
}

/// Work for which there is not enough memory.
package enum MemoryFault: Fault, Equatable {
  /// - `work`: what needs the memory, such as `member-00 (1,234 parameters)`.
  /// - `parts`: what the memory is for, in words.
  /// - `remedy`: which options to change.
  case tooLittle(
    work: String, bytes: Int, parts: String, limit: MemoryBudget.Limit, remedy: String)

  /// Always `system`: the data are not at fault.
  package var exitStatus: ExitStatus { .system }

  /// What is needed and what the limit leaves, in gigabytes, then the remedy.
  package var description: String {
    switch self {
    case .tooLittle(let work, let bytes, let parts, let limit, let remedy):
      """
      \(work): needs \(gigabytes(bytes)) of memory (\(parts)), but \(limit.name) leaves \
      only \(gigabytes(limit.available)); \(remedy)
      """
    }
  }
}

extension MemoryBudget {
  /// Throws when work needs more memory than is available.
  ///
  /// - Parameters:
  ///   - need: the memory that the work needs.
  ///   - work: its name in messages.
  ///   - remedy: which options to change.
  /// - Throws: `MemoryFault` with the need and the limit.
  package func require(_ need: MemoryNeed, for work: String, remedy: String) throws(MemoryFault) {
    guard let limit = limit(below: need.bytes) else { return }
    throw .tooLittle(
      work: work, bytes: need.bytes, parts: need.words, limit: limit, remedy: remedy)
  }
}
