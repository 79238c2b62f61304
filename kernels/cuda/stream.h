#pragma once
// A CUDA stream behind the engine's interface.

#include <cuda_runtime_api.h>

#include <cstdint>
#include <memory>

#include "engine/run/backend.h"
#include "kernels/cuda/event.h"

namespace xf::cuda {

class Communicator;

/// Whose blocks a GPU starts first where several streams have some.
enum class Priority : uint8_t { normal, high };

class CudaStream final : public Stream {
 public:
  explicit CudaStream(int device, Priority priority = Priority::normal);
  ~CudaStream() override;
  CudaStream(const CudaStream&) = delete;
  CudaStream& operator=(const CudaStream&) = delete;

  void synchronize() override;
  /// CUDA's handle; makes the stream's device the calling thread's current one, as launches need it.
  [[nodiscard]] cudaStream_t use() const;

  /// From now on the work of this stream may wait for other ranks: whoever waits for it hears of them.
  void watch(std::shared_ptr<Communicator> ranks);
  /// The host waits for a point in this stream's work. Throws what Communicator::check() does.
  void wait(const Event& event) const;
  /// The same for destructors: what still waits for other ranks when an error ends the training is given up.
  void settle(const Event& event) const noexcept;

 private:
  int device_;
  cudaStream_t handle_ = nullptr;
  std::shared_ptr<Communicator> ranks_;
  std::unique_ptr<Event> end_;  ///< for synchronize(), where there are other ranks
};

/// The CUDA stream that a backend of this module gave out.
inline CudaStream& cuda_stream(Stream& stream) { return static_cast<CudaStream&>(stream); }

}  // namespace xf::cuda
