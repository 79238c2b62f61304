#pragma once
// Means over the GPUs of a training on several ranks, taken by NCCL, which is loaded where one is begun.

#include <map>
#include <memory>
#include <span>

#include "engine/dist/comm.h"
#include "kernels/cuda/event.h"
#include "kernels/cuda/stream.h"

namespace xf::cuda {

/// This rank's end of it.
class Communicator {
 public:
  explicit Communicator(int device) : stream_(device, Priority::high) {}
  virtual ~Communicator() = default;
  Communicator(const Communicator&) = delete;
  Communicator& operator=(const Communicator&) = delete;

  /// Where means are taken, beside the stream that computes. What it has to do goes first: other ranks wait
  /// for it.
  [[nodiscard]] CudaStream& stream() { return stream_; }
  /// Queues on stream(): each number is replaced by its mean over the ranks. All ranks queue the same tensors
  /// (device memory) in the same order; all get the same bits. Can be captured.
  virtual void mean(std::span<const std::span<float>> tensors) = 0;
  /// Throws UnavailableError when another rank can no longer be reached, InternalError when something else
  /// went wrong in what was queued. What waits for other ranks then waits forever.
  virtual void check() = 0;
  /// After an error, check()'s or one that is unwinding the stack now: what waits for other ranks ends, with
  /// any numbers, and nothing more can be queued. Recordings of means have to be gone by then, since NCCL
  /// waits for their end.
  virtual void give_up_after_error() noexcept = 0;

  /// Where the tensors of a bucket are ready to be exchanged, and where they are exchanged.
  struct Bucket {
    Event ready, done;
  };
  [[nodiscard]] Bucket& bucket(int number) { return buckets_[number]; }

 private:
  CudaStream stream_;
  std::map<int, Bucket> buckets_;
};

/// Called by all ranks of `ranks`, each on a GPU of its own. Throws UnavailableError where NCCL is not there
/// or too old, where two ranks share a GPU, where the ranks cannot reach each other.
std::shared_ptr<Communicator> make_communicator(Comm& ranks, int device);

}  // namespace xf::cuda
