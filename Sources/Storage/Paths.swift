import Foundation

/// `path` from the root of the file system, so that what names it works from any folder.
package func absolutePath(_ path: String) -> String {
  URL(fileURLWithPath: path).standardizedFileURL.path
}

/// `path` as seen from `folder`, unless it starts at the root.
package func resolve(_ path: String, from folder: String) -> String {
  path.hasPrefix("/") ? path : folder + "/" + path
}

/// The paths of all files below a folder, from that folder on, in the order of their bytes; links to
/// folders are followed, each folder once.
package func filePaths(below folder: String) -> [String] {
  var files: [String] = []
  var seen: Set<String> = []
  var waiting = [""]
  while let place = waiting.popLast() {
    let path = folder + place
    guard seen.insert(URL(fileURLWithPath: path).resolvingSymlinksInPath().path).inserted,
      let names = try? FileManager.default.contentsOfDirectory(atPath: path)
    else { continue }
    for name in names {
      var isFolder: ObjCBool = false
      _ = unsafe FileManager.default.fileExists(atPath: path + "/" + name, isDirectory: &isFolder)
      if isFolder.boolValue {
        waiting.append(place + "/" + name)
      } else {
        files.append(String((place + "/" + name).dropFirst()))
      }
    }
  }
  return files.sorted(by: inByteOrder)
}
