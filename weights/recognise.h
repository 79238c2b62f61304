#pragma once
// Which network a file holds, by its layers.

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "models/dialect.h"
#include "weights/listing.h"
#include "weights/match.h"

namespace xf::weights {

struct Recognised {
  std::string network;
  Spelling spelling;
};

/// The network of the registry whose layers are most like the file's; nothing when none's are.
std::optional<Recognised> recognise(const Listing& file);

/// How a file that holds `network` spells its layers.
Spelling recognise_spelling(const Listing& file, std::string_view network);

/// The canonical name of each of the file's tensors that the network has.
std::map<const StoredTensor*, std::string> canonical_names(const Listing& file, const Recognised& recognised);

/// A network that is well known elsewhere ("xception"), by a layer that only it has.
std::optional<std::string> recognise_stranger(const Listing& file);

/// The graph that a file's tensors were trained on, without the preprocessing, which tensors do not tell.
struct DialectOfTensors {
  Dialect dialect;
  /// A bottleneck's stride is in one of two places, and the names are those of both: torchvision's.
  bool stride_unknown = false;
  /// Outputs of the last layer; nothing for a file without it.
  std::optional<int64_t> top_classes;
};
DialectOfTensors dialect_of_tensors(const Listing& file, const Recognised& recognised);

}  // namespace xf::weights
