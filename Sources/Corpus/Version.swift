import Audio
import Features
import LinearAlgebra

/// The version of the program, as it stands in models and feature folders.
package let limbeckVersion = "0.7.0"

/// The libraries that numbers come from, with their versions.
package var libraryVersions: [String] {
  [AudioFile.libraryVersion, RealFFT.libraryVersion, BLASKernels.libraryVersion]
}
