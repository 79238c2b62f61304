#pragma once
// How many images fit in memory, for the message that says that so many do not.

#include <cstddef>
#include <cstdint>
#include <functional>

namespace xf {

/// The largest batch of `least` … `limit` - 1 that takes no more than `available`; 0 when there is none.
/// `bytes` must not fall with the batch, and is asked for few of them: it is nearly a straight line.
int64_t largest_batch(int64_t least, int64_t limit, size_t available,
                      const std::function<size_t(int64_t batch)>& bytes);

}  // namespace xf
