/// Which symbols stand for silence or noise rather than speech.
package enum Silence {
  /// The symbols, in small letters: those of Kaldi, HTK, MFA, PocketSphinx, TIMIT, Festival and MAUS.
  package static let symbols: Set<String> = [
    "sil", "sp", "spn", "nsn", "<eps>", "+nsn+", "+spn+", "h#", "pau", "epi", "ssil", "<p:>",
  ]

  /// Whether a symbol is one of them, in either case of letters, whatever follows its first `_`, `:` or `[`,
  /// such as the number of a state (`sil[2]` in HTK), the place in the word, or the id of a tied state.
  ///
  /// `<p:>` itself has a colon, which does not count.
  package static func contains(_ symbol: String) -> Bool {
    if symbols.contains(symbol.lowercased()) { return true }
    guard let end = symbol.lastIndex(where: { "_:[".contains($0) }) else { return false }
    return contains(String(symbol[..<end]))
  }
}
