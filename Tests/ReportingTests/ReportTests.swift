import Corpus
import Evaluation
import Foundation
import LinearAlgebra
import Logging
import Experiments
import Reporting
import Storage
import SystemPackage
import TestSupport
import Testing

@Suite("The report")
struct ReportTests {
  /// What a browser says of a page.
  private struct Probe: Decodable {
    struct Box: Decodable {
      let tag: String
      let width: Double
      let height: Double
      /// The paths of a drawing, or the rows of a table.
      let content: Int
    }

    let width: Double
    /// How wide the page would have to be to show all of it without scrolling.
    let scroll: Double
    let errors: [String]
    let boxes: [Box]
    /// The second column of the first table, after one click on its head and after two.
    let falling: [String]
    let rising: [String]
    /// The cells with a hyphen before a number.
    let hyphens: [String]
    /// The tables that are cut at their right without a word about it.
    let cut: Int
    /// The seconds of the recording.
    let seconds: Double
  }

  /// A scored experiment whose recipe has every section that the report shows.
  private func scored(_ corpus: SampleCorpus) throws -> Experiment {
    let system = "{hidden: {layers: 1, units: 12}, training: {epochs: 2, batchSize: 32}}"
    let recipe = try TextFile.text(of: corpus.recipePath)
    try corpus.folder.write(
      recipe + """
        search: {temperatures: [1, 2], hardWeights: [0, 0.5]}
        subsets: {shares: [0.5], soft: \(system), hard: \(system)}
        missingClass: {label: A, student: \(system)} # <b>&amp;
        specialists: {clustering: {clusters: 2}, training: {epochs: 1}, student: \(system)}

        """, to: "recipe.yaml")
    for part in ["train", "development", "test"] {
      let ids = try TextFile.lines(of: corpus.folder.file("exp/data/\(part)/wav.scp"))
        .compactMap { $0.text.split(separator: " ").first }
      let speakers = ids.enumerated().map { "\($1) speaker-\($0 % 2)%s\n" }
      try corpus.folder.write(speakers.joined(), to: "exp/data/\(part)/utt2spk")
    }
    let experiment = Experiment(
      recipe: try Recipe(path: corpus.recipePath), path: corpus.experimentPath, workers: .one,
      reporter: Reporter(log: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }) { _ in })
    _ = try experiment.run()
    return experiment
  }

  /// Opens a page in headless Chromium, unfolds it, sorts its first table, and measures what is on it.
  private func probe(_ html: String, width: Int, in folder: TemporaryFolder) throws -> Probe {
    let watch = """
      <script>const errors = [];
      addEventListener("error", event => errors.push(String(event.message || event.target.tagName)), true);
      </script>
      """
    let measure = """
      <script>addEventListener("load", () => {
        for (const fold of document.querySelectorAll("details")) fold.open = true;
        dispatchEvent(new Event("resize"));
        const [table] = document.querySelectorAll("table");
        const button = table.querySelectorAll("button")[1];
        const column = () => [...table.tBodies[0].rows].map(row => row.cells[1].textContent);
        button.click(); const falling = column();
        button.click(); const rising = column();
        const boxes = [...document.querySelectorAll("table, .drawing svg")].map(element => {
          const box = element.getBoundingClientRect();
          return {tag: element.tagName, width: box.width, height: box.height,
            content: element.rows ? element.rows.length : element.querySelectorAll("path").length};
        }).filter(box => box.width > 0);
        const hyphens = [...document.querySelectorAll("td")].map(cell => cell.textContent)
          .filter(text => /^-[0-9]/.test(text));
        const cut = [...document.querySelectorAll(".wide")].filter(box => box.scrollWidth > box.clientWidth
          && !box.nextElementSibling.textContent.includes("columns")).length;
        parent.postMessage(JSON.stringify({width: innerWidth, scroll: document.documentElement.scrollWidth,
          errors, boxes, falling, rising, hyphens, cut, seconds: document.querySelector("audio").duration}), "*");
      });</script></body>
      """
    let page = html.replacing("<meta charset", with: watch + "<meta charset")
      .replacing("</body>", with: measure)
    try folder.write(page, to: "page.html")
    // Windows cannot be as narrow as telephones, but frames can.
    let path = try folder.write(
      """
      <title></title><iframe width="\(width)" height="900" style="border: 0" src="page.html"></iframe>
      <script>addEventListener("message", event => document.title = event.data);</script>
      """, to: "frame-\(width).html")
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = [
      "chromium", "--headless", "--no-sandbox", "--disable-gpu", "--user-data-dir=\(path).user",
      "--virtual-time-budget=10000", "--window-size=1300,1000", "--dump-dom", "file://\(path)",
    ]
    let output = Pipe()
    process.standardOutput = output
    process.standardError = FileHandle.nullDevice
    try process.run()
    let dom = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    let title = try #require(dom.firstMatch(of: /<title>(.*?)<\/title>/)?.1)
    return try JSONDecoder().decode(Probe.self, from: Data(title.utf8))
  }

  @Test("the page has its tables and figures in a browser, wide and narrow, and sorts by a click")
  func page() throws {
    let corpus = try SampleCorpus()
    let html = try Report(try scored(corpus)).html()
    // Nothing is fetched, and what the recipe says is text.
    #expect(!html.contains("src=\"http") && !html.contains("href=\"http"))
    #expect(html.contains("# &lt;b&gt;&amp;amp;") && !html.contains("# <b>"))
    for id in [
      "verdict", "scores", "members", "distillation", "studies", "specialists", "training",
      "reliability",
      "speakers",
      "labels", "confusions", "example", "doubts", "recipe",
    ] {
      #expect(html.contains("<section id=\"\(id)\">"), "\(id)")
    }
    for width in [1280, 400] {
      let probe = try probe(html, width: width, in: corpus.folder)
      #expect(probe.errors.isEmpty && probe.width == Double(width))
      #expect(probe.scroll <= probe.width)
      let (tables, figures) = (
        probe.boxes.filter { $0.tag == "TABLE" }, probe.boxes.filter { $0.tag == "svg" }
      )
      #expect(tables.count >= 15 && figures.count == 9)
      #expect(tables.allSatisfy { $0.width > 50 && $0.height > 40 && $0.content > 1 })
      for figure in figures {
        #expect(figure.width >= 300 && figure.height >= 150 && figure.content > 0, "\(figure)")
      }
      let values = probe.falling.compactMap { Double($0.split(separator: " ").first ?? "") }
      #expect(values.count == 4 && values == values.sorted(by: >))
      let others = probe.rising.compactMap { Double($0.split(separator: " ").first ?? "") }
      #expect(others == values.sorted())
      #expect(probe.hyphens.isEmpty && probe.cut == 0)
      #expect(abs(probe.seconds - 0.6) < 0.01)
    }
  }

  @Test("an utterance that there is not is named")
  func noUtterance() throws {
    let corpus = try SampleCorpus()
    let experiment = try scored(corpus)
    let fault = #expect(throws: ExperimentFault.self) {
      try Report(experiment, showing: "nobody-1")
    }
    #expect("\(try #require(fault))" == "expected an utterance of the test set, found nobody-1")
    #expect(throws: Never.self) { try Report(experiment, showing: "test-2") }
  }

  @Test("scores of other models than are there are not shown beside them")
  func staleScores() throws {
    let corpus = try SampleCorpus()
    let experiment = try scored(corpus)
    try FileManager.default.removeItem(
      atPath: corpus.experimentPath.appending("models/student.safetensors").string)
    try FileManager.default.copyItem(
      atPath: corpus.experimentPath.appending("models/baseline.safetensors").string,
      toPath: corpus.experimentPath.appending("models/student.safetensors").string)
    let fault = #expect(throws: ExperimentFault.self) { try Report(experiment) }
    #expect(try #require(fault) == .staleScores(experiment.scoresPath))
  }
}
