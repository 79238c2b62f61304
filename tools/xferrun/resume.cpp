#include "tools/xferrun/resume.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <span>

#include "engine/core/error.h"
#include "engine/core/log.h"
#include "engine/core/threads.h"
#include "tools/xferrun/command.h"
#include "tools/xferrun/version.h"
#include "tools/xferrun/world.h"
#include "weights/md5.h"

namespace fs = std::filesystem;

namespace xf::tool {

namespace {

using Json = nlohmann::json;

/// Where things lie, and on what is computed, may change.
constexpr const char* kPlaces[] = {"data",   "metadata", "weights",           "split_file",
                                   "device", "seeds",    "leave_glitches_out"};

std::string md5_of(const std::string& text) { return weights::md5(std::as_bytes(std::span(text))); }

/// The images by name, class, glitch, part and size in bytes, in their order.
std::string fingerprint(const Dataset& data, const std::vector<Part>& parts) {
  std::string text;
  for (size_t i = 0; i < data.samples.size(); ++i) {
    const Sample& s = data.samples[i];
    text += fmt::format("{}\n{}\n{}\n{}\n", s.name, s.label, s.glitch, name(parts[i]));
    for (const ImageSource& image : s.images) {
      std::error_code none;
      text += fmt::format("{} {}\n", image.dataset, image.container ? 0 : fs::file_size(image.file, none));
    }
  }
  return md5_of(text);
}

std::string option_name(std::string key) {
  std::replace(key.begin(), key.end(), '_', '-');
  return "--" + key;
}

std::vector<std::string> differences(const Json& now, const Json& then) {
  std::vector<std::string> list;
  const auto compare = [&](const std::string& what, const Json& a, const Json& b) {
    if (a != b) list.push_back(fmt::format("{} is {} and was {}", what, json_text(a), json_text(b)));
  };
  for (const auto& [key, value] : now.at("options").items())
    compare(option_name(key), value, then.value("options", Json::object()).value(key, Json()));
  for (const char* key : {"version", "precision", "classes", "view"})
    compare(key, now.at(key), then.value(key, Json()));
  if (now.at("dialect") != then.value("dialect", Json()))
    list.emplace_back("the network's dialect is another");
  if (now.at("images") != then.value("images", Json()))
    list.emplace_back("the images, or their split, are others");
  return list;
}

Json about_of(const weights::Checkpoint& c) {
  const Json j = Json::parse(c.about, nullptr, false);
  return j.is_object() ? j : Json::object();
}

}  // namespace

Json identity_of(const FineTuneOptions& o, Session& session, const TrainingRequest& request,
                 const Dataset& data, const std::vector<Part>& parts) {
  Json options = to_json(o);
  for (const char* key : kPlaces) options.erase(key);
  return {{"options", options},
          {"version", version_number()},
          {"precision", name(session.precision())},
          {"classes", data.classes},
          {"view", name(data.view)},
          {"dialect", Json::parse(to_json(request.dialect))},
          {"images", fingerprint(data, parts)},
          {"computed", fmt::format("{}, {} threads{}", session.backend().name(), threads(),
                                   world().size() == 1 ? "" : fmt::format(", {} ranks", world().size()))}};
}

std::optional<weights::Checkpoint> resumable(const fs::path& folder, const Json& identity) {
  std::optional<FoundCheckpoint> found = newest_checkpoint(folder);
  if (!found) {
    if (fs::exists(folder / "evaluation.json"))
      throw OutputExistsError(folder.string(), "holds a run that has ended, and no checkpoint of it",
                              "choose another --out, or --force to replace it");
    return std::nullopt;
  }
  const Json then = about_of(found->checkpoint).value("training", Json::object());
  const std::vector<std::string> others = differences(identity, then);
  if (!others.empty())
    throw UsageError("--resume",
                     fmt::format("{} was begun otherwise: {}", folder.string(), fmt::join(others, "; ")),
                     "give the options that it was begun with, or choose another --out");
  const std::string before = then.value("computed", "");
  if (before != identity.at("computed"))
    log::warning("{} was computed on {}, and goes on on {}: the last bits will differ", folder.string(),
                 before, identity.at("computed").get<std::string>());
  const TrainState& s = found->checkpoint.state;
  log::info("{}: going on in epoch {} after {} steps", found->file.string(), s.epoch, s.step);
  return std::move(found->checkpoint);
}

void require_alike(Json identity, const std::optional<weights::Checkpoint>& from) {
  if (world().size() == 1) return;
  identity.erase("computed");
  const std::string mine =
      fmt::format("{} {}", md5_of(json_text(identity)),
                  from ? fmt::format("{} {}", from->state.epoch, from->state.step) : "none");
  const auto all = world().all_gather(std::as_bytes(std::span(mine)));
  for (size_t rank = 1; rank < all.size(); ++rank)
    if (all[rank] != all[0])
      throw DataError(
          fmt::format("rank {}", rank), "sees other images, options or checkpoints than rank 0",
          "give all ranks the same command line, and --data and --out on a file system that they share");
}

int64_t metrics_bytes(const weights::Checkpoint& c) { return about_of(c).value("metrics_bytes", int64_t{0}); }

std::string about(const Json& identity, int64_t metrics_bytes) {
  return json_text(Json{{"training", identity}, {"metrics_bytes", metrics_bytes}});
}

}  // namespace xf::tool
