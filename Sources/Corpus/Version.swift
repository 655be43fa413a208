import Audio
import Features
import LinearAlgebra

/// The program's version, as written to models and feature folders.
package let limbeckVersion = "0.7.0"

/// The libraries that affect numerical results, with their versions.
package var libraryVersions: [String] {
  [AudioFile.libraryVersion, PowerSpectrum.libraryVersion, BLASKernels.libraryVersion]
}
