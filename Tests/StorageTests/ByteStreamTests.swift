import Foundation
import Storage
import SystemPackage
import TestSupport
import Testing

@Suite("Streams of bytes")
struct ByteStreamTests {
  private let folder: TemporaryFolder
  /// More than several blocks of a file.
  private let bytes = (0..<700_001).map { UInt8(truncatingIfNeeded: $0 &* 2_654_435_761 >> 13) }

  init() throws { folder = try TemporaryFolder() }

  private func rest(of stream: ByteStream) throws(FileFault) -> [UInt8] {
    var all: [UInt8] = []
    while case let block = try stream.read(), !block.isEmpty { all += block }
    return all
  }

  @Test("a file is read whole, whatever was looked at or passed over before")
  func file() throws {
    let path = try folder.write(Data(bytes), to: "plain")
    let stream = try ByteStream(path)
    #expect(stream.size == bytes.count)
    #expect(try Array(stream.peek(5)) == Array(bytes[..<5]))
    #expect(try rest(of: stream) == bytes)
    #expect(try stream.read().isEmpty)
    for (first, second) in [(0, 3), (3, 200_000), (1, bytes.count)] {
      let stream = try ByteStream(path)
      _ = try stream.peek(4)
      try stream.skip(first)
      try stream.skip(second)
      #expect(try rest(of: stream) == Array(bytes.dropFirst(first + second)))
    }
    let beyond = try ByteStream(path)
    try beyond.skip(.max)
    #expect(try beyond.read().isEmpty)
    let none = path.withSuffix("0")
    #expect(throws: FileFault.missing(path: none)) { try ByteStream(none) }
    #expect(throws: FileFault.malformed(path: folder.path, expected: "a file", found: "a folder")) {
      try ByteStream(folder.path)
    }
  }

  @Test("members of gzip are unpacked one after the other, with zeros behind them")
  func packed() throws {
    let path = try folder.write(Data(bytes), to: "plain")
    let packed = folder.file("packed")
    let command =
      "(head -c 300000 '\(path)' | gzip -n; tail -c +300001 '\(path)' | gzip -n; head -c 700 /dev/zero) >'\(packed)'"
    #expect(try ShellCommand.exitStatus(of: command) == 0)
    let stream = try ByteStream(packed)
    #expect(stream.size == nil)
    try stream.skip(299_999)
    #expect(try rest(of: stream) == Array(bytes[299_999...]))
    let whole = try [UInt8](Data(contentsOf: URL(fileURLWithPath: packed.string))).dropLast(700)
    let pieces = stride(from: 0, to: whole.count, by: 977).map {
      Array(whole[$0..<min($0 + 977, whole.count)])
    }
    #expect(try rest(of: ByteStream(blocks: pieces, named: "pieces")) == bytes)
    for length in [3, 17, whole.count / 4, whole.count - 9, whole.count - 1] {
      let fault = #expect(throws: FileFault.self) {
        try rest(of: ByteStream(blocks: [Array(whole.prefix(length))], named: "cut"))
      }
      #expect(fault?.description.contains("complete gzip file") == true, "\(length) bytes")
    }
    var damaged = [UInt8](whole)
    damaged[damaged.count / 2] ^= 0x55
    let fault = #expect(throws: FileFault.self) {
      try rest(of: ByteStream(blocks: [damaged], named: "damaged"))
    }
    #expect(fault?.exitStatus == .data)
  }

  @Test("a command's output is read as it comes, and its end must be a good one")
  func commands() throws {
    let path = try folder.write(Data(bytes), to: "plain")
    func read(_ command: String) throws(FileFault) -> [UInt8] {
      try ByteStream.withOutput(of: command) { stream throws(FileFault) in try rest(of: stream) }
    }
    #expect(try read("cat '\(path)'") == bytes)
    #expect(try read("gzip -c '\(path)'") == bytes)
    #expect(try read("true").isEmpty)
    let status = #expect(throws: FileFault.self) { try read("cat '\(path)'; exit 3") }
    #expect(status?.description.hasSuffix("expected exit status 0, found 3") == true)
    #expect(status?.exitStatus == .data)
    #expect(throws: FileFault.self) { try read("kill -9 $$") }
    // What is left of the output is passed over; what `body` throws ends the command.
    let first = try ByteStream.withOutput(of: "cat '\(path)'") { stream throws(FileFault) in
      try Array(stream.peek(1))
    }
    #expect(first == [bytes[0]])
    let own = FileFault.malformed(path: "own", expected: "a", found: "b")
    #expect(throws: own) {
      try ByteStream.withOutput(of: "yes") { _ throws(FileFault) in throw own }
    }
    // A command that fails explains why its output is none.
    let missing = #expect(throws: FileFault.self) {
      try ByteStream.withOutput(of: "exit 4") { stream throws(FileFault) in
        guard try !stream.read().isEmpty else { throw own }
      }
    }
    #expect(missing?.description.hasSuffix("found 4") == true)
  }
}
