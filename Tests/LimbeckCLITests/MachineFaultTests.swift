import Foundation
import SystemPackage
import TestSupport
import Testing

@Suite("Faults of the machine")
struct MachineFaultTests {
  /// A library that lets calls of the kernel on files fail: `FAIL_AT` is the first, counted from 0, `FAIL_FOR` how
  /// many, `FAIL_WITH` their errno; the number of all calls goes to the file that `COUNT_TO` names.
  private static let source = """
    #define _GNU_SOURCE
    #include <dlfcn.h>
    #include <errno.h>
    #include <fcntl.h>
    #include <stdarg.h>
    #include <stdatomic.h>
    #include <stdio.h>
    #include <stdlib.h>
    #include <string.h>
    #include <sys/stat.h>
    #include <unistd.h>
    static atomic_long calls;
    static long number(const char *name) { char *s = getenv(name); return s ? atol(s) : -1; }
    static int fails(void) {
      long n = atomic_fetch_add(&calls, 1), at = number("FAIL_AT");
      if (at < 0 || n < at || n >= at + number("FAIL_FOR")) return 0;
      errno = number("FAIL_WITH");
      return 1;
    }
    __attribute__((destructor)) static void note(void) {
      char *path = getenv("COUNT_TO");
      FILE *file = path ? fopen(path, "w") : 0;
      if (file) { fprintf(file, "%ld", (long)calls); fclose(file); }
    }
    /* The system's own files are not the program's. */
    static int ours(const char *p) { return p && strncmp(p, "/dev", 4) && strncmp(p, "/proc", 5)
      && strncmp(p, "/sys", 4) && strncmp(p, "/etc", 4) && strncmp(p, "/usr", 4) && !strstr(p, ".so"); }
    #define REAL(name) static __typeof__(&name) real; \\
      if (!real) real = (__typeof__(&name))dlsym(RTLD_NEXT, #name)
    #define OPEN(name) int name(const char *p, int f, ...) { REAL(name); \\
      va_list a; va_start(a, f); int m = va_arg(a, int); va_end(a); \\
      return ours(p) && fails() ? -1 : real(p, f, m); }
    #define CALL(type, name, parameters, arguments) type name parameters { \\
      REAL(name); return fd > 2 && fails() ? (type)-1 : real arguments; }
    OPEN(open) OPEN(open64)
    CALL(ssize_t, read, (int fd, void *b, size_t n), (fd, b, n))
    CALL(ssize_t, pread, (int fd, void *b, size_t n, off_t at), (fd, b, n, at))
    CALL(ssize_t, pread64, (int fd, void *b, size_t n, off_t at), (fd, b, n, at))
    CALL(ssize_t, pwrite, (int fd, const void *b, size_t n, off_t at), (fd, b, n, at))
    CALL(ssize_t, pwrite64, (int fd, const void *b, size_t n, off_t at), (fd, b, n, at))
    CALL(int, fsync, (int fd), (fd))
    int rename(const char *a, const char *b) { REAL(rename);
      return fails() ? -1 : real(a, b); }
    int unlink(const char *a) { REAL(unlink); return fails() ? -1 : real(a); }
    int mkdir(const char *a, mode_t m) { REAL(mkdir);
      return fails() ? -1 : real(a, m); }

    """

  /// Runs the recipe with the library.
  private func run(
    _ corpus: SampleCorpus, _ library: FilePath, _ settings: [String: String] = [:]
  ) throws -> (status: Int32, errors: String) {
    let process = program(["run", corpus.recipePath, corpus.experimentPath, "--threads", "2"])
    var environment = ProcessInfo.processInfo.environment
    environment["LD_PRELOAD"] = library.string
    // Else the program starts itself again on some processors.
    environment["OPENBLAS_NUM_THREADS"] = "1"
    process.environment = environment.merging(settings) { $1 }
    let errors = Pipe()
    (process.standardError, process.standardOutput) = (errors, FileHandle.nullDevice)
    try process.run()
    let text = errors.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return (process.terminationStatus, String(decoding: text, as: UTF8.self))
  }

  /// Compiles a library to load before others.
  private func compiled(_ source: String, in folder: TemporaryFolder) throws -> FilePath {
    try folder.write(source, to: "library.c")
    let library = folder.file("library.so")
    let compiler = Process()
    compiler.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    compiler.arguments = [
      "clang", "-O1", "-shared", "-fPIC", "-o", library.string, folder.file("library.c").string,
      "-ldl",
    ]
    try compiler.run()
    compiler.waitUntilExit()
    try #require(compiler.terminationStatus == 0)
    return library
  }

  @Test("without locks in the file system a file stands for one, and says who holds it")
  func locks() throws {
    let corpus = try SampleCorpus()
    let library = try compiled(
      "#include <errno.h>\nint flock(int f, int o) { errno = ENOLCK; return -1; }\n",
      in: corpus.folder)
    let first = try run(corpus, library)
    #expect(first.status == 0, "\(first.errors)")
    #expect(first.errors.components(separatedBy: "no file locks here").count == 2)
    let lock = corpus.experimentPath.appending(".lock")
    #expect(!FileManager.default.fileExists(atPath: lock.string))
    // Of a process of another machine it is not known whether it lives; of this one it is.
    let other = #"{"host":"elsewhere","process":1,"start":"1","since":"2026-01-01T00:00:00Z"}"#
    try other.write(toFile: lock.string, atomically: false, encoding: .utf8)
    let refused = try run(corpus, library)
    #expect(refused.status == 74)
    #expect(refused.errors.contains("another run is writing to it: process 1 on elsewhere"))
    let host = ProcessInfo.processInfo.hostName
    let dead = #"{"host":"\#(host)","process":1,"start":"never","since":"2026-01-01T00:00:00Z"}"#
    try dead.write(toFile: lock.string, atomically: false, encoding: .utf8)
    #expect(try run(corpus, library).status == 0)
  }

