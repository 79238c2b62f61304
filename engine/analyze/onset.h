#pragma once
// When a kind of glitch begins.

#include <optional>
#include <span>

namespace xf {

/// The time of the first of `members` that is no stray. Where there are images in `all` (the members among
/// them) is where the detector was watched; in that measure, strays before the beginning come at no more than
/// a tenth of the rate after it, and they are no more than a tenth of the members. Of the beginnings that
/// leave such strays, or none, the one of the largest Poisson likelihood with one rate before and one from
/// then on. Times need no order; NaN is no time. Nothing where no member has a time.
std::optional<double> onset(std::span<const double> members, std::span<const double> all);

}  // namespace xf
