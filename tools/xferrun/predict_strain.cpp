#include "tools/xferrun/predict_strain.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/core/error.h"
#include "engine/core/log.h"
#include "engine/signal/qscan.h"
#include "tools/xferrun/classifier.h"

namespace xf::tool {

namespace {

/// Index into kShownDurations.
size_t duration_index(const std::string& text) {
  std::string known;
  for (size_t i = 0; i < kShownDurations.size(); ++i) {
    if (kShownDurations[i].name == text) return i;
    known.append(" ").append(kShownDurations[i].name);
  }
  throw UsageError("--duration", fmt::format("there is no \"{}\"", text), "use one of" + known);
}

QScan scan_strain(const StrainFile& file, double gps) {
  const Strain strain = file.around(gps, block_around(gps));
  require_room(strain, gps);
  const QScanner scanner(strain);
  for (const std::string& what : scanner.clipped()) log::warning("GPS {}: {}", gps, what);
  return std::move(scanner.scan({&gps, 1}).front());
}

}  // namespace

void check_duration(const std::string& text) { (void)duration_index(text); }

void predict_strain(Session& session, const LoadedModel& model, const std::optional<OutOfClass>& reference,
                    const StrainOptions& o) {
  const size_t duration = duration_index(o.duration);
  const StrainFile file(o.file);
  for (const double gps : o.gps) file.require_data_at(gps);
  Classifier classifier(session, model);
  for (const double gps : o.gps) {
    const QScan scan = scan_strain(file, gps);
    auto j = prediction_json(o.file, classifier.classify(scan.pictures[duration]), model, reference);
    j["ifo"] = file.detector();
    j["gps"] = gps;
    j["duration"] = kShownDurations[duration].seconds;
    print_line(json_text(j));
  }
}

}  // namespace xf::tool