  /// The files of an experiment that are the same each time.
  private func results(_ corpus: SampleCorpus) throws -> [String: Data] {
    var files: [String: Data] = [:]
    for folder in ["features", "targets", "models", "soft-targets", "ledger.jsonl"] {
      let path = corpus.experimentPath.appending(folder)
      let names = FileManager.default.subpaths(atPath: path.string) ?? []
      for name in names.isEmpty ? [""] : names where !name.hasSuffix(".log.jsonl") {
        files["\(folder)/\(name)"] = FileManager.default.contents(atPath: "\(path)/\(name)")
      }
    }
    return files
  }

  @Test("a run that a fault ended goes on to the bytes of one that was never disturbed")
  func injected() throws {
    let corpus = try SampleCorpus()
    let library = try compiled(MachineFaultTests.source, in: corpus.folder)
    let count = corpus.folder.file("count")
    let quiet = try run(corpus, library, ["COUNT_TO": count.string])
    #expect(quiet.status == 0, "\(quiet.errors)")
    let calls = try #require(Int(try String(contentsOfFile: count.string, encoding: .utf8)))
    let expected = try results(corpus)
    #expect(expected.count > 20)
    var generator = Seeded(state: 23)
    for trial in 0..<16 {
      for folder in [
        "features", "targets", "models", "soft-targets", "stages", "checkpoints", "tensorboard",
      ] {
        try? FileManager.default.removeItem(atPath: "\(corpus.experimentPath)/\(folder)")
      }
      for file in ["ledger.jsonl", "scores.json", "scores.md", "recipe.yaml"] {
        try? FileManager.default.removeItem(atPath: "\(corpus.experimentPath)/\(file)")
      }
      let at = Int(generator.next() % UInt64(calls))
      let code = [EIO, EMFILE, ENOSPC, EACCES, ESTALE][trial % 5]
      let fault = try run(
        corpus, library,
        ["FAIL_AT": "\(at)", "FAIL_FOR": trial % 2 == 0 ? "1" : "1000000", "FAIL_WITH": "\(code)"])
      // What only helps, as the name of who holds a lock, may fail.
      #expect([0, 74].contains(fault.status), "seed 23, call \(at), \(code): \(fault.errors)")
      if fault.status == 74 {
        let words = unsafe String(cString: strerror(code))
        #expect(fault.errors.contains(words), "\(fault.errors)")
      }
      let again = try run(corpus, library)
      #expect(again.status == 0, "seed 23, call \(at), \(code): \(fault.errors) \(again.errors)")
      let found = try results(corpus)
      let differing = expected.filter { found[$0.key] != $0.value }.keys.sorted()
      #expect(differing == [], "seed 23, call \(at), \(code): \(fault.errors)")
    }
  }

  @Test("too few file descriptors are named")
  func descriptors() throws {
    let corpus = try SampleCorpus()
    let run = try limited("-n 9", "run", corpus.recipePath, corpus.experimentPath)
    #expect(run.status == 74)
    #expect(run.errors.contains("Too many open files"))
  }

  @Test("too little memory is named before it is taken, and nothing waits for it")
  func memory() throws {
    let corpus = try SampleCorpus()
    let (recipe, path) = (corpus.recipePath, corpus.experimentPath)
    let run = try limited("-v 400000", "run", recipe, path)
    #expect(run.status == 71, "\(run.errors)")
    #expect(run.errors.contains("needs") && run.errors.contains("(ulimit -v) leaves"))
    #expect(try limbeck("run", recipe, path).status == 0)
    let model = path.appending("models/student.safetensors")
    // Below 200 MB the dynamic linker itself fails.
    for limit in stride(from: 200_000, through: 500_000, by: 100_000) {
      for verb: [any Argument] in [
        ["score", model, path.appending("features/test"), path.appending("targets/test")],
        ["info", model],
        ["validate", path.appending("data/test")], ["run", recipe, path],
      ] {
        let run = try limited("-v \(limit)", verb)
        #expect([0, 71].contains(run.status), "\(limit) \(verb): \(run.errors)")
      }
    }
  }

  private func limited(_ limit: String, _ arguments: any Argument...) throws -> Run {
    try limited(limit, arguments)
  }

  /// Runs the program with a limit of the shell; what still runs after 20 seconds is killed.
  private func limited(_ limit: String, _ arguments: [any Argument]) throws -> Run {
    let limbeck = program([]).executableURL?.path ?? ""
    let shell = Process()
    shell.executableURL = URL(fileURLWithPath: "/bin/sh")
    shell.arguments =
      ["-c", "ulimit \(limit); exec timeout -s KILL 20 \"$@\"", "sh", limbeck]
      + arguments.map(\.description)
    let errors = Pipe()
    (shell.standardOutput, shell.standardError) = (FileHandle.nullDevice, errors)
    try shell.run()
    let text = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    shell.waitUntilExit()
    return Run(status: shell.terminationStatus, output: "", errors: text)
  }
}

/// SplitMix64.
private struct Seeded {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
