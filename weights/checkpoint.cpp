#include "weights/checkpoint.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <optional>
#include <span>

#include "engine/core/error.h"
#include "engine/io/hdf5.h"
#include "weights/md5.h"
#include "weights/run_info.h"

namespace xf::weights {

namespace {

using Json = nlohmann::json;

constexpr const char* kFormat = "checkpoint_format";  // attribute of the root group
constexpr int kNewest = 1;
const std::string kTensors = "/tensors/";

template <class T>
std::string checksum(std::span<const T> values) {
  return md5(std::as_bytes(values));
}

template <class T>
void write_part(hdf5::Writer& file, const std::string& path, std::span<const int64_t> dims,
                std::span<const T> values) {
  file.dataset(path, dims, values);
  file.attribute(path, kChecksum, std::string_view(checksum(values)));
}

void write_text(hdf5::Writer& file, const std::string& path, const std::string& text) {
  const auto length = static_cast<int64_t>(text.size());
  const std::span bytes(reinterpret_cast<const uint8_t*>(text.data()), text.size());
  write_part(file, path, std::span(&length, 1), bytes);
}

template <class T>
void require_checksum(const hdf5::File& file, const std::string& path, std::span<const T> values) {
  if (file.text(path, kChecksum) != checksum(values))
    throw DataError(file.path().string(), path + " is damaged: its checksum is another");
}

std::string read_text(const hdf5::File& file, const std::string& path) {
  const std::vector<uint8_t> bytes = file.read<uint8_t>(path);
  require_checksum(file, path, std::span(bytes));
  return {bytes.begin(), bytes.end()};
}

Json to_json(const std::optional<double>& x) { return x ? Json(*x) : Json(nullptr); }

std::optional<double> optional_of(const Json& j) {
  return j.is_null() ? std::nullopt : std::optional(j.get<double>());
}

Json to_json(const TrainState& s) {
  return {{"epoch", s.epoch},
          {"step", s.step},
          {"updates", s.updates},
          {"micro_batches", s.micro_batches},
          {"sums",
           {{"loss", s.sums.loss},
            {"hits", s.sums.hits},
            {"images", s.sums.images},
            {"seconds", s.sums.seconds}}},
          {"best",
           {{"epoch", s.best.epoch},
            {"train_loss", s.best.train_loss},
            {"train_top1", s.best.train_top1},
            {"val_loss", to_json(s.best.val_loss)},
            {"val_top1", to_json(s.best.val_top1)},
            {"val_top5", to_json(s.best.val_top5)},
            {"seconds", s.best.seconds},
            {"images_per_second", s.best.images_per_second}}}};
}

TrainState state_of(const Json& j) {
  TrainState s;
  s.epoch = j.at("epoch");
  s.step = j.at("step");
  s.updates = j.at("updates");
  s.micro_batches = j.at("micro_batches");
  const Json& sums = j.at("sums");
  s.sums = {sums.at("loss"), sums.at("hits"), sums.at("images"), sums.at("seconds")};
  const Json& best = j.at("best");
  s.best = {best.at("epoch"),
            best.at("train_loss"),
            best.at("train_top1"),
            optional_of(best.at("val_loss")),
            optional_of(best.at("val_top1")),
            optional_of(best.at("val_top5")),
            best.at("seconds"),
            best.at("images_per_second")};
  return s;
}

void check_format(const hdf5::File& file) {
  const std::string path = file.path().string();
  if (!file.has_attribute("/", kFormat))
    throw DataError(path, "is no checkpoint", "name a file that fine-tune wrote as last.h5");
  const std::vector<double> format = file.numbers("/", kFormat);
  if (format.size() != 1 || format[0] < 1) throw DataError(path, "is damaged: it says no format");
  if (format[0] > kNewest)
    throw DataError(path,
                    fmt::format("was written by a newer version, {}: its format is {:.0f}, and {} is known",
                                file.text("/", kVersion).value_or("unknown"), format[0], kNewest),
                    "use that version");
}

Tensor read_tensor(const hdf5::File& file, const std::string& path) {
  const std::vector<int64_t> dims = file.dims(path);
  if (dims.size() != 4) throw DataError(file.path().string(), path + " is damaged: it has no four extents");
  file.require_stored(path);
  Tensor tensor({dims[0], dims[1], dims[2], dims[3]});
  file.read_rows(path, 0, dims[0], tensor.as<float>());
  require_checksum(file, path, std::span<const float>(tensor.as<float>()));
  return tensor;
}

/// Everything but the tensors into `out`; these go to `keep`, one after the other.
template <class Keep>
void read(const std::filesystem::path& path, Checkpoint& out, const Keep& keep) {
  const hdf5::File file(path);
  check_format(file);
  try {
    out.state = state_of(Json::parse(read_text(file, "/state")));
  } catch (const Json::exception&) {
    throw DataError(path.string(), "/state is damaged");
  }
  out.about = read_text(file, "/about");
  if (!file.exists("/tensors")) throw DataError(path.string(), "is damaged: it has no tensors");
  for (const std::string& dataset : file.datasets("/tensors"))
    keep(dataset.substr(kTensors.size()), read_tensor(file, dataset));
}

}  // namespace

void save_checkpoint(const std::filesystem::path& path, const Checkpoint& checkpoint) {
  hdf5::Writer file(path);
  file.attribute("/", kFormat, static_cast<double>(kNewest));
  file.attribute("/", kVersion, std::string_view(XFERRUN_VERSION));
  write_text(file, "/state", to_json(checkpoint.state).dump());
  write_text(file, "/about", checkpoint.about);
  for (const auto& [name, tensor] : checkpoint.tensors) {
    const Shape& s = tensor.shape();
    const int64_t dims[] = {s.n, s.h, s.w, s.c};
    write_part(file, kTensors + name, dims, tensor.as<float>());
  }
  file.commit();
}

Checkpoint load_checkpoint(const std::filesystem::path& path) {
  Checkpoint c;
  read(path, c,
       [&](std::string name, Tensor tensor) { c.tensors.emplace_back(std::move(name), std::move(tensor)); });
  return c;
}

void verify_checkpoint(const std::filesystem::path& path) {
  Checkpoint c;
  read(path, c, [](const std::string&, const Tensor&) {});
}

}  // namespace xf::weights
