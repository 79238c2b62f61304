#pragma once
// What `plan --estimate` shows: the roofline of a training step in words and numbers.

#include <nlohmann/json.hpp>
#include <string>

#include "engine/plan/roofline.h"
#include "engine/train/trainer.h"

namespace xf::tool {

/// A training's program and the least time of one update of it.
struct StepEstimate {
  Gpu gpu;
  Precision precision = Precision::f32;
  Program program;
  Estimate least;
  int64_t images = 0;  ///< of one update
  [[nodiscard]] double images_per_second() const { return static_cast<double>(images) / least.seconds; }
};
StepEstimate estimate_training(const NetworkSpec& spec, const TrainOptions& train, Precision precision,
                               const Gpu& gpu);

/// Whether each operation is told, or only each kind of operation.
enum class Detail : uint8_t { kinds, operations };

nlohmann::ordered_json to_json(const StepEstimate& e, Detail detail);
/// Several lines, without a newline at the end.
std::string estimate_text(const StepEstimate& e, Detail detail);

}  // namespace xf::tool
