#include "tools/xferrun/grad_cam_pictures.h"

#include <algorithm>
#include <set>
#include <string>

#include "engine/core/error.h"
#include "engine/data/loader.h"
#include "engine/io/atomic_file.h"
#include "tools/xferrun/heat_picture.h"
#include "tools/xferrun/training_run.h"

namespace fs = std::filesystem;

namespace xf::tool {

namespace {

/// The index-th picture of a batch; grey ones with three equal channels.
io::Image picture_of(const ImageBatch& batch, size_t index) {
  const Shape& s = batch.images.shape();
  const auto channels = static_cast<size_t>(s.c), pixels = static_cast<size_t>(s.h * s.w);
  const auto bytes = batch.images.as<uint8_t>().subspan(index * pixels * channels, pixels * channels);
  io::Image image{static_cast<int>(s.w), static_cast<int>(s.h), {}};
  image.rgb.reserve(3 * pixels);
  for (size_t p = 0; p < pixels; ++p)
    for (size_t c = 0; c < 3; ++c) image.rgb.push_back(bytes[p * channels + (channels == 3 ? c : 0)]);
  return image;
}

}  // namespace

std::vector<fs::path> grad_cam_paths(const fs::path& folder, const Dataset& data) {
  std::vector<fs::path> paths;
  std::set<fs::path> taken;
  for (const Sample& s : data.samples) {
    const fs::path path = folder / (fs::path(s.name).stem().string() + "_grad_cam.png");
    if (!taken.insert(path).second)
      throw UsageError("--grad-cam", "two images would both become " + path.string(),
                       "classify them one after the other, into two folders");
    if (fs::exists(fs::symlink_status(path)))
      throw OutputExistsError(path.string(), "is there already", "choose another folder for --grad-cam");
    paths.push_back(path);
  }
  return paths;
}

void draw_grad_cam(Session& session, const LoadedModel& model, const std::vector<Sample>& samples,
                   const std::vector<int32_t>& classes,
                   const std::function<void(size_t sample, const io::Image& picture)>& to) {
  if (samples.empty()) return;
  constexpr int64_t kBatch = 16;
  const int64_t batch = std::min(kBatch, static_cast<int64_t>(samples.size()));
  GradCam cam(model.spec, {batch, session.precision(), session.allow_reference()}, session.backend(),
              session.store(), session.memory());
  Loader loader(samples, evaluation_loader(model.dialect, batch));
  loader.start_epoch(0);
  size_t done = 0;
  for (ImageBatch b; loader.next(b);) {
    const size_t count = std::min(classes.size() - done, static_cast<size_t>(batch));
    const std::vector<HeatMap> heat = cam.run(b.images, std::span(classes).subspan(done, count));
    for (size_t i = 0; i < count; ++i) to(done++, heat_picture(picture_of(b, i), heat[i]));
  }
}

void write_grad_cam(Session& session, const LoadedModel& model, const Dataset& data,
                    const std::vector<Prediction>& predictions, const std::vector<fs::path>& paths) {
  if (predictions.empty()) return;
  io::make_folder(paths.front().parent_path());
  std::vector<int32_t> classes;
  classes.reserve(predictions.size());
  for (const Prediction& p : predictions) classes.push_back(ranking(p.probabilities).front());
  draw_grad_cam(session, model, data.samples, classes,
                [&](size_t sample, const io::Image& picture) { io::write_png(paths[sample], picture); });
}

}  // namespace xf::tool
