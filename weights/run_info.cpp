#include "weights/run_info.h"

#include <utility>

#include "engine/core/error.h"

namespace xf::weights {

std::optional<RunInfo> find_run_info(const hdf5::File& file) {
  const auto version = file.text("/", kVersion), dialect = file.text("/", "dialect");
  if (!version || !dialect) return std::nullopt;
  RunInfo info;
  info.network = file.text("/", "network").value_or("");
  info.dialect = parse_dialect(*dialect, file.path().string());
  if (file.has_attribute("/", "classes")) info.classes = file.strings("/", "classes");
  info.model_id = file.text("/", "model_id").value_or("");
  return info;
}

RunInfo read_run_info(const std::filesystem::path& path) {
  auto info = find_run_info(hdf5::File(path));
  if (info) return *std::move(info);
  throw DataError(path.string(), "was not written by xferrun: it does not say its dialect and its classes",
                  "Name the best.h5 of a run, or use it as --weights of fine-tune.");
}

void write_run_info(hdf5::Writer& file, const RunInfo& info) {
  file.attribute("/", kVersion, std::string_view(XFERRUN_VERSION));
  file.attribute("/", "network", std::string_view(info.network));
  file.attribute("/", "dialect", std::string_view(to_json(info.dialect)));
  if (info.dialect.preprocess) file.attribute("/", "preprocess", name(*info.dialect.preprocess));
  file.attribute("/", "classes", info.classes);
  file.attribute("/", "checksum", std::string_view(kChecksum));
  file.attribute("/", "model_id", std::string_view(info.model_id));
}

}  // namespace xf::weights
