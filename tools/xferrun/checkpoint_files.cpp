#include "tools/xferrun/checkpoint_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "engine/core/error.h"
#include "engine/core/log.h"
#include "engine/io/atomic_file.h"

namespace fs = std::filesystem;

namespace xf::tool {

namespace {

constexpr const char* kNext = "last-next.h5";  // written, and not yet the last

std::string name_of(int age) { return age == 0 ? "last.h5" : fmt::format("last-{}.h5", age); }

void move(const fs::path& from, const fs::path& to) {
  std::error_code error;
  fs::rename(from, to, error);
  if (error) throw io::write_failure(to, error.value());
}

/// Every name moves on by one; the oldest is replaced.
void make_last(const fs::path& folder, int keep) {
  for (int age = keep - 1; age > 0; --age)
    if (fs::exists(folder / name_of(age - 1))) move(folder / name_of(age - 1), folder / name_of(age));
  move(folder / kNext, folder / name_of(0));
  io::sync_folder_of(folder / name_of(0));
}

double write(const fs::path& folder, int keep, const weights::Checkpoint& checkpoint) {
  const auto start = std::chrono::steady_clock::now();
  weights::save_checkpoint(folder / kNext, checkpoint);
  try {
    weights::verify_checkpoint(folder / kNext);
  } catch (const DataError& e) {
    throw WriteError(folder.string(), fmt::format("a checkpoint cannot be read back: {}", e.what()),
                     "look after the disk; the checkpoint before is still there");
  }
  make_last(folder, keep);
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

/// From the newest to the oldest.
std::vector<fs::path> checkpoints_in(const fs::path& folder) {
  // Killed between two renames, a run has no last.h5, but the next one, whole.
  std::vector<fs::path> files{folder / name_of(0)};
  if (!fs::exists(files[0])) files[0] = folder / kNext;
  for (int age = 1; fs::exists(folder / name_of(age)); ++age) files.push_back(folder / name_of(age));
  std::erase_if(files, [](const fs::path& file) { return !fs::exists(file); });
  return files;
}

}  // namespace

weights::Checkpoint take_checkpoint(const ParamStore& store, const TrainState& state, std::string about) {
  weights::Checkpoint c{state, std::move(about), {}};
  for (const std::string& name : store.names()) c.tensors.emplace_back(name, store.get(name));
  return c;
}

void put_back(const weights::Checkpoint& c, ParamStore& store) {
  constexpr const char* kRemedy = "restore it, or start again with --force";
  for (const auto& [name, tensor] : c.tensors) {
    if (!store.has(name) || store.shape(name) != tensor.shape())
      throw DataError("the checkpoint", fmt::format("holds {}, which is no tensor of this training", name),
                      kRemedy);
    store.set(name, tensor);
  }
  if (c.tensors.size() != store.names().size())
    throw DataError("the checkpoint",
                    fmt::format("holds {} tensors of {}", c.tensors.size(), store.names().size()), kRemedy);
}

CheckpointWriter::CheckpointWriter(fs::path folder, int keep) : folder_(std::move(folder)), keep_(keep) {}

CheckpointWriter::~CheckpointWriter() {
  if (writing_.valid()) writing_.wait();
}

void CheckpointWriter::write(weights::Checkpoint checkpoint) {
  wait();
  writing_ = std::async(std::launch::async,
                        [this, c = std::move(checkpoint)] { return tool::write(folder_, keep_, c); });
}

void CheckpointWriter::wait() {
  if (writing_.valid()) seconds_ = writing_.get();
}

std::optional<FoundCheckpoint> newest_checkpoint(const fs::path& folder) {
  const std::vector<fs::path> files = checkpoints_in(folder);
  std::optional<DataError> first;
  for (const fs::path& file : files) {
    try {
      FoundCheckpoint found{file, weights::load_checkpoint(file)};
      if (first) log::warning("{}; the one before is used", first->what());
      return found;
    } catch (const DataError& e) {
      if (!first) first = e;
    }
  }
  if (!first) return std::nullopt;
  throw DataError(folder.string(),
                  fmt::format("none of its {} checkpoints can be read: {}", files.size(), first->what()),
                  "restore one, or start again with --force");
}

bool is_checkpoint_name(const std::string& name) {
  if (name == name_of(0) || name == kNext) return true;
  constexpr std::string_view kBefore = "last-", kAfter = ".h5";
  if (!name.starts_with(kBefore) || !name.ends_with(kAfter)) return false;
  const std::string_view age =
      std::string_view(name).substr(kBefore.size(), name.size() - kBefore.size() - kAfter.size());
  return !age.empty() && age.find_first_not_of("0123456789") == std::string_view::npos;
}

}  // namespace xf::tool
