#pragma once
// How commands read the images of --data.

#include <string>

#include "engine/data/dataset.h"
#include "tools/xferrun/run_folder.h"

namespace CLI {  // NOLINT(readability-identifier-naming): the parser's
class App;
}

namespace xf::tool {

/// What --data takes, for --help.
inline constexpr const char* kDataHelp =
    "the images: a folder of class folders, a CSV manifest (path,label[,split,id,gps]), or an HDF5 file in\n"
    "Gravity Spy's layout";

struct ViewOptions {
  std::string view;      ///< as parse_view() takes it
  std::string metadata;  ///< a CSV; empty: the one beside the data, if any
};

/// --view alone.
void add_view_option(CLI::App& command, std::string& view);
/// --view and --metadata.
void add_view_options(CLI::App& command, ViewOptions& o);

OpenOptions open_options(const ViewOptions& o, OnBadImage on_bad_image);

/// The view that a run was trained with, or, where it was trained on images as they are, that of the option.
/// Throws UsageError where the option contradicts the run.
std::string view_of_run(const ExistingRun& run, const std::string& option);

/// Throws UsageError for a stack of durations before a network of grey images.
void check_view(const View& view, int channels);

}  // namespace xf::tool
