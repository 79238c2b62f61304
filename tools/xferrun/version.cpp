#include "tools/xferrun/version.h"

#include <fmt/format.h>

#include "engine/io/hdf5.h"
#include "kernels/cpu/backend.h"

namespace xf::tool {

std::string version_number() { return XFERRUN_VERSION; }

std::string version_text() {
  return fmt::format("xferrun {} ({}; oneDNN {}; HDF5 {})", XFERRUN_VERSION, XFERRUN_COMPILER,
                     cpu::library_version().compiled, hdf5::library_version().compiled);
}

}  // namespace xf::tool
