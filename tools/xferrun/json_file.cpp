#include "tools/xferrun/json_file.h"

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <system_error>

#include "engine/core/error.h"

namespace xf::tool {

nlohmann::ordered_json read_json_object(const std::string& file, const std::string& write_this) {
  std::error_code ignored;
  errno = 0;
  std::ifstream in(file);
  if (!in || std::filesystem::is_directory(file, ignored))
    throw MissingInputError(
        file, !in ? "cannot be read: " + std::generic_category().message(errno) : std::string("is a folder"),
        "name a JSON file");
  nlohmann::ordered_json all;
  try {
    in >> all;
  } catch (const nlohmann::json::exception& e) {
    const std::string text = e.what();  // "[json.exception.parse_error.101] parse error at line 1, …"
    throw DataError(file, "is not JSON: " + text.substr(text.find("] ") + 2), write_this);
  }
  if (!all.is_object()) throw DataError(file, "does not hold an object", write_this);
  return all;
}

}  // namespace xf::tool
