#pragma once
// A data set of simulated glitches, as the folder of class folders that every command reads.

#include <cstdint>
#include <filesystem>
#include <span>
#include <string_view>

namespace xf::tool {

struct SimulatedData {
  std::span<const std::string_view> kinds;  ///< each becomes a class
  int per_kind = 0;                         ///< pictures of each; at most 10000
  int side = 0;                             ///< rows and columns of a picture
  uint64_t seed = 0;
};

/// Draws FOLDER/KIND/KIND_0000.png and so on. The same arguments give the same files. Pictures that an
/// earlier call drew are replaced, all others removed; see check_simulated_data(). Throws WriteError.
void write_simulated_data(const std::filesystem::path& folder, const SimulatedData& data);

/// Throws OutputExistsError when something is in the folder that write_simulated_data() did not write for
/// these kinds, and so will not remove. Hidden entries are passed over.
void check_simulated_data(const std::filesystem::path& folder, std::span<const std::string_view> kinds);

}  // namespace xf::tool
