/// What is wrong when a number is not as expected, or nil when it is close enough:
/// |found − expected| ≤ absolute + relative · |expected|.
package func mismatch(
  _ found: some BinaryFloatingPoint, _ expected: some BinaryFloatingPoint,
  absolute: Double = 0, relative: Double = 0
) -> String? {
  let (found, expected) = (Double(found), Double(expected))
  let bound = absolute + relative * abs(expected)
  if abs(found - expected) <= bound { return nil }
  return "expected \(expected) within \(bound), found \(found)"
}

/// What is wrong at the first place where two lists differ, or nil when they are close enough.
package func mismatch(
  _ found: [some BinaryFloatingPoint], _ expected: [some BinaryFloatingPoint],
  absolute: Double = 0, relative: Double = 0
) -> String? {
  guard found.count == expected.count else {
    return "expected \(expected.count) values, found \(found.count)"
  }
  for (index, pair) in zip(found, expected).enumerated() {
    if let problem = mismatch(pair.0, pair.1, absolute: absolute, relative: relative) {
      return "at \(index): \(problem)"
    }
  }
  return nil
}
