#include "kernels/cuda/tsne_backend.h"

#include <cuda_runtime_api.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "kernels/cuda/check.h"
#include "kernels/cuda/devices.h"
#include "kernels/cuda/memory_pool.h"
#include "kernels/cuda/stream.h"
#include "kernels/cuda/tsne.h"

namespace xf::cuda {
namespace {

/// A GPU with its stream and memory, which those that compute on it share.
class Gpu {
 public:
  explicit Gpu(int index) : stream_(index), memory_(fmt::format("cuda:{}", index)) {}

  [[nodiscard]] cudaStream_t stream() const { return stream_.use(); }
  void synchronize() { stream_.synchronize(); }

  template <class T>
  void upload(const Buffer& to, std::span<const T> from) const {
    check(cudaMemcpyAsync(to.data.get(), from.data(), from.size_bytes(), cudaMemcpyHostToDevice, stream()),
          "t-SNE's numbers to the device");
  }
  template <class T>
  Buffer holding(std::span<const T> values) {
    static_cast<void>(stream());  // its device is the current one
    Buffer buffer = memory_.take(values.size_bytes());
    if (!values.empty()) upload(buffer, values);
    return buffer;
  }
  Buffer floats(int64_t count) {
    static_cast<void>(stream());
    return memory_.take(static_cast<size_t>(count) * sizeof(float));
  }
  /// Waits for it.
  void download(std::span<float> to, const Buffer& from) {
    check(cudaMemcpyAsync(to.data(), from.data.get(), to.size_bytes(), cudaMemcpyDeviceToHost, stream()),
          "t-SNE's numbers to the host");
    synchronize();
  }

 private:
  CudaStream stream_;
  MemoryPool memory_;
};

template <class T>
T* as(const Buffer& buffer) {
  return reinterpret_cast<T*>(buffer.data.get());
}

void check_launch(int status, const char* what) { check(static_cast<cudaError_t>(status), what); }

class Similarity final : public TsneSimilarity {
 public:
  Similarity(std::shared_ptr<Gpu> gpu, const Points& points)
      : gpu_(std::move(gpu)),
        values_(gpu_->holding(std::span<const float>(points.values))),
        points_{points.count, points.dims, as<float>(values_)} {
    gpu_->synchronize();  // the points may go
  }

  void conditional(int64_t first, int64_t count, double perplexity, int64_t nearest,
                   std::span<float> p) override {
    if (rows_.bytes < p.size_bytes()) rows_ = gpu_->floats(static_cast<int64_t>(p.size()));
    auto* rows = as<float>(rows_);
    check_launch(tsne_distances(points_, first, count, rows, gpu_->stream()), "t-SNE's distances");
    const TsneRows t{first, count, points_.count, nearest, static_cast<float>(std::log(perplexity)), rows};
    check_launch(tsne_conditional(t, gpu_->stream()), "t-SNE's affinities");
    gpu_->download(p, rows_);
  }

 private:
  std::shared_ptr<Gpu> gpu_;
  Buffer values_, rows_;
  TsnePoints points_;
};

class ForceField final : public TsneForceField {
 public:
  ForceField(std::shared_ptr<Gpu> gpu, const TsneAffinities& a)
      : gpu_(std::move(gpu)),
        begin_(gpu_->holding(std::span<const int64_t>(a.begin))),
        other_(gpu_->holding(std::span<const int32_t>(a.other))),
        p_(gpu_->holding(std::span<const float>(a.p))),
        map_(gpu_->floats(kMapAxes * a.points())),
        results_(gpu_->floats((2 * kMapAxes + 1) * a.points())),
        workspace_(gpu_->floats(static_cast<int64_t>(tsne_forces_workspace(a.points()) / sizeof(float)))),
        host_(static_cast<size_t>((2 * kMapAxes + 1) * a.points())) {
    const int64_t points = a.points();
    auto* results = as<float>(results_);
    tensors_ = {points,        as<float>(map_), as<int64_t>(begin_),         as<int32_t>(other_),
                as<float>(p_), results,         results + kMapAxes * points, results + 2 * kMapAxes * points};
    gpu_->synchronize();
  }

  void forces(std::span<const float> map, TsneForces& out) override {
    gpu_->upload(map_, map);
    check_launch(tsne_forces(tensors_, workspace_.data.get(), gpu_->stream()), "t-SNE's forces");
    gpu_->download(host_, results_);
    const auto size = static_cast<ptrdiff_t>(map.size());
    out.attraction.assign(host_.begin(), host_.begin() + size);
    out.repulsion.assign(host_.begin() + size, host_.begin() + 2 * size);
    out.normalisation = 0;
    std::for_each(host_.begin() + 2 * size, host_.end(), [&](float sum) { out.normalisation += sum; });
  }

 private:
  std::shared_ptr<Gpu> gpu_;
  Buffer begin_, other_, p_, map_, results_, workspace_;
  TsneMapForces tensors_;
  std::vector<float> host_;
};

class TsneDevice final : public TsneBackend {
 public:
  explicit TsneDevice(int index) : gpu_(std::make_shared<Gpu>(index)) {}
  std::unique_ptr<TsneSimilarity> similarity(const Points& points) override {
    return std::make_unique<Similarity>(gpu_, points);
  }
  std::unique_ptr<TsneForceField> exact_forces(const TsneAffinities& affinities) override {
    return std::make_unique<ForceField>(gpu_, affinities);
  }
  [[nodiscard]] int64_t most_exact_points() const override { return 200000; }

 private:
  std::shared_ptr<Gpu> gpu_;
};

}  // namespace

std::unique_ptr<TsneBackend> make_tsne_device(int index) {
  usable_device(index);
  return std::make_unique<TsneDevice>(index);
}

}  // namespace xf::cuda
