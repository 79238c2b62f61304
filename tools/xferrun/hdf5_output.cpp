#include "tools/xferrun/hdf5_output.h"

#include "engine/core/error.h"
#include "engine/io/hdf5.h"
#include "tools/xferrun/output_file.h"

namespace xf::tool {

namespace {

bool is_of(const OutputKind& kind, const std::string& path) {
  try {
    return hdf5::File(path).has_attribute("/", kind.attribute);
  } catch (const Error&) {
    return false;
  }
}

}  // namespace

void check_output(const std::string& out, bool force, const OutputKind& kind) {
  check_output(out, force, kind.what, kind.writer, [&] { return is_of(kind, out); });
}

}  // namespace xf::tool
