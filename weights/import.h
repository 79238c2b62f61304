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
#include "weights/listing.h"
#include "weights/run_info.h"
#include "weights/tables/official.h"

namespace xf::weights {

struct FileInfo {
  std::filesystem::path path;
  Format format;
  /// The version of Keras that wrote it, where the file says so.
  std::string writer;
  /// The network that the file's layers are those of; nothing when they are those of none known here.
  std::optional<std::string> network;
  /// The graph it was trained on, where the network is one of the registry's. Its preprocessing is set only
  /// when the file or its hash says it.
  std::optional<Dialect> dialect;
  /// Neither the file nor its hash says where a bottleneck has its stride: the dialect is torchvision's until
  /// with_family() settles it.
  bool stride_unknown = false;
  /// Where the dialect's preprocessing comes from: "the file", "its hash (an official file)"; empty when
  /// unknown.
  std::string preprocess_source;
  /// Outputs of the classifier; nothing for a file without top.
  std::optional<int64_t> top_classes;
  /// The published file that this is, by its hash.
  const OfficialFile* official = nullptr;
  /// What this program wrote into it; nothing in a file of another.
  std::optional<RunInfo> run;
};

/// Looks at a file without reading its tensors. Only a file that has the name or the size of an official one
/// is hashed; a warning tells of a name that its content does not bear out. Throws MissingInputError;
/// DataError when it is damaged, not HDF5 or holds no weights in a layout that is read.
FileInfo probe(const std::filesystem::path& path);

/// Throws DataError when the file's layers are known to be those of another network.
void require_network(const std::filesystem::path& file, const std::optional<std::string>& found,
                     std::string_view network);

/// The dialect of a file whose stride is unknown, as `family` defines it.
Dialect with_family(const FileInfo& file, Family family);

/// Whether the file's classifier is loaded with the rest, or the model gets a new one.
enum class Top : uint8_t { loaded, replaced };

struct Loaded {
  /// f32 in the layout of the model, by canonical name. Without the classifier's when it is replaced.
  std::map<std::string, Tensor> tensors;
  /// Tensors of the file that were left out with its classifier, by their names in the file.
  std::vector<std::string> ignored;
};

/// Reads the tensors of `network` in the order of its creation. BN scales that the file does not have are 1.
/// Takes little more memory than the tensors. Throws DataError: for a file of another network, which it
/// names; otherwise one that lists every tensor that is missing, left over, of another shape or type, not
/// finite, or differs from its checksum.
Loaded load(const std::filesystem::path& path, std::string_view network, std::span<const NamedShape> wanted,
            Top top);

/// Something that is wrong with a tensor.
struct Problem {
  std::string tensor;  ///< its canonical name; empty for one that is none of the network's
  std::string text;    ///< with its names, for people: "conv1/kernel:0 (conv1.weight): missing"
};

/// What load() would refuse, beside the tensors that are right.
struct Reading {
  Loaded loaded;
  std::vector<Problem> problems;
};
Reading try_load(const std::filesystem::path& path, std::string_view network,
                 std::span<const NamedShape> wanted, Top top);

/// The tensors that a file of a network of the registry must have, its own last layer included. Throws
/// DataError for a file of no such network.
std::vector<NamedShape> tensors_of(const FileInfo& file);

}  // namespace xf::weights
