/// The comments of a written recipe, and its options that are off by default.
enum RecipeNotes {
  /// An option that is absent, with a value that it might have.
  struct Off {
    let key: String
    let example: String
    let note: String

    init(_ key: String, _ example: String, _ note: String) {
      (self.key, self.example, self.note) = (key, example, note)
    }
  }

  /// The comment of an option or section; nil for none.
  static func note(at path: [String]) -> String? {
    notes[path.joined(separator: ".")] ?? notes[path.suffix(2).joined(separator: ".")]
  }

  /// The options of a section that are off.
  ///
  /// - Parameters:
  ///   - path: the section; empty for the recipe itself.
  ///   - present: the options that the section has.
  /// - Returns: the options, in the order in which they are written.
  static func off(at path: [String], beside present: Set<String>) -> [Off] {
    let all = off[path.joined(separator: ".")] ?? off[path.last ?? ""] ?? []
    return all.filter { option in
      if present.contains(option.key) { return false }
      guard path == ["targets"] else { return true }
      // Only the integers of an archive need symbols, and names exclude a map.
      return switch option.key {
      case "symbols": present.contains("archive") && !present.contains("names")
      case "names": present.contains("archive") && present.isDisjoint(with: ["map", "symbols"])
      case "map": !present.contains("names")
      default: true
      }
    }
  }

  private static let notes: [String: String] = [
    "paths": "Where relative paths in this file start: at its own folder (recipe), or at the "
      + "experiment's (experiment).",
    "corpus": "Kaldi data directories.",
    "corpus.root": "where relative paths in wav.scp start",
    "targets": "The alignments, and how they label frames.",
    "targets.tier": "of TextGrids; {speaker} stands for the utterance's speaker",
    "targets.lengthTolerance": "frames by which labels and features may differ in number",
    "targets.longestPhone": "seconds; of a label that is split into states; 0 for no limit",
    "targets.overlap": "milliseconds by which labels may overlap",
    "targets.keepIDs": "the integers of an archive are the class ids",
    "targets.firstAlternative": "take the first of several alternatives of a CTM",
    "features": "Log-mel features as Kaldi defines them.",
    "features.sampleRate": "hertz, that of the audio; utterances at another rate are skipped",
    "features.frameLength": "milliseconds",
    "features.frameShift": "milliseconds",
    "features.melBins": "mel bands",
    "features.preEmphasis": "the share of the previous sample that is subtracted",
    "features.removeDCOffset": "subtract the mean of each frame",
    "features.roundToPowerOfTwo": "pad frames with zeros to a power of two",
    "features.useLog": "logarithms of the bands' energies",
    "features.usePower": "power rather than magnitude",
    "features.window": "povey, hann, hamming, blackman, sine, rectangular",
    "features.blackmanCoefficient": "of the window blackman",
    "features.snipEdges": "only frames entirely inside the audio",
    "features.lowFrequency": "hertz",
    "features.highFrequency": "hertz; zero or less is relative to half the sample rate",
    "features.useEnergy": "the log energy as a first feature",
    "features.rawEnergy": "that energy before pre-emphasis and window",
    "features.energyFloor": "of that energy",
    "features.dither": "noise, in units of a 16-bit sample",
    "features.precision": "of the Fourier transform: single or double",
    "features.normalization": "of the mean: none, utterance or speaker",
    "features.normalizeVariance": "of the variance too",
    "features.deltas": "1 for deltas, 2 for delta-deltas too",
    "features.deltaWindow": "frames on each side",
    "context": "The frames that a feed-forward network sees around each frame.",
    "ensemble":
      "The teachers, which differ only in their seed; a list for groups of several architectures.",
    "ensemble.seed": "of the first member; the others count up from it",
    "hidden.layers": "hidden layers",
    "hidden.units": "rectified linear units per layer",
    "student.hidden":
      "by default two fifths of a member's units, about a quarter of its parameters",
    "hidden.batchNormalization": "of each layer's sums",
    "training.epochs": "passes over the training frames, at most",
    "training.batchSize": "frames per step",
    "training.chunk": "consecutive frames in a batch, for time-delay networks",
    "training.pool": "training frames in memory",
    "training.optimizer": "sgd, adam, adamw",
    "training.momentum": "of sgd",
    "training.nesterov": "of sgd",
    "training.beta1": "of adam and adamw",
    "training.beta2": "of adam and adamw",
    "training.epsilon": "of adam and adamw",
    "training.weightDecay": "of the weights; decoupled from the gradient with adamw",
    "training.schedule": "exponential, cosine, constant, newbob",
    "training.learningRate": "of the first step",
    "training.finalLearningRate": "of the last step; by default a hundredth of the first",
    "training.warmUp": "steps over which the rate rises from zero",
    "training.halving": "newbob: the factor of the rate",
    "training.improvement": "newbob: the relative fall of the loss that keeps the rate",
    "training.dropout": "the probability that a hidden unit is dropped",
    "training.labelSmoothing": "the share of a hard target spread over all classes",
    "training.classWeights": "factors of the hard loss, such as {SIL: 0.5}",
    "student": "The network that the ensemble is distilled into.",
    "baseline": "The student's rival, trained on hard targets alone; hidden is the student's.",
    "students":
      "More pairs, by name: {small: {student: {hidden: {units: 64}}, baseline: {training: …}}}.",
    "seeds": "How many times each student and each baseline is trained.",
    "distillation":
      "The student minimises hardWeight · CE(class) + (1 - hardWeight) · T² · CE(ensemble at T).",
    "distillation.temperature": "T",
    "distillation.hardWeight": "λ",
    "distillation.mean": "of the members' softmax (arithmetic) or logits (geometric)",
    "distillation.logits": "raw, or standardized to mean 0 and variance 1 per frame",
    "scoring": "Scores and their 95 % intervals.",
    "scoring.resamples": "of the bootstrap",
    "scoring.seed": "of the bootstrap",
  ]

