#pragma once
// The seam between the engine and the devices. A backend turns one node into one kernel, once; a kernel then
// runs on fixed addresses, step after step. Nothing above this header knows a device.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "engine/dist/comm.h"
#include "engine/graph/graph.h"

namespace xf {

/// Device memory, freed with the last reference to it.
struct Buffer {
  std::shared_ptr<std::byte> data;
  size_t bytes = 0;
};

/// An operand of a running kernel. Absent operands and unused outputs have no data. Consecutive pixels of an
/// activation lie `row_stride` elements apart: the channel count, or more where it is a slice of a wider
/// tensor (only for operands that Kernel::strided() allows).
struct Ref {
  std::byte* data = nullptr;
  Spec spec;
  int64_t row_stride = 0;
  [[nodiscard]] explicit operator bool() const { return data != nullptr; }
  template <class T>
  [[nodiscard]] T* as() const {
    return reinterpret_cast<T*>(data);
  }
};

/// Temporary memory of one kernel's run: Kernel::workspace() bytes, 256-byte aligned, uninitialised.
struct Scratch {
  std::byte* data = nullptr;
  size_t bytes = 0;
};

/// A queue of work on the device, in order.
class Stream {
 public:
  virtual ~Stream() = default;
  /// Returns when all work queued so far is done.
  virtual void synchronize() = 0;
};

/// A backend's own arrangement of a constant operand; id 0 is the plain one.
struct Layout {
  uint64_t id = 0;
  int64_t bytes = 0;
};

/// One node made ready to run. Operands are numbered inputs first, then outputs.
class Kernel {
 public:
  virtual ~Kernel() = default;
  /// Who does the work: "brgconv:avx512_core", "xf:bn_act". A name that starts with "ref" is refused by
  /// compile().
  [[nodiscard]] virtual std::string impl() const = 0;
  [[nodiscard]] virtual size_t workspace() const { return 0; }
  /// The arrangement this kernel wants for input `operand`; the plan inserts the Pack.
  [[nodiscard]] virtual Layout wants(int /*operand*/) const { return {}; }
  /// Whether operand may have a row stride beyond its channels.
  [[nodiscard]] virtual bool strided(int /*operand*/) const { return false; }
  /// Whether output `output` (0 …) may lie in the memory of input `input`, when that is not needed
  /// afterwards.
  [[nodiscard]] virtual bool in_place(int /*output*/, int /*input*/) const { return false; }
  virtual void run(Stream& stream, std::span<const Ref> operands, Scratch scratch) = 0;
};

enum class Lane : uint8_t { compute, copy };

/// The way of an input's bytes to their place on the device, step after step.
class Feed {
 public:
  virtual ~Feed() = default;
  /// What is queued on the compute stream from now on finds these bytes there; what was queued before still
  /// finds the last ones. `host` may change when this returns.
  virtual void write(const std::byte* host) = 0;
};

/// The way of a result's bytes to the host, step after step.
class Readback {
 public:
  virtual ~Readback() = default;
  /// Takes what the work queued on the compute stream so far leaves at the result's place. Two may be on
  /// their way at a time.
  virtual void queue() = 0;
  /// Waits for the oldest that is on its way. The bytes stay until the second queue() after its own.
  virtual const std::byte* receive() = 0;
};

/// Work that was recorded once and can be queued again as a whole.
class Recording {
 public:
  virtual ~Recording() = default;
  virtual void replay(Stream& stream) = 0;
};
/// How products of f32 operands may be computed: exactly to f32's rounding, or with operands rounded to
/// TF32's 10 bits of mantissa where a device is faster so. Sums are f32 either way.
enum class Math : uint8_t { f32, tf32 };

class Backend {
 public:
  virtual ~Backend() = default;
  /// "cpu", "cuda:0".
  [[nodiscard]] virtual std::string name() const = 0;
  /// Chooses the algorithm for a node with its real shapes and types, and builds what it needs: once. Throws
  /// UnavailableError where the device cannot do it.
  virtual std::unique_ptr<Kernel> lower(const Node& node, Math math) = 0;
  std::unique_ptr<Kernel> lower(const Node& node) { return lower(node, Math::f32); }
  /// Makes this process's device one of those of a training on several ranks, which AllReduce joins. Called
  /// by all ranks, once. `comm` outlives the backend. Throws UnavailableError where they cannot reach each
  /// other.
  virtual void join(Comm& comm) = 0;
  /// Whether activations of this type can be computed with; `why` gets the reason if not.
  [[nodiscard]] virtual bool supports(DType dtype, std::string& why) const = 0;
  /// Zero-filled device memory, 256-byte aligned. Throws MemoryError with the bytes asked for and there.
  virtual Buffer reserve(size_t bytes) = 0;
  virtual Stream& stream(Lane lane) = 0;
  virtual void upload(Stream& stream, std::byte* device, const std::byte* host, size_t bytes) = 0;
  /// Returns once the bytes are on the host.
  virtual void download(Stream& stream, std::byte* host, const std::byte* device, size_t bytes) = 0;
  /// What feed() reserves for an input of so many bytes.
  [[nodiscard]] virtual size_t feed_bytes(size_t /*bytes*/) const { return 0; }
  /// `device`: memory of this backend that outlives what is made here.
  virtual std::unique_ptr<Feed> feed(std::byte* device, size_t bytes);
  virtual std::unique_ptr<Readback> readback(const std::byte* device, size_t bytes);
  /// Records what work() queues on `stream` without running it; none where the device cannot.
  virtual std::unique_ptr<Recording> record(Stream& /*stream*/, const std::function<void()>& /*work*/) {
    return nullptr;
  }
  /// Bytes that reserve() can still give.
  [[nodiscard]] virtual size_t available() const = 0;
  /// Sets so many bytes aside, in one piece, for the reserve() calls that follow. Throws MemoryError.
  virtual void set_aside(size_t /*bytes*/) {}
};

/// Whether results may depend on the number of threads.
enum class Determinism : uint8_t { fixed_threads, any_threads };

}  // namespace xf
