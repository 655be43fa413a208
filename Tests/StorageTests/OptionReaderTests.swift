import Foundation
import Storage
import Testing

private struct Sample: Decodable {
  enum CodingKeys: String, CodingKey, CaseIterable { case learningRate, epochs }

  let learningRate: Double
  let epochs: Int

  init(from decoder: any Decoder) throws {
    let read = try OptionReader<CodingKeys>(decoder)
    learningRate = try read(.learningRate, default: 0.5)
    epochs = try read(.epochs)
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
        key: "learningrat", nearest: "learningRate", known: ["epochs", "learningRate"])
    ) { try decode(#"{"epochs": 3, "learningrat": 1}"#) }
  }

  @Test("an option unlike all others is an error that lists them")
  func unknown() {
    let fault = #expect(throws: OptionFault.self) {
      try decode(#"{"epochs": 3, "colour": 1}"#)
    }
    #expect(
      fault?.description == "unknown option colour; the options here are epochs, learningRate")
  }
}
