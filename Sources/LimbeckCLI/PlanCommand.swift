import ArgumentParser
import Evaluation
import Experiments
import Storage

/// `limbeck plan`: shows which steps of a recipe are done and which are to do.
struct PlanCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "plan",
    abstract: "Print a recipe's steps: which are fresh, to do or running.",
    discussion: """
      Writes nothing; EXP need not exist. A step is fresh if this build of limbeck made its files from the \
      present inputs and options; other commands skip it. Frames to go are summed over all epochs and \
      networks, less the epochs that checkpoints have completed.
      """)

  /// How the plan is printed.
  enum Form: EnumerableFlag {
    case tree, json, dot

    static func help(for form: Form) -> ArgumentHelp? {
      switch form {
      case .tree: "A tree of stages and steps."
      case .json: "JSON, with the inputs and outputs of each step."
      case .dot: "A graph for Graphviz."
      }
    }
  }

  @OptionGroup var experiment: ExperimentArguments
  @Flag(help: "How the plan is printed.") var form = Form.tree

  func run() throws {
    let plan = try experiment.open().plan()
    switch form {
    case .tree: try Terminal.print(plan.tree)
    case .json: try Terminal.write(JSONText.document(plan))
    case .dot: try Terminal.write(plan.dot)
    }
  }
}

extension PlanReport {
  /// A branch for each stage, and a line for each step.
  fileprivate var tree: String {
    var stages: [(name: String, steps: [Step])] = []
    for step in steps {
      if stages.last?.name != step.stage { stages.append((step.stage, [])) }
      stages[stages.count - 1].steps.append(step)
    }
    let width = steps.map(\.step.count).max() ?? 0
    var lines: [String] = []
    for (place, stage) in stages.enumerated() {
      let isLast = place == stages.count - 1
      lines.append((isLast ? "└─ " : "├─ ") + stage.name)
      for (number, step) in stage.steps.enumerated() {
        let mark = number == stage.steps.count - 1 ? "└─ " : "├─ "
        let frames = step.framesToGo.map { $0 > 0 ? "\(grouped($0)) frames to go" : "" } ?? ""
        let state = step.state.rawValue
        let line =
          (isLast ? "   " : "│  ") + mark + step.step.padded(to: width) + "  "
          + (frames.isEmpty ? state : state.padded(to: 9) + frames)
        lines.append(line)
        if let fault = step.fault { lines.append((isLast ? "   " : "│  ") + "      \(fault)") }
      }
    }
    let fresh = steps.count { $0.state == .fresh || $0.state == .notNeeded }
    let frames = framesToGo > 0 ? ", at least \(grouped(framesToGo)) frames to go" : ""
    lines.append("\(fresh) of \(steps.count) steps done\(frames)")
    return lines.joined(separator: "\n") + "\n"
  }

  /// A node for each step, coloured by state, with an arrow from each step that it needs.
  fileprivate var dot: String {
    func color(_ state: State) -> String {
      switch state {
      case .fresh: "palegreen"
      case .toDo: "white"
      case .running: "gold"
      case .notNeeded: "gray90"
      }
    }
    let nodes = steps.map { step in
      "  \"\(step.step)\" [fillcolor=\(color(step.state)), tooltip=\"\(step.state.rawValue)\"];"
    }
    let arrows = steps.flatMap { step in step.needs.map { "  \"\($0)\" -> \"\(step.step)\";" } }
    return
      (["digraph plan {", "  rankdir=LR;", "  node [shape=box, style=filled];"] + nodes + arrows
      + ["}", ""]).joined(separator: "\n")
  }
}

extension String {
  /// The string, padded with trailing spaces to a width.
  fileprivate func padded(to width: Int) -> String {
    self + String(repeating: " ", count: max(0, width - count))
  }
}
