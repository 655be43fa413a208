public import ArgumentParser
import Storage
public import SystemPackage

extension FilePath: @retroactive ExpressibleByArgument {
  /// The path that an argument stands for; nil for one with a NUL, at which the kernel would end it.
  public init?(argument: String) {
    do throws(FileFault) { try self.init(text: argument) } catch { return nil }
  }
}
