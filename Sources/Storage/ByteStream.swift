import Foundation
package import SystemPackage

/// Bytes read block by block from a file, standard input or a command.
///
/// Gzip data, recognised by its first two bytes, is decompressed on the fly. Memory does not grow with the amount read.
package final class ByteStream {
  /// The source's name in faults.
  package let origin: Origin
  /// The number of bytes from where the stream began; nil for a pipe or compressed data.
  package let size: Int?
  /// Whether `read()` has reached the end.
  package private(set) var isAtEnd = false

  /// Nil once closed, and for bytes in memory.
  private var file: OpenFile?
  /// The blocks in memory, last block first.
  private var blocks: [[UInt8]] = []
  private let inflater: Inflater?
  /// Bytes that were peeked at but not read.
  private var pending: [UInt8] = []

  /// Opens a file.
  ///
  /// - Parameter path: the path of a file, a device or a pipe; `-` for standard input.
  /// - Throws: `FileFault` when it cannot be opened.
  package convenience init(_ path: FilePath) throws(FileFault) {
    guard path == "-" else {
      try self.init(OpenFile(path, for: .reading))
      return
    }
    let name = Origin.named("standard input")
    // A duplicate descriptor of the same open file, so that bytes a caller has read stay read.
    let descriptor = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3)
    guard descriptor >= 0 else {
      throw .unreadable(path: name, reason: FileFault.words(for: errno))
    }
    try self.init(OpenFile(descriptor, named: name))
  }

  init(_ file: OpenFile) throws(FileFault) {
    origin = file.origin
    let facts = try file.facts()
    var rest: Int?
    if facts.st_mode & S_IFMT == S_IFREG {
      let place = lseek(file.descriptor, 0, SEEK_CUR)
      guard place >= 0 else { throw .reading(file.origin) }
      // Files in /proc report a size of zero.
      rest = facts.st_size > 0 ? max(0, Int(facts.st_size) - Int(place)) : nil
      var mark: [UInt8] = [0, 0]
      let count = try fill(&mark, from: file, at: Int(place))
      inflater = Inflater.isPacked(mark.prefix(count)) ? Inflater(origin: file.origin) : nil
    } else {
      var head: [UInt8] = []
      while head.count < 2 {
        let block = try block(of: file)
        if block.isEmpty { break }
        head += block
      }
      if Inflater.isPacked(head[...]) {
        inflater = Inflater(origin: file.origin, input: head)
      } else {
        (inflater, pending) = (nil, head)
      }
    }
    size = inflater == nil ? rest : nil
    self.file = file
  }

  /// Bytes in memory, as if they came from a pipe.
  ///
  /// - Parameters:
  ///   - blocks: the bytes that each read returns; none is empty.
  ///   - name: the source's name in faults.
  package init(blocks: [[UInt8]], named name: String) {
    precondition(blocks.allSatisfy { !$0.isEmpty }, "ByteStream: an empty block")
    (origin, size, file) = (.named(name), nil, nil)
    self.blocks = blocks.reversed()
    inflater = Inflater.isPacked(blocks.first?[...] ?? []) ? Inflater(origin: origin) : nil
  }

  /// The next bytes.
  ///
  /// - Returns: at least one, or none at the end.
  /// - Throws: `FileFault` when they cannot be read, or are corrupt gzip data.
  package func read() throws(FileFault) -> [UInt8] {
    if !pending.isEmpty {
      defer { pending = [] }
      return pending
    }
    guard !isAtEnd else { return [] }
    let bytes: [UInt8]
    if let inflater {
      bytes = try inflater.unpacked { () throws(FileFault) in try storedBlock() }
    } else {
      bytes = try storedBlock()
    }
    isAtEnd = bytes.isEmpty
    return bytes
  }

  /// The next bytes as stored, not decompressed; none at the end.
  private func storedBlock() throws(FileFault) -> [UInt8] {
    if let file { return try block(of: file) }
    return blocks.popLast() ?? []
  }

  /// The next bytes, without consuming them.
  ///
  /// - Returns: as many as asked for, or fewer where the stream ends.
  /// - Throws: as `read()`.
  package func peek(_ count: Int) throws(FileFault) -> ArraySlice<UInt8> {
    while pending.count < count {
      let kept = pending
      pending = []
      let more: [UInt8]
      do { more = try read() } catch {
        pending = kept
        throw error
      }
      pending = kept + more
      if more.isEmpty { break }
    }
    return pending.prefix(count)
  }

  /// Skips bytes, stopping at the end.
  ///
  /// - Complexity: constant in a file that is not compressed.
  /// - Throws: as `read()`.
  package func skip(_ count: Int) throws(FileFault) {
    precondition(count >= 0, "ByteStream: \(count) bytes to skip")
    var left = count
    while left > 0 {
      if pending.isEmpty, let file, let size {
        guard lseek(file.descriptor, off_t(min(left, size)), SEEK_CUR) >= 0 else {
          throw .reading(origin)
        }
        return
      }
      let bytes = try read()
      if bytes.isEmpty { return }
      if bytes.count > left { pending = Array(bytes[left...]) }
      left -= min(left, bytes.count)
    }
  }

  /// Closes the file; nothing more can be read.
  func close() { (file, pending) = (nil, []) }
}

/// The number of bytes requested per system call.
private let blockSize = 1 << 17

/// The next bytes of an open file; none at its end.
private func block(of file: OpenFile) throws(FileFault) -> [UInt8] {
  do {
    return try unsafe [UInt8](unsafeUninitializedCapacity: blockSize) { buffer, count in
      unsafe count = try file.read(into: UnsafeMutableRawBufferPointer(buffer))
    }
  } catch {
    throw error as? FileFault ?? .unreadable(path: file.origin, reason: "\(error)")
  }
}

/// Fills an array with the bytes starting at an offset.
///
/// - Returns: the number of bytes read.
private func fill(
  _ bytes: inout [UInt8], from file: OpenFile, at offset: Int
) throws(FileFault) -> Int {
  do {
    return try unsafe bytes.withUnsafeMutableBytes { try unsafe file.read(at: offset, into: $0) }
  } catch {
    throw error as? FileFault ?? .unreadable(path: file.origin, reason: "\(error)")
  }
}

extension ByteStream {
  /// Runs a command and passes `body` its output as it arrives.
  ///
  /// Output that `body` does not read is drained, so that the command exits by itself. If `body` throws, the command is
  /// terminated.
  ///
  /// - Throws: a machine `FileFault` when the command cannot be started or is killed by a signal; a data `FileFault`
  ///   when it exits with a non-zero status; and whatever `body` throws.
  package static func withOutput<Value>(
    of command: String, _ body: (ByteStream) throws(FileFault) -> Value
  ) throws(FileFault) -> Value {
    let (running, stream) = try begin(command)
    let outcome = Result { () throws(FileFault) in
      let value = try body(stream)
      while try !stream.read().isEmpty {}
      return value
    }
    let isWhole = stream.isAtEnd
    stream.close()
    if case .failure(let fault) = outcome, !isWhole || fault.isOfMachine {
      running.end()
      throw fault
    }
    // A failing command may cut its output short; then its status is the real fault.
    try running.requireSuccess()
    return try outcome.get()
  }

  /// Starts a command; only the stream holds its pipe.
  private static func begin(
    _ command: String
  ) throws(FileFault) -> (ShellCommand.Running, ByteStream) {
    let (running, output) = try ShellCommand.start(command)
    do throws(FileFault) {
      // The stream reads the first bytes.
      return (running, try ByteStream(output))
    } catch {
      running.end()
      throw error
    }
  }
}
