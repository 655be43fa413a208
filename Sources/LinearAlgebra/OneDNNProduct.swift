import COneDNN

/// Products of rows with fixed weights in reduced precision, by oneDNN's `matmul`.
///
/// The weights are packed once, into the order that oneDNN prefers. OneDNN compiles a function for each number of
/// rows, so products of any number of rows are made of a few fixed ones.
// @unchecked: nothing changes after `init`, and each call of `run` has memory of its own.
@safe final class OneDNNProduct: @unchecked Sendable {
  /// The types of the factors and of the sums.
  enum Types {
    /// Unsigned bytes by signed bytes, summed in 32-bit integers.
    case bytes
    /// bfloat16 by bfloat16, summed in float32.
    case bfloat16

    fileprivate var input: dnnl_data_type_t { self == .bytes ? dnnl_u8 : dnnl_bf16 }
    fileprivate var weights: dnnl_data_type_t { self == .bytes ? dnnl_s8 : dnnl_bf16 }
    fileprivate var sums: dnnl_data_type_t { self == .bytes ? dnnl_s32 : dnnl_f32 }
    fileprivate var inputSize: Int { self == .bytes ? 1 : 2 }
  }

  /// A compiled product of so many rows.
  @safe private struct Compiled {
    let rows: Int
    let primitive: dnnl_primitive_t
    var input, sums, scratch: dnnl_memory_desc_t
  }

  private let types: Types
  private let (inputs, outputs): (Int, Int)
  private let products: [Compiled]
  private let weights: dnnl_memory_t
  /// OneDNN's name of the function that was compiled for most rows.
  let implementation: String

  /// Packs weights; nil when oneDNN has no such product or no memory for it.
  ///
  /// - Parameters:
  ///   - types: the types of the factors.
  ///   - outputs: the number of rows of the weights, at least one.
  ///   - inputs: the number of columns of the weights, at least one.
  ///   - rowCounts: the numbers of rows of the products, in descending order; each divides the one before.
  ///   - values: the weights, [outputs × inputs] in row-major order.
  init?(
    _ types: Types, outputs: Int, inputs: Int, rowCounts: [Int], values: UnsafeRawBufferPointer
  ) {
    precondition(
      outputs > 0 && inputs > 0 && !rowCounts.isEmpty, "OneDNNProduct: \(outputs)×\(inputs) weights"
    )
    (self.types, self.inputs, self.outputs) = (types, inputs, outputs)
    guard let engine = unsafe cpu else { return nil }
    let made = try? unsafe onOneThread { () throws(OneDNNFailure) in
      var compiled: [Compiled] = []
      var weights = try memoryDescription([inputs, outputs], types.weights, strides: nil)
      var implementation = ""
      for rows in rowCounts {
        let own = unsafe try OneDNNProduct.compile(
          rows, inputs, outputs, types, weights: &weights, engine)
        compiled.append(own.compiled)
        if compiled.count == 1 { implementation = own.implementation }
      }
      let packed = unsafe try OneDNNProduct.pack(
        values, [inputs, outputs], types.weights, as: weights, engine)
      return unsafe (compiled, packed, implementation)
    }
    guard let made = unsafe made else { return nil }
    (products, implementation) = unsafe (made.0, made.2)
    unsafe weights = made.1
  }

  deinit {
    for product in products { unsafe _ = dnnl_primitive_destroy(product.primitive) }
    unsafe _ = dnnl_memory_destroy(weights)
  }

