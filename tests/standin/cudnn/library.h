#pragma once
// The library as a whole.

#include <cstddef>

namespace xf::standin::cudnn {

/// The version that it says it is, as cuDNN counts: machine()'s, or that of the headers.
size_t version();

}  // namespace xf::standin::cudnn
