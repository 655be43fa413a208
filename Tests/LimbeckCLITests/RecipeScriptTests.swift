import Foundation
import SystemPackage
import TestSupport
import Testing

@Suite("The scripts of the recipes")
struct RecipeScriptTests {

  /// Runs bash.
  private func bash(_ arguments: String...) throws -> Run {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/bin/bash")
    process.arguments = arguments
    let (output, errors) = (Pipe(), Pipe())
    (process.standardOutput, process.standardError) = (output, errors)
    try process.run()
    let printed = output.fileHandleForReading.readDataToEndOfFile()
    let complained = errors.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return Run(
      status: process.terminationStatus, output: String(decoding: printed, as: UTF8.self),
      errors: String(decoding: complained, as: UTF8.self))
  }

  @Test("each answers --help with its usage and status 0")
  func help() throws {
    let paths = try FileManager.default.subpathsOfDirectory(
      atPath: recipesFolder.path(percentEncoded: false))
    // requirements.sh is sourced by the others.
    let scripts = paths.filter { $0.hasSuffix(".sh") && $0 != "requirements.sh" }
    #expect(scripts.count >= 15)
    for script in scripts {
      let path = recipesFolder.appending(path: script).path(percentEncoded: false)
      let run = try bash(path, "--help")
      #expect(run.status == 0 && run.errors.isEmpty, "\(script): \(run.errors)")
      let name = script.split(separator: "/").last ?? ""
      #expect(run.output.contains(name), "\(script): \(run.output)")
    }
  }

  @Test("a build copied from another folder is refused, with the command that removes it")
  func movedBuild() throws {
    let folder = try TemporaryFolder()
    try folder.write("inputs: [\"/elsewhere/Sources/a.swift\"]\n", to: ".build/release.yaml")
    let requirements = recipesFolder.appending(path: "requirements.sh")
      .path(percentEncoded: false)
    let root = folder.path.string
    let run = try bash("-c", "source '\(requirements)'; build_limbeck '\(root)'")
    #expect(run.status == 65)
    #expect(
      run.errors.contains("was made in another folder; remove it with: rm -rf '\(root)/.build'"))
  }
}
