#include "tools/xferrun/gpu.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "engine/core/error.h"
#include "tools/xferrun/command_line.h"
#include "tools/xferrun/json_file.h"

namespace xf::tool {

namespace {

/// A number of the file: `unit` of it are one of the engine's.
struct Field {
  const char* key;
  double Gpu::*value;
  double unit;
};
constexpr double kGiga = 1e9, kTera = 1e12;
constexpr std::array kFields{
    Field{"memory_gb_per_s", &Gpu::bytes, kGiga}, Field{"f32_tflops", &Gpu::f32, kTera},
    Field{"tf32_tflops", &Gpu::tf32, kTera},      Field{"bf16_tflops", &Gpu::bf16, kTera},
    Field{"f16_tflops", &Gpu::f16, kTera},
};
constexpr const char* kName = "name";

std::string example() { return "write one object like " + to_json(*find_gpu("h100")).dump(); }

class GpuFile {
 public:
  explicit GpuFile(const std::string& path) : path_(path), all_(read_json_object(path, example())) {}

  [[nodiscard]] Gpu read() const {
    for (const auto& [key, value] : all_.items()) {
      const bool number =
          std::any_of(kFields.begin(), kFields.end(), [&key = key](const Field& f) { return key == f.key; });
      if (!number && key != kName) refuse(key, "is no field of a GPU");
    }
    Gpu gpu;
    const auto& name = field(kName);
    if (!name.is_string() || name.get_ref<const std::string&>().empty()) refuse(kName, "must be a text");
    gpu.name = name.get<std::string>();
    for (const Field& f : kFields) gpu.*f.value = f.unit * number(f.key);
    return gpu;
  }

 private:
  [[noreturn]] void refuse(const std::string& key, const std::string& why) const {
    throw DataError(path_, fmt::format("\"{}\" {}", key, why), example());
  }
  [[nodiscard]] const nlohmann::ordered_json& field(const std::string& key) const {
    if (!all_.contains(key)) refuse(key, "is missing");
    return all_.at(key);
  }
  /// Beyond these limits no device lies, and times of which JSON can tell nothing.
  [[nodiscard]] double number(const std::string& key) const {
    const auto& value = field(key);
    const bool good = value.is_number() && value.get<double>() >= 1e-3 && value.get<double>() <= 1e9;
    if (!good) refuse(key, "must be a number from 0.001 to 1e9");
    return value.get<double>();
  }

  const std::string& path_;
  nlohmann::ordered_json all_;
};

}  // namespace

void check_gpu_word(const std::string& word) {
  if (find_gpu(word) == nullptr && !word.ends_with(".json"))
    throw UsageError("--estimate " + word, "is neither a GPU whose data sheet is built in nor a .json file",
                     fmt::format("choose one of: {}, FILE.json", fmt::join(gpu_words(), ", ")));
}

Gpu gpu_of(const std::string& word) {
  check_gpu_word(word);
  const Gpu* known = find_gpu(word);
  return known != nullptr ? *known : GpuFile(word).read();
}

nlohmann::ordered_json to_json(const Gpu& gpu) {
  nlohmann::ordered_json j{{kName, gpu.name}};
  for (const Field& f : kFields) j[f.key] = gpu.*f.value / f.unit;
  return j;
}

void add_estimate_option(CLI::App& command, std::string& word, const std::string& purpose) {
  std::string keys = kName;
  for (const Field& f : kFields) keys += fmt::format(", {}", f.key);
  command
      .add_option(
          "--estimate", word,
          fmt::format("{}\n{}, or FILE.json: one object with\n{}\n(dense peaks with sums in f32, as the "
                      "data sheet tells them)",
                      purpose, fmt::join(gpu_words(), ", "), keys))
      ->type_name("GPU")
      ->check([](const std::string& text) {
        check_gpu_word(text);
        return std::string();
      });
}

}  // namespace xf::tool
