import Foundation

/// `path` from the root of the file system, so that what names it works from any folder.
package func absolutePath(_ path: String) -> String {
  URL(fileURLWithPath: path).standardizedFileURL.path
}

/// `path` as seen from `folder`, unless it starts at the root.
package func resolve(_ path: String, from folder: String) -> String {
  path.hasPrefix("/") ? path : folder + "/" + path
}
