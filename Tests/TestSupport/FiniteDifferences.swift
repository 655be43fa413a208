/// The slope of a function of one number at a point, by central differences.
package func slope(at point: Double, step: Double, _ function: (Double) -> Double) -> Double {
  (function(point + step) - function(point - step)) / (2 * step)
}
