#include <charconv>

#include "weights/formats/formats.h"

namespace xf::weights {

std::optional<std::pair<std::string, int>> split_index(std::string_view path, std::string_view separator) {
  const size_t at = path.rfind(separator);
  if (at == std::string_view::npos) return std::nullopt;
  int index = 0;
  const char *first = path.data() + at + separator.size(), *last = path.data() + path.size();
  if (std::from_chars(first, last, index).ptr != last || first == last || index < 0) return std::nullopt;
  return std::pair(std::string(path.substr(0, at)), index);
}

}  // namespace xf::weights
