#include "models/pooled_head.h"

namespace xf {

ModelOutputs pooled_head(const Net& n, Value map, std::string_view top, int classes, float dropout) {
  const Value features = n.global_avg_pool(map);
  n.graph().set_name("pool", features);
  n.graph().set_name("features", features);
  if (classes == 0) return {features, {}};
  return {features, n.dense(n.dropout(features, dropout), top, classes)};
}

}  // namespace xf
