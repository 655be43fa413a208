import ArgumentParser
import Foundation
import KaldiIO
import Storage
import SystemPackage

/// `limbeck copy`: converts Kaldi archives between formats.
struct Copy: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Convert a Kaldi archive or scp to another archive format.",
    discussion: """
      IN is an scp if its name ends in .scp, else an archive: binary, text or gzipped. It may also be a Kaldi \
      specifier: ark:PATH, scp:PATH, ark:-, and with --allow-commands 'ark:COMMAND |'. OUT is a path, beside \
      which an scp is written, named with .scp for .ark; or ark:PATH, ark,t:PATH or ark,scp:PATH,PATH. - is \
      standard output. Text and integers carry no type: if the guess is wrong, give --type.
      """)

  @Argument(help: "An archive, or an scp, which may have offsets and ranges.")
  var input: String
  @Argument(help: "The archive to write.")
  var output: String
  @Option(
    help: """
      The type to write: matrix, doubleMatrix, vector, doubleVector, integers, posterior. \
      (default: the type of the input)
      """)
  var type: KaldiValue.Kind?
  @OptionGroup var form: FormOptions
  @OptionGroup var commands: CommandOptions

  func run() throws {
    let (source, target) = (
      try usage { try ArchiveInput(input) }, try usage { try ArchiveOutput(output) }
    )
    guard !target.isText || form.compression == nil else {
      throw ValidationError("\(output) and --compression: expected one of them, found both")
    }
    do {
      try copy(source, to: target, as: type)
    } catch let fault as FileFault where type == nil && !fault.isOfMachine {
      // Posteriors carry no type: some of their entries also read as vectors or integers.
      guard let path = source.path, path != "-", target.archive != nil,
        (try? source.forEach(as: .posterior, commands: .refused) { _, _ in }) != nil
      else { throw fault }
      try copy(source, to: target, as: .posterior)
    }
  }

  private func copy(
    _ source: ArchiveInput, to target: ArchiveOutput, as type: KaldiValue.Kind?
  ) throws {
    let form = target.isText ? .text : form.form
    guard let archive = target.archive else {
      return try forEachEntry(of: source, as: type) { key, value throws(FileFault) in
        try ArchiveWriter.requireStorable(value, key, form: form, path: .named("standard output"))
        try Terminal.write(ArchiveEntry(key, value, form: form).bytes)
      }
    }
    for path in [target.script, archive].compactMap({ $0 })
    where source.path?.absolute == path.absolute {
      throw ValidationError(
        "OUT: expected a name other than IN, for its scp too, found \(path.text)")
    }
    guard target.script?.lastComponent != "wav.scp" else {
      throw ValidationError(
        "OUT: expected a name whose scp is not wav.scp, found \(output)")
    }
    var writer = try ArchiveWriter(archive, script: target.script, form: form)
    try forEachEntry(of: source, as: type) { key, value throws(FileFault) in
      try writer.write(key, value)
    }
    try writer.commit()
  }

  private func forEachEntry(
    of source: ArchiveInput, as type: KaldiValue.Kind?,
    _ body: (_ key: String, _ value: KaldiValue) throws(FileFault) -> Void
  ) throws(FileFault) {
    var first: (key: String, kind: KaldiValue.Kind)?
    try source.forEach(as: type, commands: commands.policy) { key, value throws(FileFault) in
      if let first, first.kind != value.kind, type == nil {
        throw .malformed(
          path: .named(input), expected: "values of one kind, or --type",
          found: "\(first.kind.rawValue) for \(first.key) and \(value.kind.rawValue) for \(key)")
      }
      first = first ?? (key, value.kind)
      guard let converted = value.converted(to: type ?? value.kind) else {
        throw .malformed(
          path: .named(input), expected: "\(type?.rawValue ?? "") for \(key)",
          found: "\(value.kind.rawValue)")
      }
      try body(key, converted)
    }
  }
}

/// Turns an error in parsing an argument into a usage error.
func usage<Value>(_ parse: () throws -> Value) throws -> Value {
  do { return try parse() } catch { throw ValidationError("\(error)") }
}
