#pragma once
// Inside of the runtime: what it tells the counting of accesses (traffic.h) of launches and blocks.

#include <string>

namespace xf::simt {

/// The accesses that follow belong to a launch of `kernel`.
void count_launch(const void* kernel);
/// Every thread of the block has returned, or none will make another access.
void count_block();

/// "normalise<float, 4>": the name, without namespaces and parameters, of a function of this program; empty
/// where the program carries no symbol for it.
std::string function_name(const void* function);

}  // namespace xf::simt
