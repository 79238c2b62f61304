#include "kernels/cpu/own_kernel.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "engine/core/error.h"
#include "kernels/cpu/simd.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/own_kernel.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace xf::cpu {
namespace HWY_NAMESPACE {
const char* this_target() { return hwy::TargetName(HWY_TARGET); }
}  // namespace HWY_NAMESPACE
}  // namespace xf::cpu
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace xf::cpu {

HWY_EXPORT(this_target);

std::string target_name() {
  std::string name = HWY_DYNAMIC_DISPATCH(this_target)();
  std::transform(name.begin(), name.end(), name.begin(),
                 [](char c) { return static_cast<char>(std::tolower(static_cast<unsigned char>(c))); });
  return name;
}

bool has_bf16_instructions() {
  static const bool there = __builtin_cpu_supports("avx512bf16") != 0;
  return there;
}

OwnKernel::OwnKernel(const char* name, const Node& node)
    : impl_(fmt::format("xf:{}:{}", name, target_name())), inputs_(static_cast<int>(node.inputs.size())) {}

void unsupported(const Node& node, const std::string& reason) {
  throw UnavailableError(fmt::format("{} ({})", node.name, op_name(node.op)), reason);
}

DType activation_type(const Node& node, std::initializer_list<size_t> inputs) {
  const DType type = node.inputs[*inputs.begin()].spec().dtype;
  if (type != DType::f32 && type != DType::bf16)
    unsupported(node, fmt::format("the CPU computes it in f32 or bf16, not in {}", name(type)));
  for (const size_t i : inputs) {
    if (i >= node.inputs.size() || !node.inputs[i]) continue;
    if (const DType other = node.inputs[i].spec().dtype; other != type)
      unsupported(node,
                  fmt::format("operands of types {} and {} do not go together", name(type), name(other)));
  }
  return type;
}

}  // namespace xf::cpu
#endif
