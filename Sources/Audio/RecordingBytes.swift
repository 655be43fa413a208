import Foundation
package import Storage
package import SystemPackage

/// The bytes of a recording: a file, or the part of a Kaldi archive that starts at a byte.
///
/// Only one thread may use it at a time.
package final class RecordingBytes {
  /// The name of the recording in messages.
  package let origin: Origin
  /// The number of bytes.
  package private(set) var count: Int
  /// The offset of the next read, from the first byte of the recording.
  package var position = 0
  /// The fault of a failed read; decoders only see that no byte was read.
  package private(set) var fault: FileFault?
  /// Bytes to read in place of the file's.
  var patch: RecordingStream.Patch?

  /// Identifies the bytes of a file, unless the file is written to.
  struct Identity: Hashable {
    var path: FilePath
    var start: Int
    var count: Int
    var device: UInt64
    var file: UInt64
    var seconds: Int
    var nanoseconds: Int
  }

  let identity: Identity
  /// Whether the file may continue after the recording.
  let isInArchive: Bool

  private let file: OpenFile
  private let start: Int
  /// Bytes read ahead, because headers and frames are read in small pieces, and their offset.
  private var ahead: (offset: Int, bytes: [UInt8]) = (0, [])

  /// Opens the file of an entry of `wav.scp`.
  ///
  /// - Parameters:
  ///   - path: the file; or `PATH:OFFSET`, unless a file has that name.
  ///   - name: the recording's name in faults; nil for the path.
  /// - Throws: `AudioFault` when the file is missing or not a regular file, or the system fails.
  package convenience init(_ path: FilePath, called name: Origin? = nil) throws(AudioFault) {
    let (filePath, offset) = try AudioFault.ofSystem { () throws(FileFault) in
      try RecordingBytes.place(of: path)
    }
    let name = name ?? .file(path)
    // Checked before opening, since opening a pipe would wait for its writer.
    let kind = try AudioFault.ofSystem { () throws(FileFault) in
      try FileSystem.facts(of: filePath)?.kind
    }
    switch kind {
    case .folder: throw .unreadable(path: name, reason: "it is a folder")
    case .other: throw .unreadable(path: name, reason: "it is a pipe or a device")
    case .file, nil: break
    }
    let file = try AudioFault.ofSystem { () throws(FileFault) in
      try OpenFile(filePath, for: .reading)
    }
    let facts = try AudioFault.ofSystem { () throws(FileFault) in try file.facts() }
    let size = Int(facts.st_size)
    guard offset <= size else {
      throw .unreadable(path: name, reason: "the archive has only \(size) bytes")
    }
    let identity = Identity(
      path: filePath, start: offset, count: size, device: UInt64(facts.st_dev),
      file: UInt64(facts.st_ino), seconds: facts.st_mtim.tv_sec,
      nanoseconds: facts.st_mtim.tv_nsec)
    self.init(
      origin: name, file: file, start: offset, count: size - offset, identity: identity,
      isInArchive: filePath != path)
    if isInArchive, let length = try riffLength(), length < count {
      // The archive continues after the recording.
      count = length
    }
  }

  /// A part of another recording's bytes.
  convenience init(_ range: Range<Int>, of whole: RecordingBytes) {
    self.init(
      origin: whole.origin, file: whole.file, start: whole.start + range.lowerBound,
      count: range.count, identity: whole.identity, isInArchive: whole.isInArchive)
  }

  private init(
    origin: Origin, file: OpenFile, start: Int, count: Int, identity: Identity, isInArchive: Bool
  ) {
    (self.origin, self.file, self.start, self.count) = (origin, file, start, count)
    (self.identity, self.isInArchive) = (identity, isInArchive)
  }

  /// The file of an entry of `wav.scp`, and the offset of the recording in it.
  package static func place(
    of path: FilePath
  ) throws(FileFault) -> (file: FilePath, offset: Int) {
    guard let name = path.lastComponent?.string, let colon = name.lastIndex(of: ":"),
      let offset = Int(name[name.index(after: colon)...]), offset >= 0,
      let file = path.withoutSuffix(String(name[colon...])),
      try FileSystem.facts(of: path) == nil
    else { return (path, 0) }
    return (file, offset)
  }

  /// The length of the RIFF file that starts here, by its header; nil for other formats.
  private func riffLength() throws(AudioFault) -> Int? {
    let head = try bytes(at: 0, count: 12)
    guard head.count == 12, head.starts(with: "RIFF".utf8), head[8...].starts(with: "WAVE".utf8)
    else { return nil }
    return 8 + RecordingBytes.littleEndian(head[4..<8])
  }

  /// The unsigned integer in at most four little-endian bytes.
  package static func littleEndian(_ bytes: ArraySlice<UInt8>) -> Int {
    bytes.reversed().reduce(0) { $0 << 8 | Int($1) }
  }

  /// Reads bytes at an offset; fewer at the end.
  package func bytes(at offset: Int, count wanted: Int) throws(AudioFault) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: max(0, min(wanted, count - offset)))
    let got = unsafe bytes.withUnsafeMutableBytes { unsafe read(at: offset, into: $0) }
    if let fault { throw .system(fault) }
    return Array(bytes.prefix(got))
  }

  /// Reads the next bytes.
  ///
  /// - Returns: the number of bytes; 0 at the end, and on a failure, which `fault` then holds.
  package func read(into buffer: UnsafeMutableRawBufferPointer) -> Int {
    let got = unsafe read(at: position, into: buffer)
    position += got
    return got
  }

  private func read(at offset: Int, into buffer: UnsafeMutableRawBufferPointer) -> Int {
    let wanted = max(0, min(buffer.count, count - offset))
    guard wanted > 0 else { return 0 }
    let part = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[..<wanted])
    do throws(FileFault) {
      let got = unsafe try fill(part, from: offset)
      if let patch {
        for (index, byte) in patch.bytes.enumerated() {
          let place = patch.offset + index - offset
          if (0..<got).contains(place) { unsafe part[place] = byte }
        }
      }
      return got
    } catch {
      fault = error
      return 0
    }
  }

  /// Fills a buffer with the file's bytes at an offset, as far as there are any.
  private func fill(
    _ buffer: UnsafeMutableRawBufferPointer, from offset: Int
  ) throws(FileFault) -> Int {
    guard buffer.count <= RecordingBytes.piece else {
      return unsafe try file.read(at: start + offset, into: buffer)
    }
    if offset < ahead.offset || offset + buffer.count > ahead.offset + ahead.bytes.count {
      var bytes = [UInt8](repeating: 0, count: min(8 * RecordingBytes.piece, count - offset))
      let place = start + offset
      let read = unsafe bytes.withUnsafeMutableBytes { all in
        Result { () throws(FileFault) in unsafe try file.read(at: place, into: all) }
      }
      // The failure may be beyond the bytes requested.
      guard case .success(let got) = read else {
        return unsafe try file.read(at: place, into: buffer)
      }
      bytes.removeLast(bytes.count - got)
      ahead = (offset, bytes)
    }
    let first = offset - ahead.offset
    let available = max(0, min(buffer.count, ahead.bytes.count - first))
    unsafe ahead.bytes[first..<first + available].withUnsafeBytes {
      unsafe buffer.copyMemory(from: $0)
    }
    return available
  }

  /// The maximum size of a small read, in bytes.
  private static let piece = 4096

  /// Sets the position of the next read.
  ///
  /// - Parameters:
  ///   - offset: the offset relative to `whence`.
  ///   - whence: `SEEK_SET`, `SEEK_CUR` or `SEEK_END`.
  /// - Returns: the new position; -1 if it would be before the first byte.
  package func seek(_ offset: Int, _ whence: Int32) -> Int {
    let base =
      switch whence {
      case SEEK_CUR: position
      case SEEK_END: count
      default: 0
      }
    let (place, overflow) = base.addingReportingOverflow(offset)
    guard !overflow, place >= 0 else { return -1 }
    position = place
    return place
  }
}
