// One step of an optimizer over all tensors at once. Tensors are cut into chunks of one size, a chunk a
// block; the table that says which tensor a block belongs to is a parameter of the kernel, so that a step
// uploads nothing and a captured one holds all it needs. Tables of tensors without number take more launches.
//
//   1. sum_squares reads the gradients: one sum of squares a chunk. In f64, where squares of f32 neither
//      overflow nor vanish, so that the sum is finite exactly when all gradients are.
//   2. merge_squares adds those up in a fixed order, in one block, and leaves the numbers that all tensors
//      share: the gradients' factor (clipping / loss scale), Adam's corrections, whether anything changes. It
//      also moves the loss scale.
//   3. update_tensors reads and writes everything else once.
//
// Bytes moved per number: pass 1 reads 4. Pass 3 moves 12 for sgd without momentum, 20 with, 28 for adam,
// adamw and adadelta; an average adds 8. Where a gradient is not finite and results lie in place, pass 3
// moves none. The bound is the memory's bandwidth. Pass 1 takes two f64 operations for 4 bytes, which devices
// with few f64 units hide too, if barely.

#include "kernels/cuda/optimize.h"

#include <algorithm>
#include <cfloat>
#include <vector>

#include "kernels/cuda/block_reduce.h"
#include "kernels/cuda/element.h"
#include "kernels/simt/simt.h"

