#pragma once
// A library's version when this program was compiled, and that of the one it runs with.

#include <string>

namespace xf {

struct LibraryVersion {
  std::string compiled, running;
};

}  // namespace xf
