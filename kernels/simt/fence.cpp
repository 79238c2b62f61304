#include "kernels/simt/fence.h"

#include <map>
#include <string>
#include <utility>

#include "kernels/simt/runtime.h"

namespace xf::simt {

bool fenced = false;

namespace {

// By their beginning; no two overlap.
std::map<uintptr_t, FencedRows>& fences() {
  static std::map<uintptr_t, FencedRows> all;
  return all;
}

}  // namespace

Fence::Fence(const FencedRows& rows) : begin_(rows.begin) {
  FencedRows& mine = fences()[begin_] = rows;
  if (rows.row_bytes == rows.stride_bytes) {
    mine.row_bytes = mine.stride_bytes = rows.count * rows.row_bytes;
    mine.count = 1;
  }
  fenced = true;
}

Fence& Fence::operator=(Fence other) noexcept {
  std::swap(begin_, other.begin_);
  return *this;
}

Fence::~Fence() {
  if (begin_ == 0) return;
  fences().erase(begin_);
  fenced = !fences().empty();
}

void check_fences(const void* address, size_t bytes) {
  const auto at = reinterpret_cast<uintptr_t>(address);
  auto it = fences().upper_bound(at);
  if (it == fences().begin()) return;
  const FencedRows& rows = (--it)->second;
  if (at >= rows.end) return;
  const size_t from = at - rows.first;  // huge where it lies before them
  if (rows.row_bytes > 0 && at >= rows.first && from / rows.stride_bytes < rows.count &&
      from % rows.stride_bytes + bytes <= rows.row_bytes)
    return;
  fail("access of " + std::to_string(bytes) + " bytes that begins " +
       std::to_string(static_cast<int64_t>(from)) + " bytes from the first of " + std::to_string(rows.count) +
       " rows of " + std::to_string(rows.row_bytes) + " bytes, " + std::to_string(rows.stride_bytes) +
       " apart: not in one of them");
}

}  // namespace xf::simt
