#pragma once
// A network with weights, for the commands that read: from a RUN folder or a weight file.

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "engine/analyze/out_of_class.h"
#include "engine/data/dataset.h"
#include "engine/data/scan.h"
#include "tools/xferrun/data_options.h"
#include "tools/xferrun/run_folder.h"
#include "tools/xferrun/session.h"

namespace CLI {  // NOLINT(readability-identifier-naming): the parser's
class App;
}

namespace xf::tool {

/// How evaluate, predict and features read images.
struct ReadingOptions {
  DeviceOptions device;
  std::string on_bad_image = "fail";
  int64_t batch = 16;
};
void add_reading_options(CLI::App& command, ReadingOptions& o);
/// How many of `images` one rank reads at a time.
int64_t batch_of_rank(const ReadingOptions& o, int64_t images);

/// What may have to be said of a weight file, and is settled in a RUN folder.
struct WeightFileOptions {
  std::string dialect, preprocess;
};
void add_weight_file_options(CLI::App& command, WeightFileOptions& o);
/// Throws UsageError where an option that belongs to a weight file was given besides a RUN folder.
void not_with_run(const std::string& option, const std::string& value);
void not_with_run(const WeightFileOptions& o);

struct LoadedModel {
  std::string model;
  Dialect dialect;
  std::vector<std::string> classes;  ///< empty for a trunk
  std::string id;                    ///< of the weights: differs as soon as one differs
  NetworkSpec spec;
};

/// The best weights of a run, into the session.
LoadedModel load_run(Session& session, const ExistingRun& run);

/// What the run knows of images of no class; nothing where it lacks that. Throws DataError for a reference
/// that is damaged or of other weights.
std::optional<OutOfClass> out_of_class(const ExistingRun& run, const LoadedModel& model);

/// The network of a weight file: its trunk, or with Top::loaded its classifier too, if it has one. With
/// InputKind::tensor no preprocessing is needed.
LoadedModel load_weight_file(Session& session, const std::string& model, const std::filesystem::path& weights,
                             const WeightFileOptions& options, InputKind input, weights::Top top);

/// A weight file with its classifier. Where the file does not name its classes, a thousand are ImageNet's.
/// Throws DataError for a file without classifier, or with one whose classes nobody names.
LoadedModel load_classifier(Session& session, const std::filesystem::path& weights,
                            const WeightFileOptions& options);

/// Compiles the network of weights that are loaded; --profile watches it. Throws as Inference does.
Inference compile_network(Session& session, const LoadedModel& model, const InferenceOptions& options);

/// Opens --data and settles the images that cannot be read. Logs what was left out.
Dataset open_images(const std::filesystem::path& path, OnBadImage policy, const ViewOptions& view = {});

/// Single image files as a data set without classes, in a view: one of a single duration takes files whose
/// names say none, too. Throws MissingInputError for one that is not there, and as apply_view() does.
Dataset list_images(const std::vector<std::string>& paths, const View& view = {},
                    OnBadImage policy = OnBadImage::fail);

}  // namespace xf::tool
