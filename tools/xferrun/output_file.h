#pragma once
// Files that a command writes to --out.

#include <functional>
#include <string>

namespace xf::tool {

/// Throws OutputExistsError where `out` is there, unless `force` allows to replace it and `is_ours` says that
/// it is one of `what` ("features") by `writer` ("this command").
void check_output(const std::string& out, bool force, const std::string& what, const std::string& writer,
                  const std::function<bool()>& is_ours);

}  // namespace xf::tool
