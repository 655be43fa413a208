// swift-tools-version: 6.2
import PackageDescription

/// Programs that use a model through the library product of limbeck.
let package = Package(
  name: "Deploy",
  dependencies: [.package(name: "limbeck", path: "../../..")],
  targets: ["LabelStream", "FrameProbabilities"].map { name in
    .executableTarget(name: name, dependencies: [.product(name: "Limbeck", package: "limbeck")])
  })
