import Foundation
package import SystemPackage

extension FilePath {
  /// The path that a text from outside stands for.
  ///
  /// - Throws: `FileFault` for one with a NUL, at which the kernel would end it.
  package init(text: String) throws(FileFault) {
    guard !text.utf8.contains(0) else {
      throw .malformed(
        path: .named(text), expected: "a usable path", found: "one with a NUL in it")
    }
    self.init(text)
  }

  /// The path from the root of the file system, so that what names it works from any folder.
  ///
  /// `..` stays, since what it leads to is the kernel's to say: behind a symbolic link it is not the name before.
  package var absolute: FilePath { isAbsolute ? plain : FilePath.current.pushing(self).plain }

  /// A text that stands for a path, as seen from this folder; one with a NUL stays as it is, until it is read.
  package func resolving(_ text: String) -> String {
    (try? FilePath(text: text)).map { pushing($0).string } ?? text
  }

  /// The path without `.` as a name: a `FilePath` has no `//` and no slash at its end either, so this is its one
  /// spelling.
  package var plain: FilePath {
    let plain = FilePath(root: root, components.filter { $0.kind != .currentDirectory })
    return plain.isEmpty ? "." : plain
  }

  /// The folder that the last name is in, by its letters.
  package var folder: FilePath {
    let above = removingLastComponent()
    return above.isEmpty ? "." : above
  }

  /// The path with some letters behind its last name.
  package func withSuffix(_ suffix: String) -> FilePath {
    FilePath(platformString: cString.dropLast() + suffix.utf8CString)
  }

  /// The path without some letters that its last name ends with; nil where it does not end so.
  package func withoutSuffix(_ suffix: String) -> FilePath? {
    let (own, ending) = (cString, Array(suffix.utf8CString))
    guard own.suffix(ending.count) == ending[...] else { return nil }
    return FilePath(platformString: own.dropLast(ending.count) + [0])
  }

  /// The bytes, and a 0 behind them.
  var cString: [CChar] {
    unsafe withPlatformString { start in
      unsafe Array(UnsafeBufferPointer(start: start, count: length + 1))
    }
  }

  /// The folder that relative paths start from.
  private static var current: FilePath {
    guard let path = unsafe getcwd(nil, 0) else { return "." }
    defer { unsafe free(path) }
    return unsafe FilePath(platformString: path)
  }
}

/// Whether a path stands before another in the order of their bytes.
package func inByteOrder(_ first: FilePath, _ second: FilePath) -> Bool {
  unsafe first.withPlatformString { first in
    unsafe second.withPlatformString { second in unsafe strcmp(first, second) < 0 }
  }
}

/// The paths of all files below a folder, from that folder on, in the order of their bytes; links to
/// folders are followed, each folder once.
package func filePaths(below folder: FilePath) throws(FileFault) -> [FilePath] {
  var files: [FilePath] = []
  var seen: Set<FileSystem.FileIdentity> = []
  var waiting: [FilePath] = [""]
  while let place = waiting.popLast() {
    let path = folder.pushing(place)
    guard let facts = try FileSystem.facts(of: path), seen.insert(facts.identity).inserted
    else { continue }
    for name in try FileSystem.names(in: path) {
      if try FileSystem.isFolder(path.appending(name)) {
        waiting.append(place.appending(name))
      } else {
        files.append(place.appending(name))
      }
    }
  }
  return files.sorted(by: inByteOrder)
}
