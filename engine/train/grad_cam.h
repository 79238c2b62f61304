#pragma once
// Where in a picture a class score comes from: Grad-CAM (R. R. Selvaraju et al., "Grad-CAM: Visual
// Explanations from Deep Networks via Gradient-based Localization", ICCV 2017).

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "engine/core/tensor.h"
#include "engine/plan/compile.h"
#include "engine/run/executor.h"
#include "engine/train/network.h"

namespace xf {

/// What speaks for a class, place by place: rows from the top, 0 … 1, where 1 is the place that speaks for it
/// most. All zeros where no place does.
struct HeatMap {
  int rows = 0, columns = 0;
  std::vector<float> values;  ///< rows × columns
};

/// The map made larger, bilinearly between the middles of its cells; beyond the outermost ones it stays as it
/// is there.
HeatMap resize(const HeatMap& map, int rows, int columns);

struct GradCamOptions {
  int64_t batch = 16;
  Precision precision = Precision::f32;
  AllowReference allow_reference = AllowReference::no;
};

/// A network compiled for Grad-CAM on its last map, the one that the global average pool sees: the gradient
/// of a class score with respect to the map, averaged over the map's places, weighs its channels; their sum,
/// where it is positive, is the heat.
class GradCam {
 public:
  /// Records, compiles and binds. Declares missing tensors in the store. Throws UsageError for a network
  /// without classifier.
  GradCam(const NetworkSpec& spec, const GradCamOptions& options, Backend& backend, ParamStore& store,
          ActivationMemory& memory);
  /// The heat of one class (its index) for each image of a batch: u8, (batch,h,w,channels). Throws
  /// InternalError for a class that there is not.
  [[nodiscard]] std::vector<HeatMap> run(const Tensor& images, std::span<const int32_t> classes);

 private:
  Shape scores_;
  std::unique_ptr<Executor> executor_;
};

}  // namespace xf
