#pragma once
// Execution plans as text: the engine, its knobs and the operation graph, for the version that wrote it.

#include <string>

#include "tests/standin/cudnn/descriptor.h"
#include "tests/standin/cudnn/engine.h"

namespace xf::standin::cudnn {

std::string plan_json(Choice choice, const Descriptor& graph);

/// The finalized engine configuration of a plan's text. Throws Failure for what plan_json() of this version
/// did not write.
DescriptorPtr configuration_from_json(const std::string& text);

}  // namespace xf::standin::cudnn
