/// The three parts of a corpus.
package enum CorpusPart: String, Sendable, CaseIterable {
  /// A data directory of the corpus; the raw value names its folders.
  case train, development, test
}