namespace xf::cuda {
namespace {

constexpr int kThreads = 256, kMergeThreads = 1024;
constexpr int kChunk =
    8192;  // numbers; small against a tensor that fills a device, large against a block's start

constexpr int64_t chunks(int64_t count) { return (count + kChunk - 1) / kChunk; }

struct Gradient {
  const float* g;
  int64_t count;
  unsigned first_chunk;  // of this launch
  bool vectorises;
};

struct Update {
  OptimizeTensor t;
  TensorRule rule;
  unsigned first_chunk;
  bool vectorises;
};

// What one launch works on; the chunks of entry i are first_chunk of it up to that of entry i + 1.
template <class Entry>
struct Table {
  static constexpr int kOthers = 128;  // bytes left for the other parameters
  static constexpr int kCapacity = static_cast<int>((simt::kMaxParameters - kOthers) / sizeof(Entry));
  Entry entry[kCapacity];
  int count;
};

// The entry whose chunk this block has.
template <class Entry>
__device__ const Entry& entry_of_block(const Table<Entry>& table) {
  int low = 0, high = table.count;
  while (high - low > 1) {
    const int middle = (low + high) / 2;
    (table.entry[middle].first_chunk <= blockIdx.x ? low : high) = middle;
  }
  return table.entry[low];
}

// Where a block's chunk lies in its tensor.
struct Chunk {
  int64_t begin;
  int count;
};

__device__ Chunk chunk_of_block(unsigned first_chunk, int64_t count) {
  const int64_t begin = int64_t{blockIdx.x - first_chunk} * kChunk, left = count - begin;
  return {begin, static_cast<int>(left < kChunk ? left : kChunk)};
}

// Calls body.template operator()<V>(i) for whole vectors at i, then <1>(i) for what is left of the chunk.
template <int V, int Unroll = 1, class Body>
__device__ __forceinline__ void for_vectors(const Chunk& chunk, Body&& body) {
  const int whole = chunk.count / V * V, thread = static_cast<int>(threadIdx.x);
  SIMT_UNROLL(Unroll)
  for (int i = thread * V; i < whole; i += kThreads * V) body.template operator()<V>(chunk.begin + i);
  if constexpr (V > 1)
    for (int i = whole + thread; i < chunk.count; i += kThreads) body.template operator()<1>(chunk.begin + i);
}

template <int V>
__device__ double squares_of_thread(const float* g, const Chunk& chunk) {
  double sum[V] = {};  // as many as a vector, so that they need not wait for each other
  for_vectors<V, 4>(chunk, [&]<int N>(int64_t i) {
    const auto here = simt::load<simt::Pack<float, N>>(g + i);
    for (int j = 0; j < N; ++j) sum[j] += static_cast<double>(here.v[j]) * static_cast<double>(here.v[j]);
  });
  double all = 0;
  for (int j = 0; j < V; ++j) all += sum[j];
  return all;
}

// `squares` gets a number a block.
__global__ void __launch_bounds__(kThreads)
    sum_squares(SIMT_GRID_CONSTANT(Table<Gradient>) table, double* squares) {
  const Gradient& mine = entry_of_block(table);
  const Chunk chunk = chunk_of_block(mine.first_chunk, mine.count);
  double sum[1] = {mine.vectorises ? squares_of_thread<kVector<float>>(mine.g, chunk)
                                   : squares_of_thread<1>(mine.g, chunk)};
  block_reduce<Plus>(sum);
  if (threadIdx.x == 0) simt::store(squares + blockIdx.x, sum[0]);
}

// The optimizer's own numbers.
struct Formula {
  float momentum, beta1, beta2, eps, rho, clip_norm, ema_decay;
  bool nesterov, decoupled;
};

// What pass 2 leaves for pass 3.
struct Shared {
  float gradient_factor;           // clipping / loss scale
  float correction1, correction2;  // Adam's 1 / (1 - beta^t)
  int finite;
};

__global__ void __launch_bounds__(kMergeThreads)
    merge_squares(const double* squares, int64_t count, OptimizeStep of, Formula f, Shared* shared) {
  double sum[1] = {};
  for (int64_t i = threadIdx.x; i < count; i += kMergeThreads) sum[0] += simt::load<double>(squares + i);
  block_reduce<Plus>(sum);
  if (threadIdx.x != 0) return;
  const float loss_scale = of.loss_scale != nullptr ? simt::load<float>(of.loss_scale) : 1;
  const double scale = static_cast<double>(loss_scale);
  const double norm = sqrt(sum[0]) / scale, clip_norm = static_cast<double>(f.clip_norm);
  const double clip = clip_norm > 0 && norm > clip_norm ? clip_norm / norm : 1;
  const auto update = static_cast<double>(simt::load<int32_t>(&of.step->update));
  const bool finite = norm <= DBL_MAX;
  Shared s;
  s.gradient_factor = static_cast<float>(clip / scale);
  s.correction1 = static_cast<float>(1 / (1 - pow(static_cast<double>(f.beta1), update)));
  s.correction2 = static_cast<float>(1 / (1 - pow(static_cast<double>(f.beta2), update)));
  s.finite = finite ? 1 : 0;
  simt::store(shared, s);
  if (of.norm != nullptr) simt::store(of.norm, static_cast<float>(norm));
  if (of.finite != nullptr) simt::store(of.finite, finite ? 1.0F : 0.0F);
  if (of.loss_scale == nullptr || of.new_loss_scale == nullptr) return;
  const float updates = finite ? simt::load<float>(of.loss_scale + 1) + 1 : 0;
  const bool grows = updates >= LossScaling::kInterval;
  const float factor = !finite ? LossScaling::kBackoff : grows ? LossScaling::kGrowth : 1;
  simt::store(of.new_loss_scale, loss_scale * factor);
  simt::store(of.new_loss_scale + 1, grows ? 0 : updates);
}

// What one tensor's numbers are updated with.
struct Rule {
  float rate, decay;
  Shared shared;
};

__device__ float mix(float keep, float old, float now) { return keep * old + (1 - keep) * now; }

// Moves one number and its moments.
template <OptimizerKind K>
__device__ void update_number(const Formula& f, const Rule& r, bool has_momentum, float gradient, float& p,
                              float& m1, float& m2) {
  float g = gradient * r.shared.gradient_factor;
  if constexpr (K == OptimizerKind::sgd) {
    g += r.decay * p;
    float move = g;
    if (has_momentum) {
      m1 = f.momentum * m1 + g;
      move = f.nesterov ? g + f.momentum * m1 : m1;
    }
    p -= r.rate * move;
  } else if constexpr (K == OptimizerKind::adadelta) {
    g += r.decay * p;
    const float squares = mix(f.rho, m1, g * g);
    const float move = g * sqrtf((m2 + f.eps) / (squares + f.eps));
    m1 = squares;
    m2 = mix(f.rho, m2, move * move);
    p -= r.rate * move;
  } else {
    if (!f.decoupled) g += r.decay * p;
    m1 = mix(f.beta1, m1, g);
    m2 = mix(f.beta2, m2, g * g);
    const float move = m1 * r.shared.correction1 / (sqrtf(m2 * r.shared.correction2) + f.eps);
    p = (f.decoupled ? p * (1 - r.rate * r.decay) : p) - r.rate * move;
  }
}

// Absent numbers are zeros; absent results are dropped.
template <int N>
__device__ simt::Pack<float, N> load_if(const float* from, int64_t i) {
  return from != nullptr ? simt::load<simt::Pack<float, N>>(from + i) : simt::Pack<float, N>{};
}
template <int N>
__device__ void store_if(float* to, int64_t i, const simt::Pack<float, N>& value) {
  if (to != nullptr) simt::store(to + i, value);
}

template <int N>
__device__ void move_average(const OptimizeTensor& t, float ema_decay, int64_t i,
                             const simt::Pack<float, N>& p) {
  if (t.new_average == nullptr) return;
  auto average = simt::load<simt::Pack<float, N>>(t.average + i);
  for (int j = 0; j < N; ++j) average.v[j] = mix(ema_decay, average.v[j], p.v[j]);
  simt::store(t.new_average + i, average);
}

template <int N>
__device__ void copy_elsewhere(const float* from, float* to, int64_t i) {
  if (from != nullptr && to != nullptr && from != to)
    simt::store(to + i, simt::load<simt::Pack<float, N>>(from + i));
}

template <OptimizerKind K, int V>
__device__ void update_chunk(const OptimizeTensor& t, const Chunk& chunk, const Formula& f, const Rule& r) {
  if (r.shared.finite == 0) {
    for_vectors<V>(chunk, [&]<int N>(int64_t i) {
      copy_elsewhere<N>(t.parameter, t.new_parameter, i);
      copy_elsewhere<N>(t.moment1, t.new_moment1, i);
      copy_elsewhere<N>(t.moment2, t.new_moment2, i);
      copy_elsewhere<N>(t.average, t.new_average, i);
    });
  } else if (t.gradient == nullptr) {
    for_vectors<V>(chunk, [&]<int N>(int64_t i) {
      const auto p = simt::load<simt::Pack<float, N>>(t.parameter + i);
      if (t.new_parameter != t.parameter) store_if<N>(t.new_parameter, i, p);
      move_average<N>(t, f.ema_decay, i, p);
    });
  } else {
    for_vectors<V>(chunk, [&]<int N>(int64_t i) {
      auto p = simt::load<simt::Pack<float, N>>(t.parameter + i);
      const auto g = simt::load<simt::Pack<float, N>>(t.gradient + i);
      auto m1 = load_if<N>(t.moment1, i), m2 = load_if<N>(t.moment2, i);
      for (int j = 0; j < N; ++j)
        update_number<K>(f, r, t.moment1 != nullptr, g.v[j], p.v[j], m1.v[j], m2.v[j]);
      store_if<N>(t.new_parameter, i, p);
      store_if<N>(t.new_moment1, i, m1);
      store_if<N>(t.new_moment2, i, m2);
      move_average<N>(t, f.ema_decay, i, p);
    });
  }
}

template <OptimizerKind K>
__global__ void __launch_bounds__(kThreads) update_tensors(SIMT_GRID_CONSTANT(Table<Update>) table, Formula f,
                                                           const StepParams* step, const Shared* shared) {
  const Update& mine = entry_of_block(table);
  const Chunk chunk = chunk_of_block(mine.first_chunk, mine.t.count);
  const auto* rates = reinterpret_cast<const float*>(&step->learning_rate);
  const Rule rule{simt::load<float>(rates + mine.rule.group), mine.rule.decay, simt::load<Shared>(shared)};
  if (mine.vectorises) {
    update_chunk<K, kVector<float>>(mine.t, chunk, f, rule);
  } else {
    update_chunk<K, 1>(mine.t, chunk, f, rule);
  }
}

bool aligned(const void* p) { return reinterpret_cast<uintptr_t>(p) % 16 == 0; }

bool vectorises(const OptimizeTensor& t) {
  return aligned(t.parameter) && aligned(t.gradient) && aligned(t.moment1) && aligned(t.moment2) &&
         aligned(t.average) && aligned(t.new_parameter) && aligned(t.new_moment1) && aligned(t.new_moment2) &&
         aligned(t.new_average);
}

// Whether a step can change anything of a tensor.
bool has_work(const OptimizeTensor& t) {
  return t.count > 0 && (t.gradient != nullptr || t.new_average != nullptr ||
                         (t.new_parameter != nullptr && t.new_parameter != t.parameter));
}

// Calls launch(table, first chunk, chunks) for as many entries at a time as a table holds.
template <class Entry, class Count, class Launch>
cudaError_t in_tables(const std::vector<Entry>& entries, Count count, Launch launch) {
  using Full = Table<Entry>;
  int64_t first_chunk = 0;
  for (size_t begin = 0; begin < entries.size(); begin += Full::kCapacity) {
    Full table{};
    table.count = static_cast<int>(std::min(entries.size() - begin, size_t{Full::kCapacity}));
    int64_t here = 0;
    for (int i = 0; i < table.count; ++i) {
      table.entry[i] = entries[begin + static_cast<size_t>(i)];
      table.entry[i].first_chunk = static_cast<unsigned>(here);
      here += chunks(count(table.entry[i]));
    }
    const cudaError_t status = launch(table, first_chunk, dim3(static_cast<unsigned>(here)));
    if (status != cudaSuccess) return status;
    first_chunk += here;
  }
  return cudaSuccess;
}

template <OptimizerKind K>
cudaError_t launch_updates(const std::vector<Update>& updates, const Formula& f, const StepParams* step,
                           const Shared* shared, cudaStream_t stream) {
  return in_tables(
      updates, [](const Update& u) { return u.t.count; },
      [&](const Table<Update>& table, int64_t /*first_chunk*/, dim3 grid) {
        return simt::launch(&update_tensors<K>, grid, dim3(kThreads), 0, stream, table, f, step, shared);
      });
}

}  // namespace

size_t optimize_workspace(std::span<const int64_t> counts) {
  int64_t all = 0;
  for (const int64_t count : counts) all += chunks(count);
  return static_cast<size_t>(all) * sizeof(double) + sizeof(Shared);
}

int optimize(const Optimize& op, const OptimizeStep& step, std::span<const OptimizeTensor> tensors,
             void* workspace, void* stream) {
  auto* queue = static_cast<cudaStream_t>(stream);
  std::vector<Gradient> gradients;
  std::vector<Update> updates;
  int64_t all_chunks = 0;
  for (size_t i = 0; i < tensors.size(); ++i) {
    const OptimizeTensor& t = tensors[i];
    if (t.gradient != nullptr && t.count > 0) {
      gradients.push_back({t.gradient, t.count, 0, aligned(t.gradient)});
      all_chunks += chunks(t.count);
    }
    if (has_work(t)) updates.push_back({t, op.tensors[i], 0, vectorises(t)});
  }
  auto* squares = static_cast<double*>(workspace);
  auto* shared = reinterpret_cast<Shared*>(squares + all_chunks);
  const Formula f{op.momentum,  op.beta1,    op.beta2,
                  op.eps,       op.rho,      op.clip_norm,
                  op.ema_decay, op.nesterov, op.kind == OptimizerKind::adamw};
  cudaError_t status = in_tables(
      gradients, [](const Gradient& g) { return g.count; },
      [&](const Table<Gradient>& table, int64_t first_chunk, dim3 grid) {
        return simt::launch(&sum_squares, grid, dim3(kThreads), 0, queue, table, squares + first_chunk);
      });
  if (status != cudaSuccess) return status;
  status = simt::launch(&merge_squares, dim3(1), dim3(kMergeThreads), 0, queue, squares, all_chunks, step, f,
                        shared);
  if (status != cudaSuccess) return status;
  switch (op.kind) {
    case OptimizerKind::sgd: return launch_updates<OptimizerKind::sgd>(updates, f, step.step, shared, queue);
    case OptimizerKind::adadelta:
      return launch_updates<OptimizerKind::adadelta>(updates, f, step.step, shared, queue);
    default: return launch_updates<OptimizerKind::adam>(updates, f, step.step, shared, queue);
  }
}

}  // namespace xf::cuda
