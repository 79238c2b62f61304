#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string_view>

#include "engine/core/error.h"
#include "engine/io/atomic_file.h"
#include "tools/report/page.h"
#include "tools/xferrun/command.h"
#include "tools/xferrun/command_line.h"
#include "tools/xferrun/output_file.h"
#include "tools/xferrun/run_report.h"

namespace fs = std::filesystem;

namespace xf::tool {

namespace {

struct ReportOptions {
  ReadingOptions reading;
  std::string run, data, metadata, features, out;
  bool force = false;
};

/// The data of the run's training, or what the option says instead.
std::string data_of(const ReportOptions& o, const ExistingRun& run) {
  if (!o.data.empty()) return o.data;
  const nlohmann::json options = run.config.value("options", nlohmann::json::object());
  const auto data = options.find("data");
  if (data == options.end() || !data->is_string())
    throw UsageError("--data", "is needed: the run's config.json does not say it", "give the run's images");
  std::error_code none;
  if (!fs::exists(data->get<std::string>(), none))
    throw MissingInputError(data->get<std::string>(), "the run's images, are not there",
                            "say with --data where they are now");
  return *data;
}

bool is_report(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  std::string start(report::kMark.size(), '\0');
  in.read(start.data(), static_cast<std::streamsize>(start.size()));
  return start == report::kMark;
}

void run(ReportOptions o) {
  const ExistingRun folder = open_run(o.run);
  if (o.out.empty()) o.out = (folder.path / "report.html").string();
  check_output(o.out, o.force, "reports", "this command", [&] { return is_report(o.out); });
  const std::string data = data_of(o, folder);
  io::AtomicFile file(o.out);  // before the work: what cannot be written is better known now
  ReportRequest request{folder, {}, {}, o.reading.device.device, o.reading.batch};
  request.data =
      open_images(data, parse_on_bad_image(o.reading.on_bad_image), {view_of_run(folder, ""), o.metadata});
  if (!o.features.empty()) request.features = read_features_file(o.features);
  const size_t images = request.data.samples.size();
  Session session(o.reading.device);
  const std::string page = run_report(session, std::move(request));
  file.write(page);
  file.commit();
  session.write_profile();
  print_line(fmt::format("{} images, {:.1f} MB: {}", images, 1e-6 * static_cast<double>(page.size()), o.out));
}

}  // namespace

void add_report(CLI::App& app) {
  CLI::App& command = add_command(
      app, "report",
      "write a run as one HTML page: figures, map of its glitches, suspected labels, groups\n\n"
      "The page needs nothing beside it and no network. It shows all images that the run was made with.",
      "xferrun report run/\n"
      "  xferrun report run/ --features features.h5 --out report.html");
  const auto o = std::make_shared<ReportOptions>();
  command.add_option("run", o->run, "a RUN folder of fine-tune")->required();
  command.add_option("--data", o->data, "the run's images, where they are no longer where they were");
  command.add_option("--metadata", o->metadata, "Gravity Spy's CSV, where it does not lie beside the images");
  command.add_option("--features", o->features,
                     "what `features RUN` wrote of these images: saves asking the network again");
  command.add_option("--out", o->out, "the file to write; RUN/report.html by default");
  command.add_flag("--force", o->force, "replace an earlier report, and nothing else");
  add_reading_options(command, o->reading);
  command.callback([o] { run(*o); });
}

}  // namespace xf::tool
