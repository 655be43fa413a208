import Foundation
import Networks
import Storage
import SystemPackage
import TestSupport
import Testing

@Suite("Safetensors files")
struct SafetensorsTests {
  @Test("a file that Python's safetensors 0.8.0 wrote is read (Fixtures/make_golden.py)")
  func fromPython() throws {
    let path = try #require(
      Bundle.module.path(forResource: "Fixtures/python.safetensors", ofType: nil))
    let file = try SafetensorsFile(path: FilePath(path))
    #expect(file.metadata == ["made": "by Python", "quote": "a \"word\""])
    #expect(
      file.tensors == [
        "weight": .init(shape: [2, 3], values: [0, 0.125, 0.25, 0.375, 0.5, 0.625]),
        "bias": .init([-1.5, 2.25]),
      ])
  }

  @Test("a file survives, and the same content gives the same bytes")
  func roundTrip() throws {
    let folder = try TemporaryFolder()
    let file = SafetensorsFile(
      metadata: ["a": "1", "ü": "\"/\n"],
      tensors: ["z": .init([1, 2, .pi]), "a": .init(shape: [1, 2], values: [-0.0, 1e-38])])
    try file.write(to: folder.file("one"))
    try file.write(to: folder.file("two"))
    #expect(try SafetensorsFile(path: folder.file("one")) == file)
    #expect(try TextFile.bytes(of: folder.file("one")) == TextFile.bytes(of: folder.file("two")))
  }

  @Test("a file cut short anywhere, and one of another type, are faults")
  func malformed() throws {
    let folder = try TemporaryFolder()
    try SafetensorsFile(tensors: ["a": .init([1, 2, 3])]).write(to: folder.file("whole"))
    let whole = try TextFile.bytes(of: folder.file("whole"))
    for length in 0..<whole.count {
      let path = try folder.write(Data(whole.prefix(length)), to: "cut")
      #expect(throws: FileFault.self, "cut to \(length)") { try SafetensorsFile(path: path) }
    }
    let half = String(decoding: whole, as: UTF8.self).replacing("F32", with: "F16")
    let path = try folder.write(half, to: "half")
    #expect(throws: FileFault.self) { try SafetensorsFile(path: path) }
  }

  @Test("tensors that share bytes, of which a small file could claim any number, are a fault")
  func overlapping() throws {
    let folder = try TemporaryFolder()
    try SafetensorsFile(tensors: ["a": .init([1, 2]), "b": .init([3, 4])])
      .write(to: folder.file("whole"))
    let whole = String(decoding: try TextFile.bytes(of: folder.file("whole")), as: UTF8.self)
    #expect(whole.contains("[8,16]"))
    let path = try folder.write(whole.replacing("[8,16]", with: "[0, 8]"), to: "shared")
    let fault = #expect(throws: FileFault.self) { try SafetensorsFile(path: path) }
    #expect("\(try #require(fault))".contains("behind byte 8 of the values, where another ends"))
  }
}
