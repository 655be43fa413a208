public import ArgumentParser
import Storage
public import SystemPackage

extension FilePath: @retroactive ExpressibleByArgument {
  /// The path in an argument; nil if it contains a NUL, at which the kernel would truncate it.
  public init?(argument: String) {
    do throws(FileFault) { try self.init(text: argument) } catch { return nil }
  }
}
