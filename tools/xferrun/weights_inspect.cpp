#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <memory>

#include "tools/xferrun/command.h"
#include "tools/xferrun/weights_commands.h"
#include "weights/inspect.h"

namespace xf::tool {

namespace {

using Json = nlohmann::ordered_json;

Json to_json(const weights::InspectedTensor& t) {
  Json j{{"name", t.stored.name}, {"canonical", nullptr}, {"type", nullptr}, {"shape", nullptr}};
  if (!t.canonical.empty()) j["canonical"] = t.canonical;
  if (!t.stored.dims) return j;
  j["type"] = t.stored.type;
  j["shape"] = *t.stored.dims;
  if (!t.statistics) return j;
  const weights::Statistics& s = *t.statistics;
  j["min"] = s.least;
  j["max"] = s.greatest;
  j["mean"] = s.mean;
  j["std"] = s.deviation;
  j["not_finite"] = s.not_finite;
  return j;
}

Json to_json(const weights::Inspection& seen) {
  const weights::FileInfo& f = seen.file;
  Json j{{"path", f.path.string()}, {"format", name(f.format)}, {"writer", nullptr},    {"network", nullptr},
         {"name", nullptr},         {"dialect", nullptr},       {"preprocess", nullptr}};
  if (!f.writer.empty()) j["writer"] = f.writer;
  if (f.network) j["network"] = *f.network;
  if (f.dialect) {
    j["name"] = full_name(*f.network, *f.dialect);
    j["dialect"] = Json::parse(to_json(*f.dialect));
    if (f.stride_unknown) j["name"] = *f.network, j["dialect"]["stride"] = nullptr;
    j["preprocess"] = j["dialect"]["preprocess"];
  }
  j["top_classes"] = f.top_classes.value_or(0);
  j["md5"] = seen.md5;
  j["official"] = nullptr;
  if (f.official != nullptr) j["official"] = f.official->url;
  if (f.run) {
    j["model"] = f.run->model_id;
    j["classes"] = f.run->classes;
  }
  j["tensors"] = Json::array();
  for (const weights::InspectedTensor& t : seen.tensors) j["tensors"].push_back(to_json(t));
  j["left_out"] = seen.skipped;
  return j;
}

std::string network_text(const weights::FileInfo& f) {
  if (!f.network) return "network: none that is known here";
  if (!f.dialect) return "network: " + *f.network + ", which is not among the networks here";
  std::string text = "network: " + describe(*f.network, *f.dialect);
  if (f.stride_unknown) text += "\nstride: unknown, v1 or v1.5: say --dialect where the file is used";
  if (!f.dialect->preprocess) text += "\npreprocessing: unknown: say --preprocess where the file is used";
  if (!f.preprocess_source.empty())
    text += fmt::format("\npreprocessing: {}, from {}", name(*f.dialect->preprocess), f.preprocess_source);
  return text;
}

std::string hash_text(const weights::Inspection& seen) {
  if (seen.file.official == nullptr) return "md5: " + seen.md5 + ", of no official file";
  const weights::OfficialFile& o = *seen.file.official;
  return fmt::format("md5: {}, the official {} {}\nlicence: {}", seen.md5, o.network, o.variant, o.licence);
}

void print(const weights::Inspection& seen) {
  const weights::FileInfo& f = seen.file;
  print_line(fmt::format("format: {}{}", name(f.format), f.writer.empty() ? "" : ", by Keras " + f.writer));
  print_line(network_text(f));
  print_line(f.top_classes ? fmt::format("top: {} classes", *f.top_classes) : "top: none");
  print_line(hash_text(seen));
  size_t width = 6, ours = 9;
  for (const weights::InspectedTensor& t : seen.tensors) {
    width = std::max(width, t.stored.name.size());
    ours = std::max(ours, t.canonical.size());
  }
  print_line(fmt::format("{:<{}}  {:<{}}  {:<5} {:<16} {:>11} {:>11} {:>11} {:>11}", "tensor", width,
                         "canonical", ours, "type", "shape", "min", "max", "mean", "std"));
  for (const weights::InspectedTensor& t : seen.tensors) {
    std::string line =
        fmt::format("{:<{}}  {:<{}}  ", t.stored.name, width, t.canonical.empty() ? "-" : t.canonical, ours);
    if (!t.stored.dims) {
      print_line(line + "missing");
      continue;
    }
    line += fmt::format("{:<5} {:<16}", t.stored.type, fmt::format("{}", fmt::join(*t.stored.dims, "x")));
    if (t.statistics) {
      const weights::Statistics& s = *t.statistics;
      line +=
          fmt::format(" {:>11.4g} {:>11.4g} {:>11.4g} {:>11.4g}", s.least, s.greatest, s.mean, s.deviation);
      if (s.not_finite > 0) line += fmt::format("  {} not finite", s.not_finite);
    }
    print_line(line);
  }
  for (const std::string& name : seen.skipped)
    print_line(name + "  left out: no network here has a use for it");
  print_line(fmt::format("{} tensors", seen.tensors.size()));
}

}  // namespace

void add_weights_inspect(CLI::App& weights) {
  struct Options {
    std::string file;
    bool json = false;
  };
  CLI::App& command = add_command(weights, "inspect", "network, dialect, layout and every tensor of a file",
                                  "xferrun weights inspect run/best.h5");
  const auto o = std::make_shared<Options>();
  command.add_option("file", o->file, "a weight file")->required();
  command.add_flag("--json", o->json, "one JSON document");
  command.callback([o] {
    const weights::Inspection seen = weights::inspect(o->file);
    if (o->json)
      print_line(json_text(to_json(seen)));
    else
      print(seen);
  });
}

}  // namespace xf::tool
