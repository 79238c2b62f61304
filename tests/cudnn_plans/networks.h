#pragma once
// The convolutions of the networks, each distinct one once.

#include <string>
#include <vector>

#include "engine/graph/ops.h"

namespace xf::test {

struct NetworkConv {
  Shape x;  ///< of one image
  int64_t outputs = 0;
  Conv2d window;  ///< without activation
};

struct NetworkConvs {
  std::string name;
  std::vector<NetworkConv> convs;
};

/// Every registered network, in its own family's dialect.
std::vector<NetworkConvs> networks();

}  // namespace xf::test
