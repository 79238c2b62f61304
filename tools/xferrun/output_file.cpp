#include "tools/xferrun/output_file.h"

#include <fmt/format.h>

#include <filesystem>

#include "engine/core/error.h"

namespace xf::tool {

void check_output(const std::string& out, bool force, const std::string& what, const std::string& writer,
                  const std::function<bool()>& is_ours) {
  std::error_code none;
  if (!std::filesystem::exists(std::filesystem::symlink_status(out, none))) return;
  if (!force)
    throw OutputExistsError(out, "exists already",
                            fmt::format("choose another --out, or --force to replace earlier {}", what));
  if (!is_ours())
    throw OutputExistsError(out, fmt::format("was not written by {}: --force does not replace it", writer),
                            "choose another --out");
}

}  // namespace xf::tool
