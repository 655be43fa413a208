import Foundation
import Storage
import SystemPackage
import Testing

private struct Sample: Decodable {
  enum CodingKeys: String, CodingKey, CaseIterable { case learningRate, epochs, map }

  let learningRate: Double
  let epochs: Int
  let map: FilePath?

  init(from decoder: any Decoder) throws {
    let read = try OptionReader<CodingKeys>(decoder)
    learningRate = try read(.learningRate, default: 0.5)
    epochs = try read(.epochs)
    map = try read.optional(.map)
  }
}

@Suite("Options")
struct OptionReaderTests {
  private func decode(_ json: String) throws -> Sample {
    try JSONDecoder().decode(Sample.self, from: Data(json.utf8))
  }

  @Test("an absent option has its default")
  func defaults() throws {
    let sample = try decode(#"{"epochs": 3}"#)
    #expect(sample.learningRate == 0.5)
    #expect(sample.epochs == 3)
  }

  @Test("a misspelt option is an error that suggests the right one")
  func suggestion() {
    #expect(
      throws: OptionFault.unknown(
        key: "learningrat", nearest: "learningRate", known: ["epochs", "learningRate", "map"])
    ) { try decode(#"{"epochs": 3, "learningrat": 1}"#) }
  }

  @Test("an option unlike all others is an error that lists them")
  func unknown() {
    let fault = #expect(throws: OptionFault.self) {
      try decode(#"{"epochs": 3, "colour": 1}"#)
    }
    #expect(
      fault?.description == "unknown option colour; the options here are epochs, learningRate, map")
  }

  @Test("the text of an option becomes a path, but for one with a NUL")
  func paths() throws {
    #expect(try decode(#"{"epochs": 3, "map": "a//b"}"#).map == "a/b")
    #expect(try decode(#"{"epochs": 3}"#).map == nil)
    #expect(
      throws: OptionFault.outOfRange(
        key: "map", expected: "a usable path", found: "one with a NUL in it")
    ) { try decode(#"{"epochs": 3, "map": "a\u0000b"}"#) }
  }
}
