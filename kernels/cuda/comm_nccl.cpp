#include "kernels/cuda/comm_nccl.h"

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <exception>
#include <utility>

#include "engine/core/error.h"
#include "kernels/cuda/check.h"
#include "kernels/cuda/nccl_library.h"

namespace xf::cuda {
namespace {

/// A GPU as no other of the ranks' is called.
struct GpuName {
  std::array<char, 64> host{};
  std::array<char, sizeof(cudaUUID_t)> gpu{};
  bool operator==(const GpuName&) const = default;
};

GpuName name_of(int device) {
  GpuName name;
  gethostname(name.host.data(), name.host.size() - 1);
  cudaDeviceProp properties{};
  check(cudaGetDeviceProperties(&properties, device), "cudaGetDeviceProperties");
  std::memcpy(name.gpu.data(), &properties.uuid, name.gpu.size());
  return name;
}

// NCCL refuses this too, some time later and in its own words.
void refuse_shared_gpu(Comm& ranks, int device) {
  const std::vector<GpuName> names = all_gather(ranks, name_of(device));
  for (size_t b = 0; b < names.size(); ++b)
    for (size_t a = 0; a < b; ++a)
      if (names[a] == names[b])
        throw UnavailableError(
            fmt::format("ranks {} and {}", a, b), fmt::format("have one GPU, of {}", names[a].host.data()),
            "start at most as many ranks on a host as it has GPUs, and see that CUDA_VISIBLE_DEVICES "
            "names them all to each rank");
}

class NcclCommunicator final : public Communicator {
 public:
  NcclCommunicator(Comm& ranks, int device) : Communicator(device), nccl_(load_nccl()) {
    refuse_shared_gpu(ranks, device);
    ncclUniqueId id{};
    if (ranks.rank() == 0) nccl_.check(nccl_.get_unique_id(&id), "ncclGetUniqueId");
    id = all_gather(ranks, id).front();
    use_device(device);
    if (const ncclResult_t status = nccl_.comm_init_rank(&nccl_communicator_, ranks.size(), id, ranks.rank());
        status != ncclSuccess)
      throw UnavailableError(
          fmt::format("rank {}", ranks.rank()),
          fmt::format("cannot join the other GPUs: {}", nccl_.text(status, nullptr)),
          "see what the other ranks say; NCCL_DEBUG=INFO in the environment makes NCCL say more");
  }

  ~NcclCommunicator() override {
    give_up_after_error();
    if (nccl_communicator_ != nullptr) nccl_.comm_destroy(nccl_communicator_);
  }

  void mean(std::span<const std::span<float>> tensors) override {
    check();
    cudaStream_t on = stream().use();
    nccl_.check(nccl_.group_start(), "ncclGroupStart");
    ncclResult_t status = ncclSuccess;
    for (const std::span<float> t : tensors)
      if (status == ncclSuccess)
        status = nccl_.all_reduce(t.data(), t.data(), t.size(), ncclFloat32, ncclAvg, nccl_communicator_, on);
    const ncclResult_t end = nccl_.group_end();  // after an error too: else the group would stay open
    nccl_.check(status, "ncclAllReduce", nccl_communicator_);
    nccl_.check(end, "ncclGroupEnd", nccl_communicator_);
  }

  void check() override {
    if (failure_ == ncclSuccess) {
      ncclResult_t status = ncclSuccess;
      nccl_.check(nccl_.comm_get_async_error(nccl_communicator_, &status), "ncclCommGetAsyncError");
      if (status == ncclInProgress || status == ncclSuccess) return;
      failure_ = status;
    }
    nccl_.check(failure_, "the exchange between GPUs", nccl_communicator_);
  }

  void give_up_after_error() noexcept override {
    if (nccl_communicator_ == nullptr || (failure_ == ncclSuccess && std::uncaught_exceptions() == 0)) return;
    if (failure_ == ncclSuccess) failure_ = ncclInvalidUsage;
    nccl_.comm_abort(std::exchange(nccl_communicator_, nullptr));
  }

 private:
  NcclLibrary nccl_;
  ncclComm_t nccl_communicator_ = nullptr;
  ncclResult_t failure_ = ncclSuccess;
};

}  // namespace

std::shared_ptr<Communicator> make_communicator(Comm& ranks, int device) {
  return std::make_shared<NcclCommunicator>(ranks, device);
}

}  // namespace xf::cuda
