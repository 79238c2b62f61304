#include "tools/xferrun/json_file.h"

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <system_error>

#include "engine/core/error.h"

namespace xf::tool {

namespace {

/// `input`: a stream or a text.
template <class Input>
nlohmann::ordered_json parse(Input& input, const std::string& source, const std::string& write_this) {
  nlohmann::ordered_json all;
  try {
    all = nlohmann::ordered_json::parse(input);
  } catch (const nlohmann::json::exception& e) {
    const std::string text = e.what();  // "[json.exception.parse_error.101] parse error at line 1, …"
    throw DataError(source, "is not JSON: " + text.substr(text.find("] ") + 2), write_this);
  }
  if (!all.is_object()) throw DataError(source, "does not hold an object", write_this);
  return all;
}

}  // namespace

nlohmann::ordered_json read_json_object(const std::string& file, const std::string& write_this) {
  std::error_code ignored;
  errno = 0;
  std::ifstream in(file);
  if (!in || std::filesystem::is_directory(file, ignored))
    throw MissingInputError(
        file, !in ? "cannot be read: " + std::generic_category().message(errno) : std::string("is a folder"),
        "name a JSON file");
  return parse(in, file, write_this);
}

nlohmann::ordered_json parse_json_object(const std::string& text, const std::string& source,
                                         const std::string& write_this) {
  return parse(text, source, write_this);
}

}  // namespace xf::tool
