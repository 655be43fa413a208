package import Storage

/// Where frame targets come from.
package struct TargetOptions: Sendable, Equatable, Codable {
  /// A CTM of phones.
  package var ctm: String?
  /// A Kaldi archive of one integer a frame, text or binary.
  package var archive: String?
  /// What the source's symbols stand for, a line `FROM TO` each.
  ///
  /// A folding of phones, or the phone state of each tied state. Its right-hand side then gives the
  /// classes.
  package var map: String?
  /// A `classes.txt` whose ids the targets must have; absent to number the symbols in order.
  package var classes: String?
  /// States that each phone of a CTM is split into, in equal times.
  package var states = 3
  /// How many frames an alignment may be longer or shorter than the features.
  package var lengthTolerance = 3

  package init() {}

  package enum CodingKeys: String, CodingKey, CaseIterable {
    case ctm, archive, map, classes, states, lengthTolerance
  }

  package init(from decoder: any Decoder) throws {
    let read = try OptionReader<CodingKeys>(decoder)
    ctm = try read.optional(.ctm)
    archive = try read.optional(.archive)
    map = try read.optional(.map)
    classes = try read.optional(.classes)
    states = try read(.states, default: states)
    lengthTolerance = try read(.lengthTolerance, default: lengthTolerance)
    try validate()
  }

  /// - Throws: `OptionFault` unless there is one source and the numbers are in range.
  package func validate() throws(OptionFault) {
    try requireOption(
      (ctm == nil) != (archive == nil), "targets", expected: "one of ctm and archive",
      found: ctm == nil ? "none" : "both")
    try requireOption(states > 0, "states", expected: "above 0", found: states)
    try requireOption(
      lengthTolerance >= 0, "lengthTolerance", expected: "0 or more", found: lengthTolerance)
  }

  /// The files to read, with relative paths taken from `folder`.
  package func resolved(from folder: String) -> TargetOptions {
    var result = self
    result.ctm = ctm.map { resolve($0, from: folder) }
    result.archive = archive.map { resolve($0, from: folder) }
    result.map = map.map { resolve($0, from: folder) }
    result.classes = classes.map { resolve($0, from: folder) }
    return result
  }

  /// The files that targets depend on.
  var inputs: [String] { [ctm, archive, map, classes].compactMap { $0 } }
}

/// `path` as seen from `folder`, unless it starts at the root.
func resolve(_ path: String, from folder: String) -> String {
  path.hasPrefix("/") ? path : folder + "/" + path
}
