import Corpus
import Foundation
import KaldiIO
import SystemPackage
import TestSupport
import Testing

/// What cannot be used is named, and what was stopped resumes.
extension PosteriorsCommandTests {
  @Test("a wrong rate, model or kind of features is named, and leaves nothing behind")
  func faults() throws {
    let wide = folder.file("wide.wav")
    AudioFixture.write(generatedWaveform(count: 16000), to: wide, sampleRate: 16000)
    let archive = folder.file("out.ark")
    let rate = try limbeck("posteriors", model, wide, "ark:\(archive)")
    #expect(rate.status == 65)
    #expect(rate.errors.contains("8000 Hz") && rate.errors.contains("16000 Hz"), "\(rate.errors)")
    #expect(try names(folder.path).filter { $0.hasPrefix("out.") }.isEmpty)

    let whole = try bytes(model)
    let cut = try folder.write(whole.prefix(whole.count / 2), to: "cut.safetensors")
    let other = folder.file("other")
    #expect(
      try limbeck("features", data, other, "--sample-rate", "8000", "--mel-bins", "12").status == 0)
    for (own, input, status, message) in [
      (cut, features, Int32(65), "cut.safetensors"),
      (folder.file("none.safetensors"), features, 66, "no such file"),
      (model, other, 65, "melBins"),
      (model, other.appending("feats.scp"), 65, "melBins"),
      (model, folder.file("none.wav"), 66, "none.wav: no such file"),
      (model, folder.file("none.scp"), 66, "none.scp: no such file"),
      (model, folder.file("audio"), 66, "wav.scp: no such file"),
    ] {
      for target in ["\(folder.file("nothing.ark"))", "\(folder.file("nothing"))"] {
        let run = try limbeck("posteriors", own, input, target)
        #expect(run.status == status, "\(input): \(run.errors)")
        #expect(run.errors.contains(message), "\(input): \(run.errors)")
      }
      #expect(!FileManager.default.fileExists(atPath: folder.file("nothing.ark").string))
      let left = (try? names(folder.file("nothing"))) ?? []
      #expect(!left.contains { $0.hasPrefix("posteriors") && !$0.hasSuffix(".part") }, "\(left)")
    }
    let speakers = try text(data.appending("wav.scp"))
    let inPlace = try limbeck("posteriors", model, data, data)
    #expect(inPlace.status == 64 && inPlace.errors.contains("whose lists would be overwritten"))
    #expect(try text(data.appending("wav.scp")) == speakers)
    let table = features.appending("feats.ark")
    let same = try limbeck("posteriors", model, table, table)
    #expect(same.status == 64 && same.errors.contains("expected other names"), "\(same.errors)")
    // Nor is the model or the vector of counts replaced.
    let own = try folder.write(whole, to: "own.safetensors")
    let replaced = try limbeck("posteriors", own, table, "ark:\(own)")
    #expect(replaced.status == 64 && replaced.errors.contains("expected other names"))
    #expect(try bytes(own) == whole)
    // A ledger is not enough to take a folder for the program's.
    try folder.write("{}\n", to: "foreign/ledger.jsonl")
    let foreign = try limbeck("posteriors", model, table, folder.file("foreign"))
    #expect(foreign.status == 65 && foreign.errors.contains("ledger.jsonl without"))
    #expect(try text(folder.file("foreign/ledger.jsonl")) == "{}\n")
    try folder.write("", to: "theirs/posteriors.ark")
    let theirs = try limbeck("posteriors", model, features, folder.file("theirs"))
    #expect(theirs.status == 65 && theirs.errors.contains("name another folder"))
    #expect(try bytes(folder.file("theirs/posteriors.ark")).isEmpty)
  }

  @Test("skipped utterances are named in the ledger and counted, and the others are done")
  func skipped() throws {
    let script = try text(data.appending("wav.scp"))
      .replacing("test-1 \(folder.file("audio/test-1.wav"))", with: "test-1 /nowhere/1.wav")
    try folder.write(script, to: "data/wav.scp")
    let run = try limbeck("posteriors", model, folder.file("data"), folder.file("out"))
    #expect(run.status == 65)
    #expect(
      run.errors.contains("1 of 4 utterances skipped; see \(folder.file("out/ledger.jsonl"))"))
    #expect(run.errors.ranges(of: "test-1, features: /nowhere/1.wav: no such file").count == 1)
    let ledger = try Ledger(path: folder.file("out/ledger.jsonl"))
    #expect(ledger.leftOut.map(\.utterance) == ["test-1"])
    let passed = ledger.passed(.posteriors)
    #expect(passed.map(\.utterance) == ["test-0", "test-2", "test-3"])
    #expect(passed.allSatisfy { $0.framesIn == 58 && $0.framesOut == 58 })
    let allowed = try limbeck(
      "posteriors", model, folder.file("data"), "ark:\(folder.file("out.ark"))", "--allow-skipped",
      "25%")
    #expect(allowed.status == 0)
    #expect(try bytes(folder.file("out.ark")) == bytes(folder.file("out/posteriors.ark")))

    // A frame so large that the network overflows.
    let row = Array(repeating: "3e38", count: 10).joined(separator: " ")
    try folder.write("a  [\n  \(row) ]\nb  [\n  0 1 2 3 4 5 6 7 8 9 ]\n", to: "large.ark")
    for target in ["ark:\(folder.file("some.ark"))", "-"] {
      let some = try limbeck("posteriors", model, "ark:\(folder.file("large.ark"))", target)
      #expect(some.status == 65)
      #expect(some.errors.contains("a, posteriors: "), "\(some.errors)")
      #expect(some.errors.contains("1 of 2 utterances skipped; see the lines above"))
    }
    #expect(try Archive.readMatrices(folder.file("some.ark")).map(\.key) == ["b"])
  }

  @Test("stopped by a full disk while features or posteriors are written, it resumes")
  func resumed() throws {
    let many = try SampleCorpus(utterances: ["train": 60])
    let audio = many.experimentPath.appending("data/train")
    let made = many.folder.file("features")
    #expect(
      try limbeck("features", audio, made, "--sample-rate", "8000", "--mel-bins", "10").status == 0)
    _ = try matrices(made, "whole")
    // The posteriors need 41 kB, the features 139 kB.
    for (input, kilobytes, part) in [
      (made, 16, "posteriors.ark.part"), (audio, 64, "features.part/feats.ark.part"),
    ] {
      let out = folder.file("stopped-\(kilobytes)")
      let (status, errors) = try starved(kilobytes, "posteriors", model, input, out, "--jobs", "2")
      #expect(status == 74, "\(errors)")
      #expect(FileManager.default.fileExists(atPath: out.appending(part).string), "\(errors)")
      for name in ["posteriors.ark", "posteriors.scp", "posteriors.json"] {
        #expect(!FileManager.default.fileExists(atPath: out.appending(name).string))
      }
      let again = try limbeck("posteriors", model, input, out, "--jobs", "1")
      #expect(again.status == 0, "\(again.errors)")
      #expect(again.errors.contains("resuming after"), "\(again.errors)")
      for name in ["posteriors.ark", "posteriors.json", "utt2num_frames"] {
        #expect(try bytes(out.appending(name)) == bytes(folder.file("whole/\(name)")), "\(name)")
      }
      #expect(try names(out) == names(folder.file("whole")))
    }
  }
}
