// Instead of comm_nccl.cpp and nccl_library.cpp, where the build found no header of NCCL.

#include "engine/core/error.h"
#include "kernels/cuda/comm_nccl.h"

namespace xf::cuda {

std::shared_ptr<Communicator> make_communicator(Comm& /*ranks*/, int /*device*/) {
  throw UnavailableError(
      "several ranks on GPUs", "this program was built without NCCL",
      "install NCCL's header nccl.h (NVIDIA's libnccl-dev, or PyPI's nvidia-nccl-cu13) and "
      "build again, or train on one GPU");
}

}  // namespace xf::cuda
