#pragma once
// The merged-view CNN: Zevin et al. 2017, "Gravity Spy: integrating advanced LIGO detector characterization,
// machine learning, and citizen science"; layers as in the authors' code (Gravity-Spy/GravitySpy).

#include "engine/graph/net.h"
#include "models/dialect.h"

namespace xf {

/// Input 280×340×1: the four durations of a glitch side by side; any size from 76×76 on. 256 features.
ModelOutputs merged_view(const Net& n, Value x, const Dialect& dialect, int classes);

}  // namespace xf