  /// Compiles the product of a number of rows; an open order of the weights becomes the one that oneDNN prefers.
  private static func compile(
    _ rows: Int, _ inputs: Int, _ outputs: Int, _ types: Types,
    weights: inout dnnl_memory_desc_t, _ engine: dnnl_engine_t
  ) throws(OneDNNFailure) -> (compiled: Compiled, implementation: String) {
    var input = try memoryDescription([rows, inputs], types.input, strides: [inputs, 1])
    var sums = try memoryDescription([rows, outputs], types.sums, strides: [outputs, 1])
    var product = dnnl_matmul_desc_t()
    try require(unsafe dnnl_matmul_desc_init(&product, &input, &weights, nil, &sums))
    var attributes: dnnl_primitive_attr_t?
    try require(unsafe dnnl_primitive_attr_create(&attributes))
    defer { unsafe _ = dnnl_primitive_attr_destroy(attributes) }
    try require(
      unsafe dnnl_primitive_attr_set_scratchpad_mode(attributes, dnnl_scratchpad_mode_user))
    var description: dnnl_primitive_desc_t?
    try require(unsafe dnnl_primitive_desc_create(&description, &product, attributes, engine, nil))
    defer { unsafe _ = dnnl_primitive_desc_destroy(description) }
    var primitive: dnnl_primitive_t?
    try require(unsafe dnnl_primitive_create(&primitive, description))
    guard let primitive = unsafe primitive,
      let preferred = unsafe dnnl_primitive_desc_query_md(description, dnnl_query_weights_md, 0),
      let scratch = unsafe dnnl_primitive_desc_query_md(description, dnnl_query_scratchpad_md, 0)
    else { throw OneDNNFailure(status: dnnl_runtime_error) }
    unsafe weights = preferred.pointee
    var name: UnsafePointer<CChar>?
    try require(
      unsafe dnnl_primitive_desc_query(description, dnnl_query_impl_info_str, 0, &name))
    let implementation = unsafe name.map { unsafe String(cString: $0) } ?? ""
    let compiled = unsafe Compiled(
      rows: rows, primitive: primitive, input: input, sums: sums, scratch: scratch.pointee)
    return (compiled, implementation)
  }

  /// Copies the transpose of row-major values into memory of oneDNN, in another order.
  private static func pack(
    _ values: UnsafeRawBufferPointer, _ shape: [Int], _ type: dnnl_data_type_t,
    as order: dnnl_memory_desc_t, _ engine: dnnl_engine_t
  ) throws(OneDNNFailure) -> dnnl_memory_t {
    var (plain, order) = (try memoryDescription(shape, type, strides: [1, shape[0]]), order)
    var description: dnnl_primitive_desc_t?
    try require(
      unsafe dnnl_reorder_primitive_desc_create(&description, &plain, engine, &order, engine, nil))
    defer { unsafe _ = dnnl_primitive_desc_destroy(description) }
    var reorder: dnnl_primitive_t?
    try require(unsafe dnnl_primitive_create(&reorder, description))
    defer { unsafe _ = dnnl_primitive_destroy(reorder) }
    let from = unsafe try memory(
      &plain, UnsafeMutableRawPointer(mutating: values.baseAddress), engine)
    defer { unsafe _ = dnnl_memory_destroy(from) }
    // DNNL_MEMORY_ALLOCATE
    let packed = unsafe try memory(&order, UnsafeMutableRawPointer(bitPattern: UInt.max), engine)
    do throws(OneDNNFailure) {
      unsafe try execute(reorder, [(DNNL_ARG_FROM, from), (DNNL_ARG_TO, packed)], engine)
    } catch {
      unsafe _ = dnnl_memory_destroy(packed)
      throw error
    }
    return unsafe packed
  }

  /// Writes the products of rows with the weights.
  ///
  /// May be called by several threads at once.
  ///
  /// - Parameters:
  ///   - rows: a multiple of the smallest row count.
  ///   - input: [rows × inputs].
  ///   - sums: [rows × outputs].
  func run(rows: Int, input: UnsafeMutableRawPointer, sums: UnsafeMutableRawPointer) {
    var (input, sums, rest) = unsafe (input, sums, rows)
    do throws(OneDNNFailure) {
      try onOneThread { () throws(OneDNNFailure) in
        for product in products {
          while rest >= product.rows {
            unsafe try run(product, input, sums)
            unsafe input += product.rows * inputs * types.inputSize
            unsafe sums += product.rows * outputs * 4
            rest -= product.rows
          }
        }
      }
    } catch {
      preconditionFailure("OneDNNProduct: oneDNN fails with status \(error.status)")
    }
    precondition(rest == 0, "OneDNNProduct: \(rows) rows, no multiple of the smallest product")
  }

