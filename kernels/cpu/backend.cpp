#include "kernels/cpu/backend.h"

#include <cstring>

#include "engine/core/error.h"
#include "kernels/cpu/host_memory.h"
#include "kernels/cpu/instructions.h"
#include "kernels/cpu/lower.h"

namespace xf::cpu {

namespace {

/// Work is done when it is queued.
class CpuStream : public Stream {
 public:
  void synchronize() override {}
};

class CpuBackend : public Backend {
 public:
  CpuBackend(Determinism determinism, Convolutions convolutions) : context_{determinism, convolutions} {}

  [[nodiscard]] std::string name() const override { return "cpu"; }

  std::unique_ptr<Kernel> lower(const Node& node, Math /*math*/) override {
    return std::visit(
        [&](const auto& op) -> std::unique_ptr<Kernel> {
          if constexpr (std::is_same_v<std::decay_t<decltype(op)>, std::monostate>)
            throw InternalError(node.name, "a tensor of the graph is not an operation");
          else
            return cpu::lower(op, node, context_);
        },
        node.op);
  }

  void join(Comm& comm) override { context_.comm = &comm; }

  bool supports(DType dtype, std::string& why) const override {
    if (dtype == DType::f32) return true;
    if (dtype != DType::bf16) {
      why = "the CPU computes in f32 and bf16";
      return false;
    }
    if (has_bf16()) return true;
    why = "this processor has no AVX512_BF16 instructions";
    return false;
  }

  Buffer reserve(size_t bytes) override { return map_memory(bytes); }
  [[nodiscard]] size_t available() const override { return available_memory(); }
  Stream& stream(Lane) override { return stream_; }
  void upload(Stream&, std::byte* device, const std::byte* host, size_t bytes) override {
    std::memcpy(device, host, bytes);
  }
  void download(Stream&, std::byte* host, const std::byte* device, size_t bytes) override {
    std::memcpy(host, device, bytes);
  }

 private:
  Context context_;
  CpuStream stream_;
};

}  // namespace

std::unique_ptr<Backend> make_backend(Determinism determinism, Convolutions convolutions) {
  return std::make_unique<CpuBackend>(determinism, convolutions);
}

}  // namespace xf::cpu
