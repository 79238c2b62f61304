#pragma once
// Where the elements of a tensor or matrix lie.

#include <cstddef>
#include <cstdint>
#include <vector>

namespace xf::standin {

struct Placed {
  const char* memory;
  std::vector<int64_t> offsets;  ///< of every element from `memory`, in elements
  size_t element_bytes;
};

/// Whether an element of one lies where an element of the other does. Slices of one wide tensor that
/// alternate in memory share none.
bool share_memory(const Placed& a, const Placed& b);

}  // namespace xf::standin
