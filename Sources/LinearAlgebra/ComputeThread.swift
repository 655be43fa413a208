import Foundation

/// Boxes a thread's body.
private final class ThreadBody {
  let run: @Sendable () -> Void
  init(_ run: @escaping @Sendable () -> Void) { self.run = run }
}

/// Starts a thread that ends with its body, if the system has room for one.
///
/// - Parameters:
///   - stack: the stack size in bytes.
///   - body: what it runs.
/// - Returns: whether the thread was started; if not, `body` never runs.
func startThread(stack: Int, _ body: @escaping @Sendable () -> Void) -> Bool {
  let attributes = UnsafeMutablePointer<pthread_attr_t>.allocate(capacity: 1)
  defer { unsafe attributes.deallocate() }
  guard unsafe pthread_attr_init(attributes) == 0 else { return false }
  defer { unsafe _ = pthread_attr_destroy(attributes) }
  _ = unsafe pthread_attr_setdetachstate(attributes, Int32(PTHREAD_CREATE_DETACHED))
  _ = unsafe pthread_attr_setstacksize(attributes, stack)
  let own = unsafe Unmanaged.passRetained(ThreadBody(body))
  var thread: pthread_t = 0
  let code = unsafe pthread_create(
    &thread, attributes,
    { argument in
      if let argument = unsafe argument {
        unsafe Unmanaged<ThreadBody>.fromOpaque(argument).takeRetainedValue().run()
      }
      return nil
    }, own.toOpaque())
  if code != 0 { unsafe own.release() }
  return code == 0
}

/// Ends the program when the system refuses memory during work, with a message on standard error and status `EX_OSERR`.
///
/// The memory that work needs is checked before it begins; this covers memory that other programs have taken since.
func endWithoutMemory(for values: String) -> Never {
  let text =
    "error: the system has no memory for \(values); use a smaller pool or batchSize, or fewer jobs\n"
  _ = unsafe text.withCString { unsafe write(2, $0, strlen($0)) }
  _exit(71)
}
