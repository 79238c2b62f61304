#pragma once
// The CPU backend: oneDNN for convolutions and matrix products, our own vectorised code for the rest.

#include <memory>
#include <string>
#include <vector>

#include "engine/core/library_version.h"
#include "engine/run/backend.h"

namespace xf::cpu {

/// How convolutions are computed that Winograd's F(4x4, 3x3) can compute: as winograd_rule.h says, or for
/// tests and benchmarks all directly or all by Winograd.
enum class Convolutions : uint8_t { by_rule, direct, winograd };

/// A backend that computes on threads() threads of this process.
std::unique_ptr<Backend> make_backend(Determinism determinism,
                                      Convolutions convolutions = Convolutions::by_rule);

/// Of oneDNN.
LibraryVersion library_version();

/// The processor as it names itself, and the instruction sets that matter here ("AVX2", "AVX512",
/// "AVX512_BF16").
struct Processor {
  std::string name;
  std::vector<std::string> instruction_sets;
};
Processor processor();

}  // namespace xf::cpu
