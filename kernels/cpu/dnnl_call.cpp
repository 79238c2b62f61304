#include "kernels/cpu/dnnl_call.h"

#include <array>

#include "engine/core/aligned.h"
#include "engine/core/error.h"

namespace xf::cpu::dnn {

Call::Call(Built built, std::vector<Argument> arguments, int64_t slots)
    : built_(std::move(built)),
      arguments_(std::move(arguments)),
      scratch_(aligned(built_.scratchpad.get_size())) {
  for (int64_t s = 0; s < slots; ++s) {
    for (const Argument& a : arguments_) bound_.push_back({dnnl::memory(a.desc, engine(), DNNL_MEMORY_NONE)});
    bound_.push_back({dnnl::memory(built_.scratchpad, engine(), DNNL_MEMORY_NONE)});
  }
}

void Call::bind(Bound& bound, std::byte* address) {
  // Setting the address of a blocked tensor also clears its padding: only where it changes.
  if (bound.address == address) return;
  bound.memory.set_data_handle(address);
  bound.address = address;
}

void Call::run(int64_t slot, int64_t part, std::span<std::byte* const> addresses, std::byte* scratch) {
  constexpr size_t kMost = 8;
  const size_t count = arguments_.size() + 1;
  if (addresses.size() != arguments_.size() || count > kMost)
    throw InternalError(built_.impl, "called with the wrong number of arguments");
  std::array<dnnl_exec_arg_t, kMost> args{};
  Bound* bound = &bound_[static_cast<size_t>(slot) * count];
  for (size_t i = 0; i + 1 < count; ++i) {
    bind(bound[i], addresses[i] + static_cast<size_t>(part) * arguments_[i].step);
    args[i] = {arguments_[i].id, bound[i].memory.get()};
  }
  bind(bound[count - 1], scratch);
  args[count - 1] = {DNNL_ARG_SCRATCHPAD, bound[count - 1].memory.get()};
  // The C interface: the C++ one builds a vector for every call.
  if (dnnl_primitive_execute(built_.primitive.get(), stream().get(), static_cast<int>(count), args.data()) !=
      dnnl_success)
    throw InternalError(built_.impl, "oneDNN refused to run the primitive it had made");
}

}  // namespace xf::cpu::dnn
