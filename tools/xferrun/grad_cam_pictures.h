#pragma once
// predict --grad-cam, and the report: for each image a picture of where its class is seen.

#include <filesystem>
#include <functional>
#include <vector>

#include "engine/io/image.h"
#include "engine/train/metrics.h"
#include "tools/xferrun/loaded_model.h"

namespace xf::tool {

/// FOLDER/STEM_grad_cam.png for each sample. Throws OutputExistsError for one that is there, UsageError for
/// two images of one name.
std::vector<std::filesystem::path> grad_cam_paths(const std::filesystem::path& folder, const Dataset& data);

/// Draws the heat of a class (one a sample) over the picture that the network sees of each sample; `to` is
/// given them in order.
void draw_grad_cam(Session& session, const LoadedModel& model, const std::vector<Sample>& samples,
                   const std::vector<int32_t>& classes,
                   const std::function<void(size_t sample, const io::Image& picture)>& to);

/// The same of each prediction's likeliest class, into `paths` (by sample). Makes the folder. Throws
/// WriteError.
void write_grad_cam(Session& session, const LoadedModel& model, const Dataset& data,
                    const std::vector<Prediction>& predictions,
                    const std::vector<std::filesystem::path>& paths);

}  // namespace xf::tool
