#pragma once
// --view: what of a glitch's four durations a network sees.

#include <string>
#include <string_view>
#include <vector>

#include "engine/data/duration.h"

namespace xf {

struct View {
  enum class Kind : uint8_t {
    plain,   ///< every image as it is
    single,  ///< one duration of each glitch
    merged,  ///< all four in one image, 2x2: 0.5 and 1.0 s above, 2.0 and 4.0 s below
    stack,   ///< three durations: the grey values of each are one of the channels R, G, B
    all      ///< each duration is an image; a glitch's probabilities are their mean
  };
  Kind kind = Kind::plain;
  std::vector<Duration> durations = {};  ///< of single (one) and stack (three)

  /// The durations that every glitch must have: none for plain, four for merged and all.
  [[nodiscard]] std::vector<Duration> needed() const;
  friend bool operator==(const View&, const View&) = default;
};

/// Of "single:1.0", "merged", "stack:0.5,1.0,2.0" or "all"; "" is plain. Throws UsageError with these forms.
View parse_view(std::string_view text);
/// The text that parse_view() takes.
std::string name(const View& view);

}  // namespace xf