  private static let off: [String: [Off]] = [
    "": [
      Off(
        "baselineSearch",
        "[{optimizer: sgd, dropout: [0, 0.2], learningRate: [0.03, 0.1], epochs: [8, 12], copies: [0]}]",
        "Trains each baseline with every combination, and keeps the best on the development set."),
      Off(
        "search",
        "{temperatures: [1, 2, 5, 10], hardWeights: [0, 0.1, 0.5], means: [arithmetic], epochs: 5, copies: 0}",
        "Chooses T and λ on the development set."),
      Off(
        "augmentation",
        """
        {for: [students], copies: 1, speed: [0.9, 1.0, 1.1], volume: 0, signalToNoise: [], timeMasks: 0, \
        timeMaskFrames: 20, frequencyMasks: 0, frequencyMaskBands: 8, seed: 1}
        """, "Perturbed copies of the training utterances."),
      Off(
        "subsets",
        "{shares: [0.03, 0.1], seed: 1, soft: {training: {epochs: 40}}, hard: {training: {epochs: 40}}}",
        "Networks trained on a share of the utterances, with soft and with hard targets."),
      Off(
        "missingClass", "{label: AA, student: {}}",
        "A student that never sees a frame of this label."),
      Off(
        "specialists",
        """
        {clustering: {clusters: 8, by: class, scale: covariance, size: 40, method: batch, restarts: 10, seed: 1}, \
        seed: 201, training: {learningRate: 0.01}, fullSoftmax: {temperature: 2, hardWeight: 0.5}, active: 1, \
        members: 1, student: {}}
        """, "Specialists for sets of classes that the baseline confuses, and students of all."),
    ],
    "corpus": [
      Off("root", ".", "where relative paths in wav.scp start; the current folder by default"),
      Off("channel", "1", "the channel of each recording, from 1; mono by default"),
    ],
    "targets": [
      Off("symbols", "phones.txt", "Kaldi's names of the integers"),
      Off("names", "states.txt", "a name for each integer; classes are then NAME:ID"),
      Off("map", "phones.map", "a map of the symbols, FROM TO a line"),
      Off("classes", "classes.txt", "the ids of the classes"),
      Off("states", "3", "equal parts of each label, with a class each"),
      Off("gaps", "SIL", "the label of times without one; such utterances are skipped by default"),
    ],
    "ensemble": [
      Off("folds", "5", "members for out-of-fold soft targets"),
      Off("context", "{left: 10, right: 10}", "the members' own; the recipe's by default"),
    ],
    "hidden": [
      Off(
        "timeOffsets", "[[-2, -1, 0, 1, 2], [-1, 0, 1], [-3, 0, 3], [0]]", "of a time-delay network"
      )
    ],
    "training": [
      Off("clipNorm", "5", "the largest norm of the gradient; no limit by default"),
      Off("maxNorm", "2", "the largest norm of the weights into a unit; no limit by default"),
      Off("patience", "3", "stop after as many epochs without a better development accuracy"),
      Off(
        "averaging", "{decay: 0.999}",
        "of the weights over steps, or {epochs: 5} over the last epochs"),
    ],
    "distillation": [
      Off("largest", "20", "probabilities stored for each frame; all by default"),
      Off(
        "decoupled", "{alpha: 1, beta: 8}",
        "weights of the true class and of the others in the soft term"),
    ],
    "scoring": [Off("fold", "fold.map", "a map that folds classes before they are compared")],
  ]
}
