#pragma once
// What every fuzz target has in common.

#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <string>

#include "engine/core/error.h"
#include "tests/support/temporary_folder.h"

namespace xf::fuzz {

/// What holds for every input that is accepted.
inline void require(bool holds) {
  if (!holds) std::abort();
}

/// Runs `read`; refusing the input is right, with the errors that are about input. Others end the run.
template <class Read>
void read_or_refuse(const Read& read) {
  try {
    read();
  } catch (const DataError&) {
  } catch (const UsageError&) {
  } catch (const MissingInputError&) {
  }
}

/// A file that holds the fuzzer's input, in a folder of this process.
inline std::filesystem::path file_of(const std::string& name, const uint8_t* data, size_t size) {
  static const test::TemporaryFolder folder;
  const std::filesystem::path path = folder / name;
  std::ofstream(path, std::ios::binary)
      .write(reinterpret_cast<const char*>(data), static_cast<std::streamsize>(size));
  return path;
}

}  // namespace xf::fuzz
