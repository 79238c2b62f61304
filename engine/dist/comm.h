#pragma once
// The processes ("ranks") that compute one training together, as each of them sees the others.

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

namespace xf {

/// How many bytes of gradients travel together: as many as keep a network busy, few enough that the first are
/// under way while most of the backward pass is still to come. As PyTorch's DistributedDataParallel (Li et
/// al. 2020).
constexpr size_t kBucketBytes = size_t{25} << 20;

/// One exchange of a bucket, from its first byte to its last.
struct Exchange {
  std::chrono::steady_clock::time_point begin, end;
  size_t bytes = 0;
};

/// Every function but rank(), size() and the like is called by all ranks, in one order. What one of them
/// cannot do throws UnavailableError; a rank that ends without the others ends them too.
class Comm {
 public:
  Comm() = default;
  virtual ~Comm() = default;
  Comm(const Comm&) = delete;
  Comm& operator=(const Comm&) = delete;

  [[nodiscard]] virtual int rank() const = 0;  ///< 0 … size() - 1
  [[nodiscard]] virtual int size() const = 0;
  /// Of the ranks on this machine.
  [[nodiscard]] virtual int local_rank() const = 0;
  [[nodiscard]] virtual int local_size() const = 0;

  /// What each rank gave, in their order; sizes may differ. Waits for all.
  virtual std::vector<std::vector<std::byte>> all_gather(std::span<const std::byte> mine) = 0;

  /// Begins to replace each number by its mean over the ranks: the sum in the order of the ranks, times
  /// 1/size(), so that all get the same bits, run after run. `tensors` (host memory, alike on every rank) are
  /// not touched until wait_mean() of the same bucket returns.
  virtual void start_mean(int bucket, std::vector<std::span<float>> tensors) = 0;
  virtual void wait_mean(int bucket) = 0;
  /// Hears of every exchange of a bucket when it is done, from another thread; empty: nobody does.
  virtual void observe(const std::function<void(const Exchange&)>& /*observer*/) {}
};

/// The bytes of a value.
template <class T>
std::span<const std::byte> bytes_of(const T& value) {
  return std::as_bytes(std::span(&value, 1));
}

/// A value of each rank, in their order.
template <class T>
std::vector<T> all_gather(Comm& comm, const T& mine) {
  std::vector<T> all;
  for (const std::vector<std::byte>& bytes : comm.all_gather(bytes_of(mine))) {
    T value;
    std::copy(bytes.begin(), bytes.end(), reinterpret_cast<std::byte*>(&value));
    all.push_back(value);
  }
  return all;
}

/// Waits until all ranks are here.
inline void meet(Comm& comm) { comm.all_gather({}); }

}  // namespace xf
