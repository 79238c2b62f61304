#pragma once
// What this program is and what it was built with.

#include <string>

namespace xf::tool {

/// "xferrun 0.1.0 (GNU 12.2.0; oneDNN 2.6.0; HDF5 1.10.8; …)".
std::string version_text();
/// "0.1.0".
std::string version_number();

}  // namespace xf::tool
