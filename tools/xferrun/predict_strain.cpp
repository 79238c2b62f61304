#include "tools/xferrun/predict_strain.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/core/error.h"
#include "engine/core/log.h"
#include "engine/data/pixels.h"
#include "engine/data/release.h"
#include "engine/signal/qscan.h"
#include "engine/train/glitch_mean.h"
#include "tools/xferrun/classifier.h"
#include "tools/xferrun/command.h"

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

/// The pictures that the network sees in a view, smaller and grey.
std::vector<io::Image> pictures_in(const View& view, const QScan& scan) {
  std::vector<io::Image> parts;
  for (const Duration duration : view.needed())
    parts.push_back(reduced_area(scan.pictures[static_cast<size_t>(duration)]));
  if (view.kind == View::Kind::merged) return {merged(parts)};
  if (view.kind == View::Kind::stack) return {stacked(parts)};
  return parts;
}

/// Of one picture, or the mean of several.
Prediction classify(Classifier& classifier, const std::vector<io::Image>& pictures) {
  std::vector<Prediction> each;
  each.reserve(pictures.size());
  for (const io::Image& picture : pictures) each.push_back(classifier.classify(picture));
  return mean_prediction(each);
}

}  // namespace

void check_duration(const std::string& text) { (void)duration_index(text); }

void predict_strain(Session& session, const LoadedModel& model, const View& view,
                    const std::optional<OutOfClass>& reference, const StrainOptions& o) {
  const bool plain = view.kind == View::Kind::plain;
  if (!plain && !o.duration.empty())
    throw UsageError("--duration", "is settled by the view " + name(view), "leave it out");
  const size_t duration = duration_index(o.duration.empty() ? "1.0" : o.duration);
  const StrainFile file(o.file);
  for (const double gps : o.gps) file.require_data_at(gps);
  Classifier classifier(session, model);
  for (const double gps : o.gps) {
    const QScan scan = scan_strain(file, gps);
    const Prediction p =
        plain ? classifier.classify(scan.pictures[duration]) : classify(classifier, pictures_in(view, scan));
    auto j = prediction_json(o.file, p, model, reference);
    j["ifo"] = file.detector();
    j["gps"] = gps;
    if (plain) {
      j["duration"] = kShownDurations[duration].seconds;
    } else {
      j["view"] = name(view);
    }
    print_line(json_text(j));
  }
}

}  // namespace xf::tool
