import Foundation
package import Storage
package import SystemPackage

/// The bytes of a recording: a file, or from a byte on a part of one, as a recording within a Kaldi archive is.
///
/// It is read from one thread at a time.
package final class RecordingBytes {
  /// What the recording is called in messages.
  package let origin: Origin
  /// The number of bytes.
  package private(set) var count: Int
  /// Where the next read starts, from the first byte of the recording.
  package var position = 0
  /// What the system said when a read failed; decoders see only that no byte came.
  package private(set) var fault: FileFault?
  /// Bytes that are read in place of the file's, from an offset on.
  var patch: RecordingStream.Patch?

  /// Which bytes of which file there are, as long as the file is not written to.
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
  /// Whether the file may go on behind the recording.
  let isInArchive: Bool

  private let file: OpenFile
  private let start: Int
  /// Bytes that were read ahead, since headers and frames are read in small pieces, and their offset.
  private var ahead: (offset: Int, bytes: [UInt8]) = (0, [])

  /// Opens the file of an entry of `wav.scp`.
  ///
  /// - Parameters:
  ///   - path: of a file; or `PATH:OFFSET` where no file is called so.
  ///   - name: what faults call it; nil for the path.
  /// - Throws: `AudioFault` when there is no such file, it is no regular file, or the system fails.
  package convenience init(_ path: FilePath, called name: Origin? = nil) throws(AudioFault) {
    let (filePath, offset) = try AudioFault.ofSystem { () throws(FileFault) in
      try RecordingBytes.place(of: path)
    }
    let name = name ?? .file(path)
    // Asked for before it is opened, since a pipe would wait for its writer.
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
      // Behind it the archive goes on.
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

  /// The file of an entry of `wav.scp`, and where in it the recording starts.
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

  /// The bytes of a RIFF file that this begins with, by its header; nil of anything else.
  private func riffLength() throws(AudioFault) -> Int? {
    let head = try bytes(at: 0, count: 12)
    guard head.count == 12, head.starts(with: "RIFF".utf8), head[8...].starts(with: "WAVE".utf8)
    else { return nil }
    return 8 + RecordingBytes.littleEndian(head[4..<8])
  }

  /// An unsigned integer of at most four bytes.
  package static func littleEndian(_ bytes: ArraySlice<UInt8>) -> Int {
    bytes.reversed().reduce(0) { $0 << 8 | Int($1) }
  }

  /// The bytes from an offset on, fewer at the end.
  package func bytes(at offset: Int, count wanted: Int) throws(AudioFault) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: max(0, min(wanted, count - offset)))
    let got = unsafe bytes.withUnsafeMutableBytes { unsafe read(at: offset, into: $0) }
    if let fault { throw .system(fault) }
    return Array(bytes.prefix(got))
  }

  /// Reads the next bytes.
  ///
  /// - Returns: how many; 0 at the end, and when the system fails, which `fault` says.
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

  /// Fills a buffer with the file's bytes from an offset on, as far as there are any.
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
      // The system may fail only behind what is asked for.
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

  /// What counts as small, in bytes.
  private static let piece = 4096

  /// Sets where the next read starts.
  ///
  /// - Parameters:
  ///   - offset: from what `whence` says.
  ///   - whence: `SEEK_SET`, `SEEK_CUR` or `SEEK_END`.
  /// - Returns: the place; -1 for one before the first byte.
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
