#include "tools/xferrun/simulated_data.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <string>

#include "engine/core/error.h"
#include "engine/core/threads.h"
#include "engine/io/atomic_file.h"
#include "engine/io/image.h"
#include "engine/signal/simulate.h"
#include "tools/xferrun/progress.h"

namespace fs = std::filesystem;

namespace xf::tool {

namespace {

std::string file_name(std::string_view kind, int index) { return fmt::format("{}_{:04}.png", kind, index); }

/// Hidden entries: no data set has them, and those that a killed writer left go when it is written again.
bool is_hidden(const fs::path& path) { return path.filename().string().starts_with('.'); }

bool is_drawn(const fs::path& file, std::string_view kind) {
  const std::string name = file.filename().string();
  const size_t first = kind.size() + 1;
  if (name.size() != file_name(kind, 0).size() || fs::is_directory(fs::symlink_status(file))) return false;
  for (size_t i = first; i < first + 4; ++i)
    if (std::isdigit(static_cast<unsigned char>(name[i])) == 0) return false;
  return name == file_name(kind, std::stoi(name.substr(first, 4)));
}

[[noreturn]] void refuse(const fs::path& path) {
  throw OutputExistsError(path.string(), "was not written by this program: it is not replaced",
                          "choose another --out");
}

void remove_drawn(const fs::path& folder, std::string_view kind) {
  for (const auto& entry : fs::directory_iterator(folder))
    if (is_drawn(entry.path(), kind)) fs::remove(entry.path());
}

}  // namespace

void check_simulated_data(const fs::path& folder, std::span<const std::string_view> kinds) {
  try {
    if (!fs::exists(fs::symlink_status(folder))) return;
    if (!fs::is_directory(folder)) refuse(folder);
    for (const auto& entry : fs::directory_iterator(folder)) {
      const std::string kind = entry.path().filename().string();
      if (is_hidden(entry)) continue;
      if (std::find(kinds.begin(), kinds.end(), kind) == kinds.end() || !entry.is_directory())
        refuse(entry.path());
      for (const auto& file : fs::directory_iterator(entry))
        if (!is_hidden(file) && !is_drawn(file.path(), kind)) refuse(file.path());
    }
  } catch (const fs::filesystem_error& e) {
    throw io::write_failure(folder, e.code().value());
  }
}

void write_simulated_data(const fs::path& folder, const SimulatedData& data) {
  try {
    for (const std::string_view kind : data.kinds) {
      fs::create_directories(folder / kind);
      remove_drawn(folder / kind, kind);
    }
  } catch (const fs::filesystem_error& e) {
    throw io::write_failure(folder, e.code().value());
  }
  const auto kinds = static_cast<int64_t>(data.kinds.size());
  Progress progress("simulating", "images");
  for (int i = 0; i < data.per_kind; ++i) {
    parallel_for(kinds, [&](int64_t k) {
      const std::string_view kind = data.kinds[static_cast<size_t>(k)];
      io::write_png(folder / kind / file_name(kind, i),
                    simulate_spectrogram(kind, data.seed, static_cast<uint64_t>(i), data.side, data.side));
    });
    progress.update((i + 1) * kinds, data.per_kind * kinds, "");
  }
}

}  // namespace xf::tool
