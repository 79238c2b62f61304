#pragma once
// A network with weights, for the commands that read: from a RUN folder or a weight file.

#include <filesystem>
#include <string>
#include <vector>

#include "engine/data/dataset.h"
#include "engine/data/scan.h"
#include "tools/xferrun/command.h"
#include "tools/xferrun/run_folder.h"
#include "tools/xferrun/session.h"

namespace xf::tool {

/// How evaluate, predict and features read images.
struct ReadingOptions {
  DeviceOptions device;
  std::string on_bad_image = "fail";
  int64_t batch = 16;
};
void add_reading_options(CLI::App& command, ReadingOptions& o);

struct LoadedModel {
  std::string model;
  Dialect dialect;
  std::vector<std::string> classes;  ///< empty for a trunk
  std::string id;                    ///< of the weights: differs as soon as one differs
  NetworkSpec spec;
};

/// The best weights of a run, into the session.
LoadedModel load_run(Session& session, const ExistingRun& run);

/// The network of a weight file: its trunk, or with Top::loaded its classifier too, if it has one. `dialect`
/// and `preprocess` as on the command line; with InputKind::tensor the latter is not needed.
LoadedModel load_weight_file(Session& session, const std::string& model, const std::filesystem::path& weights,
                             const std::string& dialect, const std::string& preprocess, InputKind input,
                             weights::Top top);

/// A weight file with its classifier. Where the file does not name its classes, a thousand are ImageNet's.
/// `dialect` and `preprocess` as on the command line. Throws DataError for a file without classifier, or with
/// one whose classes nobody names.
LoadedModel load_classifier(Session& session, const std::filesystem::path& weights,
                            const std::string& dialect, const std::string& preprocess);

/// Compiles the network of weights that are loaded; --profile watches it. Throws as Inference does.
Inference compile_network(Session& session, const LoadedModel& model, const InferenceOptions& options);

/// Opens --data and settles the images that cannot be read. Logs what was left out.
Dataset open_images(const std::filesystem::path& path, OnBadImage policy);

/// Single image files as a data set without classes. Throws MissingInputError for one that is not there.
Dataset list_images(const std::vector<std::string>& paths);

}  // namespace xf::tool
