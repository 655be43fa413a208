import Foundation

/// `path` from the root of the file system, so that what names it works from any folder.
///
/// `..` stays, since what it leads to is the kernel's to say: behind a symbolic link it is not the name before.
package func absolutePath(_ path: String) -> String {
  plainPath(path.hasPrefix("/") ? path : FileManager.default.currentDirectoryPath + "/" + path)
}

/// `path` in one spelling: without `//`, without `.` as a name, and without a slash at its end.
package func plainPath(_ path: String) -> String {
  let names = FileSystem.names(ofPath: path).filter { $0 != "." }.joined(separator: "/")
  if path.hasPrefix("/") { return "/" + names }
  return names.isEmpty ? "." : names
}

/// `path` as seen from `folder`, unless it starts at the root.
package func resolve(_ path: String, from folder: String) -> String {
  path.hasPrefix("/") ? path : folder + "/" + path
}

/// The paths of all files below a folder, from that folder on, in the order of their bytes; links to
/// folders are followed, each folder once.
package func filePaths(below folder: String) throws(FileFault) -> [String] {
  var files: [String] = []
  var seen: Set<FileSystem.FileIdentity> = []
  var waiting = [""]
  while let place = waiting.popLast() {
    let path = folder + place
    guard let facts = try FileSystem.facts(of: path), seen.insert(facts.identity).inserted
    else { continue }
    for name in try FileSystem.names(in: path) {
      if try FileSystem.isFolder(path + "/" + name) {
        waiting.append(place + "/" + name)
      } else {
        files.append(String((place + "/" + name).dropFirst()))
      }
    }
  }
  return files.sorted(by: inByteOrder)
}
