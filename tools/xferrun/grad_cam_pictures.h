#pragma once
// For each image a picture of where its class is seen: for predict --grad-cam and the report.

#include <filesystem>
#include <functional>
#include <vector>

#include "engine/data/loader.h"
#include "engine/io/image.h"
#include "engine/train/metrics.h"
#include "tools/xferrun/loaded_model.h"

namespace xf::tool {

/// FOLDER/STEM_grad_cam.png for each sample. Throws OutputExistsError for one that is there, UsageError for
/// two images of one name.
std::vector<std::filesystem::path> grad_cam_paths(const std::filesystem::path& folder, const Dataset& data);

/// The index-th picture of a batch; grey ones with three equal channels.
io::Image picture_of(const ImageBatch& batch, size_t index);

/// For each sample the picture that the network sees, under the heat of its class: `drawn` gets the sample's
/// index and the picture.
void grad_cam(Session& session, const LoadedModel& model, const std::vector<Sample>& samples,
              const std::vector<int32_t>& classes,
              const std::function<void(size_t, const io::Image&)>& drawn);

/// Writes the heat of each prediction's likeliest class into `paths` (by sample). Makes the folder. Throws
/// WriteError.
void write_grad_cam(Session& session, const LoadedModel& model, const Dataset& data,
                    const std::vector<Prediction>& predictions,
                    const std::vector<std::filesystem::path>& paths);

}  // namespace xf::tool
