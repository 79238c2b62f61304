#pragma once
// Where a stream of pictures comes from.

#include <optional>
#include <string>

namespace xf::tool {

class PathSource {
 public:
  virtual ~PathSource() = default;
  /// Waits for the next file to look at. None when there will be no more, or a stop was requested.
  virtual std::optional<std::string> next() = 0;
};

}  // namespace xf::tool
