#include <cmath>
#include <numbers>

#include "engine/signal/kinds.h"

namespace xf {

double log_uniform(Rng& rng, double low, double high) { return low * std::pow(high / low, rng.uniform()); }

double any_phase(Rng& rng) { return rng.uniform(0, 2.0 * std::numbers::pi); }

double any_sign(Rng& rng) { return rng.below(2) == 0 ? -1.0 : 1.0; }

}  // namespace xf
