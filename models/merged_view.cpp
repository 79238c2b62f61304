#include "models/merged_view.h"

namespace xf {

namespace {

/// Half of the numbers are dropped, after every pool and before the classifier.
constexpr float kRate = 0.5F;

Value block(const Net& n, Value x, const char* name, int channels) {
  const Value y = n.relu(n.conv(x, name, channels, 5, 1, Pad::valid));
  return n.max_pool(y, 2, 2, Pad::valid);
}

}  // namespace

ModelOutputs merged_view(const Net& n, Value x, const Dialect& /*dialect*/, int classes) {
  x = n.dropout(block(n, x, "conv1", 16), kRate);
  x = n.dropout(block(n, x, "conv2", 32), kRate);
  x = n.dropout(block(n, x, "conv3", 64), kRate);
  x = block(n, x, "conv4", 64);
  n.graph().set_name("pool", n.global_avg_pool(x));
  const Value features = n.relu(n.dense(n.dropout(x, kRate), "fc1", 256));
  n.graph().set_name("features", features);
  if (classes == 0) return {features, {}};
  return {features, n.dense(n.dropout(features, kRate), "fc2", classes)};
}

}  // namespace xf
