#include "kernels/cuda/memory_pool.h"

#include <cuda_runtime_api.h>
#include <fmt/format.h>

#include <algorithm>

#include "engine/core/aligned.h"
#include "engine/core/error.h"
#include "kernels/cuda/check.h"

namespace xf::cuda {
namespace {

size_t free_on_device() {
  size_t left = 0, all = 0;
  check(cudaMemGetInfo(&left, &all), "cudaMemGetInfo");
  return left;
}

}  // namespace

std::shared_ptr<std::byte> MemoryPool::allocate(size_t bytes) const {
  void* memory = nullptr;
  const cudaError_t status = cudaMalloc(&memory, bytes);
  if (status == cudaErrorMemoryAllocation) {
    cudaGetLastError();  // so that the next call does not report it again
    throw MemoryError(name_, fmt::format("{} bytes were asked for, and {} are free", bytes, free_on_device()),
                      "use a smaller --batch");
  }
  check(status, "cudaMalloc");
  return {static_cast<std::byte*>(memory), [](std::byte* p) { cudaFree(p); }};
}

void MemoryPool::set_aside(size_t bytes) {
  if (bytes <= piece_bytes_ - used_) return;
  piece_ = nullptr;  // what is in use keeps the old piece
  piece_bytes_ = used_ = 0;
  piece_ = allocate(aligned(bytes));
  piece_bytes_ = aligned(bytes);
}

Buffer MemoryPool::take(size_t bytes) {
  if (bytes == 0) return {};
  if (piece_bytes_ - used_ < bytes) return {allocate(bytes), bytes};
  std::byte* begin = piece_.get() + used_;
  used_ += std::min(aligned(bytes), piece_bytes_ - used_);
  return {std::shared_ptr<std::byte>(piece_, begin), bytes};
}

size_t MemoryPool::available() const { return free_on_device() + (piece_bytes_ - used_); }

}  // namespace xf::cuda
