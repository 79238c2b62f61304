#pragma once
// JSON that a user writes.

#include <nlohmann/json.hpp>
#include <string>

namespace xf::tool {

/// The one object that `file` holds. Throws MissingInputError when it is not there or may not be read, and
/// DataError with the remedy `write_this` when it holds anything else.
nlohmann::ordered_json read_json_object(const std::string& file, const std::string& write_this);

/// The same of a text that `source` names in errors.
nlohmann::ordered_json parse_json_object(const std::string& text, const std::string& source,
                                         const std::string& write_this);

}  // namespace xf::tool
