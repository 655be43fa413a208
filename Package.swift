// swift-tools-version: 6.2
import PackageDescription

/// Settings that every Swift target shares; a target adds to them, never replaces them.
let strict: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .strictMemorySafety(),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableExperimentalFeature("Lifetimes"),
  .treatAllWarnings(as: .error),
]

/// A library layer: may import only the layers named in `uses`, all of which stand above it here.
func layer(_ name: String, uses: [Target.Dependency]) -> Target {
  .target(name: name, dependencies: uses, swiftSettings: strict)
}

/// The tests of one layer, mirroring `Sources/<name>`.
func tests(
  of name: String, uses: [Target.Dependency] = [], resources: [Resource] = []
) -> Target {
  .testTarget(
    name: "\(name)Tests", dependencies: [.target(name: name), "TestSupport", paths] + uses,
    resources: resources, swiftSettings: strict)
}

let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")
let paths: Target.Dependency = .product(name: "SystemPackage", package: "swift-system")

let package = Package(
  name: "limbeck",
  products: [
    .executable(name: "limbeck", targets: ["LimbeckCLI"]),
    .library(name: "Limbeck", targets: ["Limbeck"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.5.0"),
    .package(url: "https://github.com/apple/swift-log", from: "1.6.0"),
    .package(url: "https://github.com/apple/swift-protobuf", from: "1.28.0"),
    .package(url: "https://github.com/apple/swift-system", from: "1.8.0"),
    .package(url: "https://github.com/hummingbird-project/swift-mustache", from: "2.0.0"),
    .package(url: "https://github.com/jpsim/Yams", from: "6.0.0"),
    // For `swift package generate-documentation` alone.
    .package(url: "https://github.com/swiftlang/swift-docc-plugin", from: "1.4.0"),
  ],
  targets: [
    // MARK: - System libraries
    .systemLibrary(name: "CSndfile", pkgConfig: "sndfile", providers: [.apt(["libsndfile1-dev"])]),
    .systemLibrary(name: "CMpg123", pkgConfig: "libmpg123", providers: [.apt(["libmpg123-dev"])]),
    .systemLibrary(name: "CFFTW", pkgConfig: "fftw3", providers: [.apt(["libfftw3-dev"])]),
    .systemLibrary(
      name: "COpenBLAS", pkgConfig: "openblas", providers: [.apt(["libopenblas-dev"])]),
    // Debian's package has no pkg-config file.
    .systemLibrary(name: "COneDNN", providers: [.apt(["libdnnl-dev"])]),
    .systemLibrary(name: "CISAL", pkgConfig: "libisal", providers: [.apt(["libisal-dev"])]),
    .systemLibrary(
      name: "CSoxr", pkgConfig: "soxr", providers: [.apt(["libsoxr-dev"])]),
    .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
    .systemLibrary(name: "CXXHash", pkgConfig: "libxxhash", providers: [.apt(["libxxhash-dev"])]),

    // MARK: - Layers, lowest first
    layer("Storage", uses: [paths, "CXXHash", "CZlib"]),
    .target(name: "CMatrixKernels"),
    layer("LinearAlgebra", uses: ["CMatrixKernels", "COpenBLAS", "COneDNN"]),
    layer("Classes", uses: [paths, "Storage"]),
    .target(name: "CFrameKernels"),
    layer("Features", uses: ["Storage", "LinearAlgebra", "CFrameKernels", "CFFTW"]),
    layer("Networks", uses: [paths, "Storage", "LinearAlgebra"]),
    layer("Models", uses: [paths, "Storage", "Networks", "Features", "Classes", "LinearAlgebra"]),
    // The library product: what a program needs that uses a model.
    layer(
      "Limbeck",
      uses: [paths, "Storage", "Models", "Networks", "Features", "Classes", "LinearAlgebra"]),
    // Generated from onnx.proto, which says how; so without the settings of the other targets.
    .target(
      name: "ONNXRecords",
      dependencies: [.product(name: "SwiftProtobuf", package: "swift-protobuf")],
      exclude: ["onnx.proto"]),
    layer(
      "ModelExport",
      uses: [
        paths, "Storage", "Models", "Networks", "Features", "Classes", "LinearAlgebra",
        "ONNXRecords", .product(name: "SwiftProtobuf", package: "swift-protobuf"),
      ]),
    layer("KaldiIO", uses: [paths, "Storage", "LinearAlgebra"]),
    layer("Audio", uses: [paths, "Storage", "CSndfile", "CMpg123", "CSoxr"]),
    layer(
      "Corpus",
      uses: [paths, "Storage", "Audio", "KaldiIO", "Features", "Classes", "LinearAlgebra"]),
    layer("Evaluation", uses: [paths, "Storage", "Corpus", "Classes", "LinearAlgebra"]),
    // Generated from event.proto, which says how; so without the settings of the other targets.
    .target(
      name: "EventRecords",
      dependencies: [.product(name: "SwiftProtobuf", package: "swift-protobuf")],
      exclude: ["event.proto"]),
    layer(
      "Training",
      uses: [
        paths, "Storage", "Models", "Networks", "Features", "Corpus", "Classes", "KaldiIO",
        "LinearAlgebra", "EventRecords", "CISAL",
        .product(name: "SwiftProtobuf", package: "swift-protobuf"),
      ]),
    layer(
      "Distillation",
      uses: [
        paths, "Storage", "Training", "Evaluation", "Models", "Networks", "Features", "Corpus",
        "Classes", "KaldiIO", "LinearAlgebra",
      ]),
    layer(
      "Experiments",
      uses: [
        paths, "Storage", "Distillation", "Evaluation", "Training", "ModelExport", "Models",
        "Networks", "Features",
        "Corpus", "Classes", "KaldiIO", "Audio", "LinearAlgebra", "Yams", logging,
      ]),
    layer(
      "Reporting",
      uses: [
        paths, "Experiments", "Evaluation", "Distillation", "Training", "LinearAlgebra", "Storage",
        .product(name: "Mustache", package: "swift-mustache"),
      ]),

    .systemLibrary(name: "CLibFuzzer"),
    layer(
      "Fuzzing",
      uses: [
        paths, "Experiments", "Evaluation", "Training", "ModelExport", "Models", "Networks",
        "Features", "Corpus", "Classes", "KaldiIO", "Audio", "LinearAlgebra", "Storage",
      ]),

    // MARK: - Executables
    .executableTarget(
      name: "LimbeckCLI",
      dependencies: [
        paths, "Reporting", "Experiments", "Distillation", "Evaluation", "Models", "Networks",
        "Features", "Corpus", "KaldiIO", "Audio", "ModelExport", "LinearAlgebra", "Storage",
        logging,
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      swiftSettings: strict),

    // Readers of files against mutated inputs; recipes/fuzz/run.sh builds it with libFuzzer.
    .executableTarget(
      name: "Fuzz",
      dependencies: [
        paths, "Fuzzing", "LinearAlgebra", "Storage", "CLibFuzzer",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      swiftSettings: strict),

    .executableTarget(
      name: "Benchmarks",
      dependencies: [
        paths, "Experiments", "Distillation", "Training", "Limbeck", "Models", "Networks",
        "Features",
        "Corpus", "Classes", "KaldiIO", "Audio", "LinearAlgebra", "Storage", "CFFTW", logging,
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      swiftSettings: strict),

    // MARK: - Tests
    .target(
      name: "TestSupport", dependencies: [paths, "LinearAlgebra", "CSndfile"],
      path: "Tests/TestSupport",
      swiftSettings: strict),
    tests(of: "Storage"),
    tests(of: "LinearAlgebra"),
    tests(of: "Audio", uses: ["LinearAlgebra", "Storage"]),
    tests(of: "KaldiIO", uses: ["LinearAlgebra", "Storage"], resources: [.copy("Fixtures")]),
    tests(
      of: "Features", uses: ["Audio", "KaldiIO", "LinearAlgebra", "Storage"],
      resources: [.copy("Fixtures")]),
    tests(of: "Classes", uses: ["Storage"]),
    tests(
      of: "Models", uses: ["Networks", "Features", "Classes", "LinearAlgebra", "Storage"]),
    tests(
      of: "Limbeck", uses: ["Models", "Networks", "Features", "Classes", "LinearAlgebra"]),
    tests(
      of: "ModelExport",
      uses: [
        "Models", "Networks", "Features", "Classes", "LinearAlgebra", "Storage", "ONNXRecords",
        .product(name: "SwiftProtobuf", package: "swift-protobuf"),
      ]),
    tests(
      of: "Corpus", uses: ["Audio", "KaldiIO", "Features", "Classes", "LinearAlgebra", "Storage"],
      resources: [.copy("Fixtures")]),
    tests(of: "Networks", uses: ["LinearAlgebra", "Storage"], resources: [.copy("Fixtures")]),
    tests(
      of: "Training",
      uses: [
        "Models", "Networks", "Features", "Classes", "KaldiIO", "LinearAlgebra", "Storage",
      ],
      resources: [.copy("Fixtures")]),
    tests(
      of: "Distillation",
      uses: [
        "Training", "Models", "Networks", "Features", "Corpus", "Classes", "LinearAlgebra",
        "Storage",
      ]),
    tests(of: "Evaluation", uses: ["Corpus", "Classes", "LinearAlgebra", "Storage"]),
    tests(
      of: "Experiments",
      uses: [
        "Corpus", "Classes", "Distillation", "Evaluation", "Features", "KaldiIO", "LinearAlgebra",
        "Models", "Networks", "Storage", "Training", logging,
      ]),
    tests(
      of: "Reporting",
      uses: ["Experiments", "Storage", "LinearAlgebra", "Evaluation", "Corpus", logging]),
    tests(of: "Fuzzing", uses: ["LinearAlgebra", "Storage"]),
    tests(
      of: "LimbeckCLI",
      uses: [
        "Benchmarks", "Classes", "Corpus", "Features", "KaldiIO", "Limbeck", "LinearAlgebra",
        "Models", "Networks", "Storage", "Training",
      ]),
  ]
)
