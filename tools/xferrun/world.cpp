#include "tools/xferrun/world.h"

#include <fmt/format.h>

#include <cstdio>
#include <memory>
#include <string_view>

#include "engine/core/log.h"
#include "engine/dist/comm_single.h"
#include "kernels/mpi/load.h"

namespace xf::tool {

namespace {

std::unique_ptr<Comm>& joined() {
  static std::unique_ptr<Comm> comm;
  return comm;
}

}  // namespace

Comm& world() { return joined() ? *joined() : single_comm(); }
bool is_writer() { return world().rank() == 0; }
Shard share() { return {world().rank(), world().size()}; }

Membership::Membership() {
  if (mpi::launched_ranks() == 1) return;
  joined() = mpi::load_module().make_comm();
  if (is_writer()) return;
  log::set_sink([rank = world().rank()](log::Level level, std::string_view text) {
    if (level == log::Level::warning) fmt::print(stderr, "warning: rank {}: {}\n", rank, text);
  });
}

Membership::~Membership() { joined().reset(); }

void Membership::end_all(int exit_code) {
  if (world().size() > 1) mpi::load_module().end_all(exit_code);
}

}  // namespace xf::tool
