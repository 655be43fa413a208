public import ArgumentParser
import Storage
public import SystemPackage

extension FilePath: @retroactive ExpressibleByArgument {
  /// The path that an argument stands for; nil if it contains a NUL, where the kernel would cut it off.
  public init?(argument: String) {
    do throws(FileFault) { try self.init(text: argument) } catch { return nil }
  }
}
