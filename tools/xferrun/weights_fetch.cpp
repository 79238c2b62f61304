#include <fmt/format.h>

#include <memory>
#include <optional>

#include "engine/core/log.h"
#include "tools/xferrun/command.h"
#include "tools/xferrun/progress.h"
#include "tools/xferrun/weights_commands.h"
#include "weights/fetch.h"

namespace xf::tool {

namespace {

struct FetchOptions {
  std::string name, mirror;
  bool json = false;
};

void run(const FetchOptions& o) {
  const weights::OfficialFile& file = weights::find_official(o.name);
  constexpr uint64_t kMegabyte = 1000000;
  std::optional<Progress> progress;
  const std::filesystem::path path = weights::fetch(file, o.mirror, [&](uint64_t done) {
    if (!progress) progress.emplace("fetching " + o.name, "MB");
    progress->update(static_cast<int64_t>(done / kMegabyte),
                     static_cast<int64_t>(static_cast<uint64_t>(file.bytes) / kMegabyte), "");
  });
  progress.reset();
  log::info("licence of {}: {}", o.name, file.licence);
  if (!o.json) {
    print_line(path.string());
    return;
  }
  print_line(json_text(nlohmann::ordered_json{{"name", o.name},
                                              {"path", path.string()},
                                              {"url", weights::address(file, o.mirror)},
                                              {"bytes", file.bytes},
                                              {"md5", file.md5},
                                              {"network", file.network},
                                              {"licence", file.licence}}));
}

}  // namespace

void add_weights_fetch(CLI::App& weights) {
  CLI::App& command = add_command(
      weights, "fetch",
      "fetch official ImageNet weights into the cache, check them, and print where they are",
      "xferrun fine-tune --model vgg16 --weights \"$(xferrun weights fetch vgg16_notop)\" --data D");
  const auto o = std::make_shared<FetchOptions>();
  std::string names;
  for (const weights::OfficialFile& f : weights::official_files())
    names += (names.empty() ? "" : ", ") + weights::fetch_name(f);
  command.add_option("name", o->name, "one of " + names)->required();
  command.add_option("--mirror", o->mirror, "address of a folder that has the file under its official name");
  command.add_flag("--json", o->json, "one JSON document");
  command.callback([o] { run(*o); });
}

}  // namespace xf::tool
