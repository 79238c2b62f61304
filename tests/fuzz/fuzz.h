#pragma once
// What every fuzz target has in common.

#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <span>
#include <string>

#include "engine/core/error.h"
#include "tests/support/temporary_folder.h"

namespace xf::fuzz {

/// What a target defines: reads one input.
void read(std::span<const uint8_t> input);

/// What holds for every input that is accepted.
inline void require(bool holds) {
  if (!holds) std::abort();
}

/// Runs `reading`; refusing the input is right, with the errors that are about input. Others end the run.
template <class Read>
void read_or_refuse(const Read& reading) {
  try {
    reading();
  } catch (const DataError&) {
  } catch (const UsageError&) {
  } catch (const MissingInputError&) {
  }
}

/// Runs what may refuse nothing, because its input was accepted before.
template <class Work>
void accept(const Work& work) {
  try {
    work();
  } catch (const Error&) {
    std::abort();
  }
}

/// A file that holds the fuzzer's input, in a folder of this process.
inline std::filesystem::path file_of(const std::string& name, std::span<const uint8_t> input) {
  static const test::TemporaryFolder folder;
  std::filesystem::path path = folder / name;
  std::ofstream(path, std::ios::binary)
      .write(reinterpret_cast<const char*>(input.data()), static_cast<std::streamsize>(input.size()));
  return path;
}

}  // namespace xf::fuzz
