import Features
import Evaluation
import Corpus
import KaldiIO
import Storage
import SystemPackage

/// The folder that relative paths in a recipe start from.
package enum PathBase: String, Sendable, Codable, CaseIterable {
  /// The experiment's folder, so that one recipe serves several corpora.
  case experiment
  /// The folder of the recipe's file.
  case recipe
}

extension Recipe {
  /// The recipe with other paths.
  ///
  /// - Parameters:
  ///   - path: replaces a path.
  ///   - table: replaces a path or specifier of a Kaldi archive.
  /// - Returns: the same recipe otherwise.
  private func replacingPaths(
    _ path: (FilePath) -> FilePath, _ table: (String) -> String
  ) -> Recipe {
    var own = self
    own.corpus.train = path(corpus.train)
    own.corpus.development = path(corpus.development)
    own.corpus.test = path(corpus.test)
    own.corpus.root = corpus.root.map(path)
    own.targets = targets.replacingPaths(path, table)
    own.features = features.replacingTables(table)
    own.scoring.fold = scoring.fold.map(path)
    return own
  }

  /// The recipe with relative paths resolved against a folder.
  func resolved(from folder: FilePath) -> Recipe {
    replacingPaths(folder.pushing) { ArchiveInput.resolved($0, from: folder) }
  }

  /// The recipe with paths below a folder relative to it.
  func relative(to folder: FilePath) -> Recipe {
    func relative(_ path: FilePath) -> FilePath {
      var own = path
      guard own.removePrefix(folder) else { return path }
      return own.isEmpty ? "." : own
    }
    return replacingPaths(relative) { text in
      (try? FilePath(text: text)).map { relative($0).string } ?? text
    }
  }

  /// Everything that the recipe decides, with the values of the options that it leaves out, as YAML.
  ///
  /// - Parameters:
  ///   - folder: the folder that the text is for.
  ///   - rate: the sample rate in force, in hertz; nil if it is not known.
  ///   - heading: lines of a comment.
  /// - Returns: text that reads as the same recipe in this folder.
  /// - Throws: what YAML cannot express.
  func completeText(
    in folder: FilePath, sampleRate rate: Int?, heading: [String] = []
  ) throws -> String {
    var own = paths == .recipe ? relative(to: folder.absolute) : self
    if case .made(var settings) = features, settings.sampleRate == nil {
      settings.sampleRate = rate
      own.features = .made(settings)
    }
    return try RecipeWriter.text(of: own, heading: heading)
  }
}
