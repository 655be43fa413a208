import ArgumentParser
import Foundation
import KaldiIO
import Storage

/// `limbeck copy`: Kaldi archives from one form to another.
struct Copy: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Copy a Kaldi archive, or what an scp names, to an archive of another form.",
    discussion: """
      IN is an scp by its name (*.scp, or scp:PATH), else an archive, binary or text (also ark:PATH). \
      OUT gets an scp beside it, OUT with .scp for .ark. Text and integers do not say what they are: \
      --type does, where the guess is wrong.
      """)

  @Argument(help: "An archive, or an scp with offsets and ranges.")
  var input: String
  @Argument(help: "The archive to write.")
  var output: String
  @Option(
    help: """
      What the values are to be: matrix, doubleMatrix, vector, doubleVector, integers, posterior. \
      (default: what they are)
      """)
  var type: KaldiValue.Kind?
  @OptionGroup var form: FormOptions
  @OptionGroup var commands: CommandOptions

  func run() throws {
    let script = String(output.hasSuffix(".ark") ? output.dropLast(4) : output[...]) + ".scp"
    guard absolutePath(script) != absolutePath(source) else {
      throw ValidationError("OUT: expected a name whose scp is not IN, found \(output)")
    }
    guard (script as NSString).lastPathComponent != "wav.scp" else {
      throw ValidationError(
        "OUT: expected a name whose scp is no list of recordings, found \(output)")
    }
    var writer = try ArchiveWriter(output, script: script, form: form.form)
    try forEachEntry { key, value throws(FileFault) in
      guard let converted = value.converted(to: type ?? value.kind) else {
        throw .malformed(
          path: input, expected: "\(type?.rawValue ?? "") for \(key)",
          found: "\(value.kind.rawValue)")
      }
      try writer.write(key, converted)
    }
    try writer.commit()
  }

  /// The path of IN.
  private var source: String { input.replacing(#/^(ark|scp)(,t)?:/#, with: "") }

  private func forEachEntry(
    _ body: (_ key: String, _ value: KaldiValue) throws(FileFault) -> Void
  ) throws(FileFault) {
    let path = source
    guard path != input && input.hasPrefix("scp") || path == input && path.hasSuffix(".scp") else {
      return try Archive.forEach(in: path, as: type, body)
    }
    let list = try ArchiveScript(path: path)
    for entry in list.entries {
      try body(entry.key, try list.value(of: entry, as: type, commands: commands.policy))
    }
  }
}
