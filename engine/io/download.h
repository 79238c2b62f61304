#pragma once
// Large files over HTTP: what is there already is not fetched twice, and nothing appears that was not
// checked.

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

namespace xf::io {

struct Download {
  std::string url;  ///< http or https
  std::filesystem::path target;
  uint64_t bytes = 0;  ///< of the whole file, known beforehand
  /// Throws DataError when the complete file is not the right one; it is then removed.
  std::function<void(const std::filesystem::path&)> check;
  /// Hears how many bytes are there; may be empty.
  std::function<void(uint64_t done)> progress;
};

/// Makes `target` be there: at once when it is already and check() accepts it, otherwise fetched into
/// `target` + ".part", checked, made durable and renamed. A ".part" of an earlier attempt is continued where
/// the server can do that, and so is a connection that broke, as long as each attempt brings something. One
/// process at a time fetches a target: the others wait, and find it there.
///
/// Throws UnavailableError when the server cannot be reached, breaks off again and again, or answers with an
/// error; DataError when it has a file of another size, and what check() throws; WriteError.
void download(const Download& d);

/// A small answer whose length nobody knows: the body of `url`, http or https. Throws UnavailableError as
/// download() does, at once, and DataError for more than `limit` bytes.
std::string fetch_text(const std::string& url, size_t limit);

}  // namespace xf::io
