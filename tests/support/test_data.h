#pragma once
// Extra data for tests: real weights, real images. Named by XFERRUN_TEST_DATA; a test that finds none skips.

#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <optional>
#include <string>

namespace xf::test {

/// The path of `name` below $XFERRUN_TEST_DATA; without it, prints why the test is skipped and returns none.
inline std::optional<std::filesystem::path> data_path(const std::string& name) {
  const char* root = std::getenv("XFERRUN_TEST_DATA");
  if (root == nullptr || *root == '\0') {
    std::cout << "skipped: " << name << " is needed, and XFERRUN_TEST_DATA is not set\n";
    return std::nullopt;
  }
  std::filesystem::path path = std::filesystem::path(root) / name;
  if (!std::filesystem::exists(path)) {
    std::cout << "skipped: " << path.string() << " does not exist\n";
    return std::nullopt;
  }
  return path;
}

}  // namespace xf::test
