import CISAL
import EventRecords
import Foundation
import Storage
import SwiftProtobuf
import SystemPackage

/// A file of TensorBoard's events: records of a length, a checksum of it, a protocol buffer, and a checksum of
/// that (`tensorflow/core/lib/io/record_writer.cc`).
///
/// It stands under `PATH.part` until it is closed, where TensorBoard reads it already.
struct EventFile: ~Copyable {
  private var file: ResumableFile

  /// The number of bytes that were written.
  var byteCount: Int { file.byteCount }

  /// - Parameters:
  ///   - path: its name has `tfevents` in it.
  ///   - byteCount: how much to keep of one that was begun.
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

  /// Appends scalars of one step.
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

  /// Sees to it that what was written is on the disk.
  mutating func synchronize() throws(FileFault) { try file.synchronize() }

  /// Gives the file its name.
  consuming func close() throws(FileFault) { try file.commit() }
}

/// The masked CRC-32C of some bytes, little-endian: `((c >> 15) | (c << 17)) + 0xa282ead8`.
private func checksum(_ data: Data) -> Data {
  let crc = maskedChecksum(of: data)
  return bytes(crc)
}

/// The masked CRC-32C of some bytes, as record files have it (`tensorflow/core/lib/hash/crc32c.h`).
func maskedChecksum(of data: Data) -> UInt32 {
  var copy = Array(data)
  let count = Int32(copy.count)
  let crc = unsafe ~crc32_iscsi(&copy, count, UInt32.max)
  return (crc >> 15 | crc << 17) &+ 0xA282_EAD8
}

private func bytes<Value: FixedWidthInteger>(_ value: Value) -> Data {
  unsafe withUnsafeBytes(of: value.littleEndian) { unsafe Data($0) }
}
