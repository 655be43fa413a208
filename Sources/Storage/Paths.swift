import Foundation
package import SystemPackage

extension FilePath {
  /// A path from external text, such as a configuration file.
  ///
  /// - Throws: `FileFault` for text with a NUL, where the kernel would cut it off.
  package init(text: String) throws(FileFault) {
    guard !text.utf8.contains(0) else {
      throw .malformed(
        path: .named(text), expected: "a usable path", found: "one with a NUL in it")
    }
    self.init(text)
  }

  /// The absolute path, valid from any working directory.
  ///
  /// `..` is kept for the kernel to resolve: after a symbolic link it does not undo the preceding name.
  package var absolute: FilePath { isAbsolute ? plain : FilePath.current.pushing(self).plain }

  /// The text of a path, resolved against this folder; text with a NUL is returned unchanged, and fails on reading.
  package func resolving(_ text: String) -> String {
    (try? FilePath(text: text)).map { pushing($0).string } ?? text
  }

  /// The path without `.` components.
  ///
  /// A `FilePath` has no `//` and no trailing slash either, so this is its canonical spelling.
  package var plain: FilePath {
    let plain = FilePath(root: root, components.filter { $0.kind != .currentDirectory })
    return plain.isEmpty ? "." : plain
  }

  /// The parent folder, determined lexically.
  package var folder: FilePath {
    let above = removingLastComponent()
    return above.isEmpty ? "." : above
  }

  /// The path with a suffix appended to its last name.
  package func withSuffix(_ suffix: String) -> FilePath {
    FilePath(platformString: cString.dropLast() + suffix.utf8CString)
  }

  /// The path without a suffix of its last name; nil when it does not end with that suffix.
  package func withoutSuffix(_ suffix: String) -> FilePath? {
    let (own, ending) = (cString, Array(suffix.utf8CString))
    guard own.suffix(ending.count) == ending[...] else { return nil }
    return FilePath(platformString: own.dropLast(ending.count) + [0])
  }

  /// The bytes, followed by a 0.
  var cString: [CChar] {
    unsafe withPlatformString { start in
      unsafe Array(UnsafeBufferPointer(start: start, count: length + 1))
    }
  }

  /// The working directory.
  private static var current: FilePath {
    guard let path = unsafe getcwd(nil, 0) else { return "." }
    defer { unsafe free(path) }
    return unsafe FilePath(platformString: path)
  }
}

/// Whether a path precedes another in byte order.
package func inByteOrder(_ first: FilePath, _ second: FilePath) -> Bool {
  unsafe first.withPlatformString { first in
    unsafe second.withPlatformString { second in unsafe strcmp(first, second) < 0 }
  }
}

/// The paths of all files below a folder, relative to it, in byte order.
///
/// Links to folders are followed; each folder is visited once.
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
