#include <cuda_runtime_api.h>
#include <fmt/format.h>

#include <type_traits>
#include <utility>
#include <variant>

#include "engine/core/aligned.h"
#include "engine/core/error.h"
#include "kernels/cuda/check.h"
#include "kernels/cuda/comm_nccl.h"
#include "kernels/cuda/devices.h"
#include "kernels/cuda/handles.h"
#include "kernels/cuda/lower.h"
#include "kernels/cuda/memory_pool.h"
#include "kernels/cuda/module.h"
#include "kernels/cuda/named_kernel.h"
#include "kernels/cuda/recording.h"
#include "kernels/cuda/stream.h"
#include "kernels/cuda/transfers.h"
#include "kernels/cuda/tsne_backend.h"

namespace xf::cuda {
namespace {

class CudaBackend final : public Backend {
 public:
  CudaBackend(int index, Determinism determinism)
      : index_(index),
        device_(usable_device(index)),
        context_{determinism, Math::f32, std::make_shared<Libraries>(index)},
        compute_(index),
        copy_(index),
        memory_(CudaBackend::name()) {}

  [[nodiscard]] std::string name() const override { return fmt::format("cuda:{}", index_); }

  std::unique_ptr<Kernel> lower(const Node& node, Math math) override {
    use_device(index_);
    Context context = context_;
    context.math = math;
    return std::visit(
        [&](const auto& op) -> std::unique_ptr<Kernel> {
          if constexpr (std::is_same_v<std::decay_t<decltype(op)>, std::monostate>)
            throw InternalError(node.name, "a tensor of the graph is not an operation");
          else
            return named(cuda::lower(op, node, context), node.name);
        },
        node.op);
  }

  void join(Comm& comm) override {
    if (comm.size() == 1) return;
    context_.ranks = make_communicator(comm, index_);
    compute_.watch(context_.ranks);
    copy_.watch(context_.ranks);
  }

  bool supports(DType dtype, std::string& why) const override {
    if (dtype == DType::f32 || dtype == DType::f16 || (dtype == DType::bf16 && device_.compute_major >= 8))
      return true;
    why = dtype == DType::bf16 ? fmt::format("{} has compute capability {}.{}, and bf16 needs 8.0",
                                             device_.name, device_.compute_major, device_.compute_minor)
                               : fmt::format("no kernels compute in {}", xf::name(dtype));
    return false;
  }

  Buffer reserve(size_t bytes) override {
    use_device(index_);
    Buffer buffer = memory_.take(bytes);
    if (bytes == 0) return buffer;
    check(cudaMemsetAsync(buffer.data.get(), 0, bytes, compute_.use()), "cudaMemset");
    compute_.synchronize();
    return buffer;
  }
  [[nodiscard]] size_t available() const override {
    use_device(index_);
    return memory_.available();
  }
  void set_aside(size_t bytes) override {
    use_device(index_);
    memory_.set_aside(bytes);
  }

  Stream& stream(Lane lane) override { return lane == Lane::compute ? compute_ : copy_; }

  void upload(Stream& stream, std::byte* device, const std::byte* host, size_t bytes) override {
    check(cudaMemcpyAsync(device, host, bytes, cudaMemcpyHostToDevice, cuda_stream(stream).use()), "upload");
  }

  void download(Stream& stream, std::byte* host, const std::byte* device, size_t bytes) override {
    // First what was queued: CUDA itself would wait for it here, and hear nothing of ranks that are lost.
    stream.synchronize();
    check(cudaMemcpyAsync(host, device, bytes, cudaMemcpyDeviceToHost, cuda_stream(stream).use()),
          "download");
    stream.synchronize();
  }

  [[nodiscard]] size_t feed_bytes(size_t bytes) const override { return aligned(2 * bytes); }
  std::unique_ptr<Feed> feed(std::byte* device, size_t bytes) override {
    return make_feed(compute_, copy_, reserve(2 * bytes), device, bytes);
  }
  std::unique_ptr<Readback> readback(const std::byte* device, size_t bytes) override {
    return make_readback(compute_, device, bytes);
  }
  std::unique_ptr<Recording> record(Stream& stream, const std::function<void()>& work) override {
    return cuda::record(cuda_stream(stream), work);
  }

 private:
  int index_;
  Device device_;
  Context context_;
  CudaStream compute_, copy_;
  MemoryPool memory_;
};

std::unique_ptr<Backend> make_backend(int index, Determinism determinism) {
  return std::make_unique<CudaBackend>(index, determinism);
}

constexpr Module kModule{kModuleAbi, XFERRUN_MODULE_BUILD, &versions,
                         &devices,   &make_backend,        &make_tsne_device};

}  // namespace
}  // namespace xf::cuda

const xf::cuda::Module* xferrun_cuda_module() { return &xf::cuda::kModule; }
