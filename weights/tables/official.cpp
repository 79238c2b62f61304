#include "weights/tables/official.h"

#include <algorithm>
#include <array>

namespace xf::weights {
namespace {

// keras.applications: <network>_weights_tf_dim_ordering_tf_kernels[_notop].h5, with and without top.
constexpr std::array<OfficialFile, 4> kFiles{{
    {"9a0d58056eeedaa3f26cb7ebd46da564", "inception_v3", Preprocess::tf},
    {"bcbd6486424b2319ff4ef7d526e38f63", "inception_v3", Preprocess::tf},
    {"2cb95161c43110f7111970584f804107", "resnet50", Preprocess::caffe},
    {"4d473c1dd8becc155b73f8504c6f6626", "resnet50", Preprocess::caffe},
}};

}  // namespace

std::optional<OfficialFile> official_file(std::string_view md5) {
  const auto* at = std::find_if(kFiles.begin(), kFiles.end(), [&](const auto& f) { return f.md5 == md5; });
  if (at == kFiles.end()) return std::nullopt;
  return *at;
}

}  // namespace xf::weights
