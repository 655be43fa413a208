package import Foundation

/// Runs programs on a pseudo-terminal of its own.
package struct PseudoTerminal {
  /// What keeps a pseudo-terminal from being made.
  package struct Fault: Error, CustomStringConvertible {
    package let description: String
  }

  // TIOCSPTLCK and TIOCGPTN of Linux, whose macros Swift does not import.
  private static let setLock: UInt = 0x4004_5431
  private static let getNumber: UInt = 0x8004_5430

  /// The terminal's width.
  package let columns: Int

  /// A terminal of a width; it is made for each run.
  package init(columns: Int) { self.columns = columns }

  /// Runs a program with standard output and standard error on the terminal, and standard input
  /// empty.
  ///
  /// - Parameter process: the program, not yet started.
  /// - Returns: what it wrote, with the line ends of a terminal (`\r\n`) as `\n`.
  /// - Throws: `Fault` when the machine has no pseudo-terminals, and what starting the program
  ///   throws.
  package func run(_ process: Process) throws -> String {
    let (master, slave) = try open()
    defer { close(master) }
    let handle = FileHandle(fileDescriptor: slave, closeOnDealloc: false)
    process.standardInput = FileHandle.nullDevice
    (process.standardOutput, process.standardError) = (handle, handle)
    do { try process.run() } catch {
      close(slave)
      throw error
    }
    // Reading ends once no program has the terminal open.
    close(slave)
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 4096)
    while true {
      let count = unsafe read(master, &buffer, buffer.count)
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else { break }
      bytes += buffer.prefix(count)
    }
    process.waitUntilExit()
    return String(decoding: bytes, as: UTF8.self).replacing("\r\n", with: "\n")
  }

  /// The two ends of a new pseudo-terminal.
  private func open() throws(Fault) -> (master: Int32, slave: Int32) {
    func failed(_ call: String) -> Fault {
      Fault(
        description: """
          this test needs a pseudo-terminal, and \(call) failed: \(unsafe String(cString: strerror(errno))); \
          mount devpts on /dev/pts
          """)
    }
    let master = unsafe Foundation.open("/dev/ptmx", O_RDWR | O_NOCTTY)
    guard master >= 0 else { throw failed("opening /dev/ptmx") }
    var (lock, number): (Int32, Int32) = (0, 0)
    guard unsafe ioctl(master, PseudoTerminal.setLock, &lock) == 0,
      unsafe ioctl(master, PseudoTerminal.getNumber, &number) == 0
    else { throw failed("ioctl") }
    let name = "/dev/pts/\(number)"
    let slave = unsafe Foundation.open(name, O_RDWR | O_NOCTTY)
    guard slave >= 0 else { throw failed("opening \(name)") }
    var size = winsize(ws_row: 24, ws_col: UInt16(columns), ws_xpixel: 0, ws_ypixel: 0)
    guard unsafe ioctl(slave, UInt(TIOCSWINSZ), &size) == 0 else { throw failed("ioctl") }
    return (master, slave)
  }
}