  private func run(
    _ product: Compiled, _ input: UnsafeMutableRawPointer, _ sums: UnsafeMutableRawPointer
  ) throws(OneDNNFailure) {
    guard let engine = unsafe cpu else { throw OneDNNFailure(status: dnnl_runtime_error) }
    var own = product
    let size = unsafe dnnl_memory_desc_get_size(&own.scratch)
    let scratch = UnsafeMutableRawPointer.allocate(byteCount: max(1, size), alignment: 64)
    defer { unsafe scratch.deallocate() }
    let from = unsafe try memory(&own.input, input, engine)
    defer { unsafe _ = dnnl_memory_destroy(from) }
    let to = unsafe try memory(&own.sums, sums, engine)
    defer { unsafe _ = dnnl_memory_destroy(to) }
    let work = unsafe try memory(&own.scratch, scratch, engine)
    defer { unsafe _ = dnnl_memory_destroy(work) }
    unsafe try execute(
      product.primitive,
      [
        (DNNL_ARG_SRC, from), (DNNL_ARG_WEIGHTS, weights), (DNNL_ARG_DST, to),
        (DNNL_ARG_SCRATCHPAD, work),
      ], engine)
  }
}

/// A call of oneDNN that did not succeed.
private struct OneDNNFailure: Error {
  let status: dnnl_status_t
}

private func require(_ status: dnnl_status_t) throws(OneDNNFailure) {
  guard status == dnnl_success else { throw OneDNNFailure(status: status) }
}

/// This processor, as oneDNN's engine; nil if oneDNN cannot use it.
nonisolated(unsafe) private let cpu: dnnl_engine_t? = {
  var engine: dnnl_engine_t?
  let status = unsafe dnnl_engine_create(&engine, dnnl_cpu, 0)
  return unsafe status == dnnl_success ? engine : nil
}()

/// Runs `body` with one OpenMP thread, whatever the calling thread had before; oneDNN has no setting of its own.
private func onOneThread<Result>(
  _ body: () throws(OneDNNFailure) -> Result
) throws(OneDNNFailure) -> Result {
  let before = omp_get_max_threads()
  omp_set_num_threads(1)
  defer { omp_set_num_threads(before) }
  return try body()
}

/// Describes a matrix in memory; without strides, oneDNN may choose its order.
private func memoryDescription(
  _ shape: [Int], _ type: dnnl_data_type_t, strides: [Int]?
) throws(OneDNNFailure) -> dnnl_memory_desc_t {
  var description = dnnl_memory_desc_t()
  let sizes = shape.map(Int64.init)
  if let strides = strides?.map(Int64.init) {
    try require(
      unsafe dnnl_memory_desc_init_by_strides(
        &description, Int32(shape.count), sizes, type, strides))
  } else {
    try require(
      unsafe dnnl_memory_desc_init_by_tag(
        &description, Int32(shape.count), sizes, type, dnnl_format_tag_any))
  }
  return description
}

/// A handle of memory, which the caller keeps and destroys.
private func memory(
  _ description: inout dnnl_memory_desc_t, _ start: UnsafeMutableRawPointer?,
  _ engine: dnnl_engine_t
) throws(OneDNNFailure) -> dnnl_memory_t {
  var memory: dnnl_memory_t?
  try require(unsafe dnnl_memory_create(&memory, &description, engine, start))
  guard let memory = unsafe memory else { throw OneDNNFailure(status: dnnl_out_of_memory) }
  return unsafe memory
}

/// Runs a compiled function and returns when it is done.
private func execute(
  _ primitive: dnnl_primitive_t?, _ arguments: [(Int32, dnnl_memory_t)], _ engine: dnnl_engine_t
) throws(OneDNNFailure) {
  var stream: dnnl_stream_t?
  try require(unsafe dnnl_stream_create(&stream, engine, dnnl_stream_default_flags.rawValue))
  defer { unsafe _ = dnnl_stream_destroy(stream) }
  let arguments = unsafe arguments.map { unsafe dnnl_exec_arg_t(arg: $0.0, memory: $0.1) }
  try require(
    unsafe dnnl_primitive_execute(primitive, stream, Int32(arguments.count), arguments))
  try require(unsafe dnnl_stream_wait(stream))
}
