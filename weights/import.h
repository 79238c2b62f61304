#pragma once
// Reading weights: first what a file is, which decides the graph; then its tensors for that graph.

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/core/tensor.h"
#include "models/dialect.h"
#include "weights/layers.h"
#include "weights/run_info.h"

namespace xf::weights {

struct FileInfo {
  std::filesystem::path path;
  std::string keras_version;
  /// The network that the file's layers are those of; nothing when they are those of none known here.
  std::optional<std::string> network;
  /// The graph it was trained on, where the network is known. Its preprocessing is set only when the file or
  /// its hash says it.
  std::optional<Dialect> dialect;
  /// Where the dialect's preprocessing comes from: "the file", "its hash (an official file)"; empty when
  /// unknown.
  std::string preprocess_source;
  /// Outputs of the classifier; nothing for a file without top.
  std::optional<int64_t> top_classes;
  /// What this program wrote into it; nothing in a file of another.
  std::optional<RunInfo> run;
};

/// Looks at a file without reading its tensors. Throws MissingInputError; DataError when it is damaged, not
/// HDF5 or holds no weights in a layout that is read.
FileInfo probe(const std::filesystem::path& path);

/// Throws DataError when the file's layers are known to be those of another network.
void require_network(const FileInfo& file, std::string_view network);

/// Whether the file's classifier is loaded with the rest, or the model gets a new one.
enum class Top : uint8_t { loaded, replaced };

struct Loaded {
  /// f32 in the layout of the model, by canonical name. Without the classifier's when it is replaced.
  std::map<std::string, Tensor> tensors;
  /// Tensors of the file that were left out with its classifier, by their names in the file.
  std::vector<std::string> ignored;
};

/// Reads the tensors of `network` in the order of its creation. BN scales that the file does not have are 1.
/// Throws DataError: for a file of another network, which it names; otherwise one that lists every tensor
/// that is missing, left over, of another shape, not finite, or differs from its checksum.
Loaded load(const std::filesystem::path& path, std::string_view network, std::span<const NamedShape> wanted,
            Top top);

}  // namespace xf::weights
