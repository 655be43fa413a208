import CISAL
import EventRecords
import Foundation
import Storage
import SwiftProtobuf
import SystemPackage

/// A TensorBoard event file (`tensorflow/core/lib/io/record_writer.cc`).
///
/// Each record is a length, the length's checksum, a protocol buffer, and the buffer's checksum.
/// The file is `PATH.part` until it is closed; TensorBoard can read it there.
struct EventFile: ~Copyable {
  private var file: ResumableFile

  /// The number of bytes written, including those kept.
  var byteCount: Int { file.byteCount }

  /// - Parameters:
  ///   - path: the final path; TensorBoard expects `tfevents` in the name.
  ///   - byteCount: the number of bytes of an existing part to keep.
  /// - Throws: `FileFault` when it cannot be written.
  init(path: FilePath, keeping byteCount: Int) throws(FileFault) {
    var file = try ResumableFile(path: path, keeping: byteCount)
    if byteCount == 0 {
      var first = Limbeck_Tensorboard_Event()
      first.wallTime = Date().timeIntervalSince1970
      first.fileVersion = "brain.Event:2"
      try file.write(EventFile.record(first))
    }
    self.file = file
  }

  /// Appends the scalars of one step.
  mutating func write(_ scalars: [(tag: String, value: Double)], step: Int) throws(FileFault) {
    var event = Limbeck_Tensorboard_Event()
    event.wallTime = Date().timeIntervalSince1970
    event.step = Int64(step)
    event.summary.value = scalars.map { tag, value in
      var scalar = Limbeck_Tensorboard_Summary.Value()
      scalar.tag = tag
      scalar.simpleValue = Float(value)
      return scalar
    }
    try file.write(EventFile.record(event))
  }

  private static func record(_ event: Limbeck_Tensorboard_Event) -> Data {
    guard let payload: Data = try? event.serializedBytes() else {
      preconditionFailure("EventFile: an event of numbers and names does not serialise")
    }
    let length = bytes(UInt64(payload.count))
    return length + checksum(length) + payload + checksum(payload)
  }

  /// Flushes what was written to disk.
  mutating func synchronize() throws(FileFault) { try file.synchronize() }

  /// Renames the file to its final name.
  consuming func close() throws(FileFault) { try file.commit() }
}

/// The bytes of the masked CRC-32C, little-endian.
private func checksum(_ data: Data) -> Data {
  let crc = maskedChecksum(of: data)
  return bytes(crc)
}

/// The masked CRC-32C of TensorFlow's record files (`tensorflow/core/lib/hash/crc32c.h`): `((c >>
/// 15) | (c << 17)) + 0xa282ead8`.
func maskedChecksum(of data: Data) -> UInt32 {
  var copy = Array(data)
  let count = Int32(copy.count)
  let crc = unsafe ~crc32_iscsi(&copy, count, UInt32.max)
  return (crc >> 15 | crc << 17) &+ 0xA282_EAD8
}

private func bytes<Value: FixedWidthInteger>(_ value: Value) -> Data {
  unsafe withUnsafeBytes(of: value.littleEndian) { unsafe Data($0) }
}
