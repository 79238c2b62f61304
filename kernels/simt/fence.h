#pragma once
// Memory of which kernels may touch some rows alone: a load or store beside them is an error, also where its
// value is never used.

#include <cstddef>
#include <cstdint>

namespace xf::simt {

/// `count` rows of `row_bytes`, `stride_bytes` apart, the first at `first`, in memory from `begin` to `end`.
/// Rows without gaps are one.
struct FencedRows {
  uintptr_t begin, end, first;
  size_t count, row_bytes, stride_bytes;
};

/// For as long as it lives, an access of a simulated thread to that memory must lie in one row, whole, or it
/// throws a KernelError. A copy fences nothing: it is of other memory.
class Fence {
 public:
  Fence() = default;
  explicit Fence(const FencedRows& rows);
  Fence(const Fence& /*other*/) {}
  Fence(Fence&& other) noexcept : begin_(other.begin_) { other.begin_ = 0; }
  Fence& operator=(Fence other) noexcept;
  ~Fence();

 private:
  uintptr_t begin_ = 0;  // 0: none
};

/// Whether there is a fence at all.
extern bool fenced;
/// The error, if there is one.
void check_fences(const void* address, size_t bytes);

}  // namespace xf::simt
