/// Options that can be listed, for display or for comparison.
package protocol ListedOptions {
  /// The names of the options with their values, in an order that does not depend on the values.
  var listed: [(name: String, value: String)] { get }
}

extension ListedOptions {
  /// The stored properties.
  package var listed: [(name: String, value: String)] {
    Mirror(reflecting: self).children.map { ($0.label ?? "", "\($0.value)") }
  }

  /// The options that differ, such as `melBins 40, not 23`; empty when all are equal.
  package func differences(from other: Self) -> [String] {
    zip(listed, other.listed).filter { $0.value != $1.value }
      .map { "\($0.name) \($0.value), not \($1.value)" }
  }
}
