#pragma once
// Results that do not depend on the number of threads: the batch is cut into parts that its size alone
// fixes, and each part is computed by one thread.

#include <omp.h>

#include <cstdint>

#include "engine/core/threads.h"
#include "engine/run/backend.h"

namespace xf::cpu::dnn {

/// How a kernel spreads over threads.
struct Partition {
  Determinism determinism = Determinism::fixed_threads;
  int64_t parts = 1;  ///< equal parts of the batch; one thread each where any_threads

  /// The partition of a batch of `images`: whole where the thread count is fixed. Otherwise the largest
  /// number of parts that divides the batch and leaves each of them min(images, 8): fewer would run the
  /// primitives below their best speed.
  static Partition of(int64_t images, Determinism determinism);
};

/// oneDNN asks OpenMP how many threads it may use, when a primitive is made and when it runs: one, for the
/// calling thread, while this lives.
class OneThread {
 public:
  OneThread() : before_(omp_get_max_threads()) { omp_set_num_threads(1); }
  ~OneThread() { omp_set_num_threads(before_); }
  OneThread(const OneThread&) = delete;
  OneThread& operator=(const OneThread&) = delete;

 private:
  int before_;
};

/// Makes a primitive with as many threads as it will run with.
template <class Make>
auto make_for(const Partition& p, Make&& make) {
  if (p.determinism == Determinism::fixed_threads) {
    threads();  // settles OpenMP's number
    return make();
  }
  const OneThread one;
  return make();
}

/// Calls body(part) for each of `count` parts.
template <class Body>
void for_each_part(const Partition& p, int64_t count, Body&& body) {
  if (p.determinism == Determinism::fixed_threads) {
    for (int64_t i = 0; i < count; ++i) body(i);
    return;
  }
  parallel_for(count, [&](int64_t i) {
    const OneThread one;
    body(i);
  });
}

}  // namespace xf::cpu::dnn
