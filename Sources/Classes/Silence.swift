/// The symbols of silence and noise, as opposed to speech.
package enum Silence {
  /// The symbols, in lower case: those of Kaldi, HTK, MFA, PocketSphinx, TIMIT, Festival and MAUS.
  package static let symbols: Set<String> = [
    "sil", "sp", "spn", "nsn", "<eps>", "+nsn+", "+spn+", "h#", "pau", "epi", "ssil", "<p:>",
  ]

  /// Whether a symbol is silence or noise, ignoring case and any suffix after `_`, `:` or `[`.
  ///
  /// A suffix may be a state number (`sil[2]` in HTK), the position in the word, or the id of a tied state. The colon
  /// in `<p:>` itself does not count.
  package static func contains(_ symbol: String) -> Bool {
    if symbols.contains(symbol.lowercased()) { return true }
    guard let end = symbol.lastIndex(where: { "_:[".contains($0) }) else { return false }
    return contains(String(symbol[..<end]))
  }
}
