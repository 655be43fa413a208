import Foundation
import KaldiIO
import LinearAlgebra
import Storage
import SystemPackage
import TestSupport
import Testing

@Suite("Archives that come as streams")
struct ArchiveStreamTests {
  /// The fixtures' bytes, with what their values are.
  private static func fixtures() throws -> [(name: String, kind: KaldiValue.Kind?, bytes: [UInt8])]
  {
    let named: [(String, KaldiValue.Kind?)] =
      ArchiveTests.files.map { ($0.name, $0.entries.first?.1.kind) }
      + ["cm.ark", "cm2.ark", "cm3.ark"].map { ($0, nil) }
    return try named.map { name, kind in
      (name, kind, [UInt8](try TextFile.bytes(of: fixture(name))))
    }
  }

  private static func blocks(_ bytes: [UInt8], of size: Int) -> [[UInt8]] {
    stride(from: 0, to: bytes.count, by: size).map {
      Array(bytes[$0..<min($0 + size, bytes.count)])
    }
  }

  private func read(
    _ stream: ByteStream, as kind: KaldiValue.Kind? = nil
  ) throws(FileFault) -> [KaldiValue] {
    var values: [KaldiValue] = []
    try Archive.forEach(of: stream, as: kind) { _, value in values.append(value) }
    return values
  }

  @Test("values are the same whatever pieces their bytes come in", arguments: [1, 2, 7, 64])
  func pieces(size: Int) throws {
    for (name, kind, bytes) in try Self.fixtures() {
      let stream = ByteStream(blocks: Self.blocks(bytes, of: size), named: name)
      #expect(
        try read(stream, as: kind) == Archive.read(fixture(name), as: kind).map(\.value), "\(name)")
    }
  }

  @Test("binary posteriors are known by what follows, and are not taken for integers")
  func posteriors() throws {
    for (name, kind, bytes) in try Self.fixtures() where bytes.prefix(64).contains(0) {
      guard let kind else { continue }
      let stream = ByteStream(blocks: Self.blocks(bytes, of: 3), named: name)
      #expect(try read(stream).allSatisfy { $0.kind == kind }, "\(name)")
    }
    let fault = #expect(throws: FileFault.self) {
      try Archive.read(fixture("posteriors.ark"), as: .integers)
    }
    #expect(fault?.description.contains("a posterior (--type posterior)") == true)
  }

  @Test("a size that a stream does not have is a fault, and is not allocated")
  func claims() throws {
    let most: [UInt8] = [4, 255, 255, 255, 127]
    for head in ["FM ", "DM ", "FV ", "DV ", "CM ", "CM2 ", "CM3 ", ""] {
      let bytes = Array("key \0B\(head)".utf8) + most + most + most + most
      let fault = #expect(throws: FileFault.self, "\(head)") {
        try read(ByteStream(blocks: [bytes], named: "stream"))
      }
      #expect(fault?.exitStatus == .data)
      #expect(fault?.description.contains(" for key") == true)
    }
    for kind in [KaldiValue.Kind.integers, .posterior] {
      #expect(throws: FileFault.self) {
        try read(ByteStream(blocks: [Array("key \0B".utf8) + most], named: "stream"), as: kind)
      }
    }
    let endless = [UInt8](repeating: UInt8(ascii: "k"), count: 200_000)
    let fault = #expect(throws: FileFault.self) {
      try read(ByteStream(blocks: [endless], named: "stream"))
    }
    #expect(fault?.description.contains("a key and a blank, found none in") == true)
  }

  @Test("damaged archives are faults of the data, never the end of the process")
  func damaged() throws {
    var generator = SeededGenerator(20, 1)
    let kinds = KaldiValue.Kind.allCases.map(Optional.init) + [nil]
    for (name, _, whole) in try Self.fixtures() {
      for _ in 0..<150 {
        var bytes = whole
        for _ in 0...Int.random(in: 0..<4, using: &generator) {
          let place = Int.random(in: 0..<bytes.count, using: &generator)
          switch Int.random(in: 0..<4, using: &generator) {
          case 0: bytes[place] = UInt8.random(in: 0...255, using: &generator)
          case 1: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
          case 2: bytes.remove(at: place)
          default: bytes.insert([0, 4, 32, 255].randomElement(using: &generator) ?? 0, at: place)
          }
          if bytes.isEmpty { bytes = [0] }
        }
        let kind = kinds.randomElement(using: &generator) ?? nil
        let stream = ByteStream(blocks: Self.blocks(bytes, of: 50), named: name)
        do throws(FileFault) { _ = try read(stream, as: kind) } catch {
          #expect(error.exitStatus == .data, "\(name): \(error)")
        }
      }
    }
  }

  @Test("a table's entries are read by its specifier, packed or not, with a key or without")
  func specifiers() throws {
    let folder = try TemporaryFolder()
    let matrix = KaldiValue.matrix(Matrix(rows: 1, columns: 2, values: [1, 2]))
    var writer = try ArchiveWriter(folder.file("a.ark"), script: folder.file("a.scp"))
    try writer.write("u", matrix)
    try writer.commit()
    let packed = folder.file("a.gz")
    #expect(
      try ShellCommand.exitStatus(of: "gzip -c '\(folder.file("a.ark"))' >'\(packed)'") == 0)
    try folder.write(" [\n 1 2 ]\n", to: "bare")
    for (table, key) in [
      (folder.file("a.ark").string, "u"), ("ark:\(folder.file("a.ark"))", "u"),
      ("scp:\(folder.file("a.scp"))", "u"), (folder.file("a.scp").string, "u"),
      ("ark,s,cs:\(packed)", "u"), (folder.file("bare").string, "all"),
      ("ark:cat '\(packed)' |", "u"),
    ] {
      let entries = try ArchiveInput(table).entries(commands: .allowed, withoutKey: "all")
      #expect(entries.map(\.key) == [key], "\(table)")
      #expect(entries.map(\.value) == [matrix], "\(table)")
    }
    let refused = #expect(throws: FileFault.self) {
      try ArchiveInput("ark:cat x |").entries(commands: .refused, withoutKey: "")
    }
    #expect(refused?.description.contains("--allow-commands") == true)
  }

  @Test("integers are read as far as they can be of a list and of a stream")
  func integers() throws {
    let folder = try TemporaryFolder()
    try folder.write("a 1 2\nb 1 2.5\nc\n", to: "lines.txt")
    try folder.write("a \(folder.file("lines.txt")):2\nx \(folder.file("none")):2\n", to: "l.scp")
    let list = try Archive.readReadableIntegers(folder.file("l.scp").string)
    #expect(try list.vectors["a"]?.get() == [1, 2])
    #expect(throws: FileFault.missing(path: folder.file("none"))) {
      try list.vectors["x"]?.get()
    }
    let command = "ark:cat '\(folder.file("lines.txt"))' |"
    let piped = try Archive.readReadableIntegers(command, commands: .allowed)
    #expect(try piped.vectors["c"]?.get() == [])
    #expect(throws: FileFault.self) { try piped.vectors["b"]?.get() }
    #expect(throws: FileFault.self) { try Archive.readReadableIntegers("ark,x:a") }
  }
}
