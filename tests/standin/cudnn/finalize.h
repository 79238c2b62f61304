#pragma once
// What finalization checks, and the descriptors that the library makes itself.

#include "tests/standin/cudnn/descriptor.h"
#include "tests/standin/cudnn/engine.h"

namespace xf::standin::cudnn {

/// A finalized engine configuration for a finalized operation graph. Throws Failure when there is no such
/// engine or knob value.
DescriptorPtr configuration(Choice choice, const DescriptorPtr& graph);

/// What a finalized configuration chooses, and its graph's descriptor.
Choice choice_of(const Descriptor& configuration);
DescriptorPtr graph_of(const Descriptor& configuration);

}  // namespace xf::standin::cudnn
