/// The readers of users' files, each of which must accept or refuse any bytes without a trap.
package enum Parser: String, Sendable, CaseIterable {
  /// Readers of Kaldi archives of one kind of value.
  case archive, matrices, doubleMatrices, vectors, doubleVectors, integers, posteriors
  /// Further readers of Kaldi archives, and of lists.
  case compressedMatrices, readableIntegers, matrixIndex, integerIndex, statistics, script
  /// Readers of alignments and their tables.
  case ctm, textGrid, timit, htk, mlf, audacity, symbolMap, symbolTable, classes, targets
  /// Readers of data directories, whose files follow each other, each after a line `=== NAME`.
  case dataDirectory, validation
  /// Readers of networks.
  case safetensors, model, graph
  /// Readers of recipes, options, and files that a run writes and reads again.
  case recipe, featureOptions, targetOptions, ledger, frameCounts, scores

  /// The greatest number of bytes of an input, so that none takes long.
  package static let largestInput = 4096

  /// Words that the reader looks for in its files, which mutations insert anywhere.
  package var words: [String] {
    switch self {
    case .archive, .matrices, .doubleMatrices, .vectors, .doubleVectors, .integers, .posteriors,
      .compressedMatrices, .readableIntegers, .matrixIndex, .integerIndex, .statistics:
      [
        " \0BFM \u{4}", " \0BDM \u{4}", " \0BFV \u{4}", " \0BDV \u{4}", " \0BCM ", " \0BCM2 ",
        " \0BCM3 ", " \0B\u{4}", " [ ", " ]\n", "\n", "nan", "inf", "-1", "1e39", "2147483648",
        "\u{4}\0\0\0\0",
      ]
    case .script: ["a.ark:2", "[0:1]", "[0:0,1:2]", ":", "|", "\n", "9223372036854775807"]
    case .ctm, .timit, .htk, .mlf, .audacity:
      [
        ";;", " 1 ", "A", "1e308", "nan", "inf", "-1", "\t", "\n", "///", "\"*/a.lab\"\n", ".\n",
        "#!MLF!#\n", "\\", "9223372036854775807", "ä", "//",
      ]
    case .textGrid:
      [
        "ooTextFile", "\"IntervalTier\"", "\"TextTier\"", "<exists>", "xmin = ", "size = ", "\"\"",
        "\n", "1e308", "-1", "\u{FEFF}", "9223372036854775807",
      ]
    case .symbolMap, .symbolTable, .classes, .frameCounts:
      [" ", "\n", "0", "-1", "2147483648", "9223372036854775807", "\u{301}", "\u{FEFF}"]
    case .targets:
      ["1e308", "nan", "inf", "-1", "\n", " 0 ", "2147483647", "-2147483648", "[", "]", "SIL"]
    case .dataDirectory, .validation:
      DataFolder.names.map { "\n=== \($0)\n" } + [
        "a ", "b ", " 0 1\n", "|", "1e308", "nan", "-1", "\u{301}", "\u{A0}", "\0", "\n", "ä//ä",
        "9223372036854775807",
      ]
    case .safetensors, .model:
      [
        "\"dtype\":\"F32\"", "\"F16\"", "\"BF16\"", "\"shape\":[", "\"data_offsets\":[", "null",
        "__metadata__", "9223372036854775807", "4294967296", "-1", "1e400", "{", "}", "[", "]",
      ]
    case .graph:
      [
        "limbeck", "classes", "[\"A\"]", "[", "{", "\0", ":", "z", "\u{8}",
        "\u{7f}\u{7f}\u{7f}\u{7f}",
        "batch",
      ]
    case .recipe, .featureOptions, .targetOptions:
      [
        "\n", ": ", "- ", "<<: *a", "&a ", "*a", "{", "}", "[", "]", "null", "~", "true", "!!int ",
        "-1", "1e400", ".nan", ".inf", "9223372036854775807", "0x7fffffffffffffff", "0o17", "|\n",
        "? ", "seed: ", "melBins: ", "frameShift: ", "sampleRate: ", "hidden: ", "layers: ",
      ]
    case .ledger, .scores:
      [
        "{", "}", "[", "]", "null", "true", ":", ",", "-1", "1e400", "9223372036854775807",
        "\"framesIn\":", "\"systems\":", "\"test\":", "\n",
      ]
    }
  }
}
