#include "tests/standin/nccl/communicator.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <stdexcept>
#include <utility>

#include "tests/standin/device.h"
#include "tests/standin/turns.h"

namespace xf::standin {
namespace {

/// A reduction that some ranks' devices have come to.
struct Part {
  Reduction what;
  std::vector<float> numbers;
  std::shared_ptr<Mark> done;
};
using UnderWay = std::map<int, Part>;  // by rank

}  // namespace

struct Ranks {
  explicit Ranks(int ranks) : size(ranks) {}
  int size;
  std::map<int, Member*> joined;
  bool complete = false, refused = false;
  bool connected = true;                 // else nothing ends that has not
  std::map<size_t, UnderWay> under_way;  // by their place in the order that all ranks share
};

namespace {

std::map<std::string, std::weak_ptr<Ranks>>& all_ranks() {
  static std::map<std::string, std::weak_ptr<Ranks>> all;
  return all;
}

void reach(Mark& mark) {
  mark.reached = true;
  mark.at = device_clock();
}

// What the device would wait for forever, or memory it would lose.
[[noreturn]] void misused(const char* how) {
  std::fprintf(stderr, "stand-in: NCCL: %s\n", how);
  std::abort();
}

void finish(Ranks& ranks, const UnderWay& all) {
  const Reduction& first = all.begin()->second.what;
  const float share = first.op == ncclAvg ? 1.0F / static_cast<float>(ranks.size) : 1.0F;
  std::vector<float> sum(first.count);
  for (const auto& [rank, part] : all) {
    if (part.what.count != first.count || part.what.op != first.op)
      throw std::runtime_error(
          "stand-in: NCCL: the ranks reduce different numbers of elements, or otherwise");
    for (size_t i = 0; i < sum.size(); ++i) sum[i] += share * part.numbers[i];  // as NCCL: first the share
  }
  for (const auto& [rank, part] : all) {
    std::copy(sum.begin(), sum.end(), part.what.to);
    reach(*part.done);
    std::erase(ranks.joined.at(rank)->waiting, part.done);
  }
}

// The device comes to a reduction. Until its end nobody can tell what the result's memory holds.
void begin(Member& member, const Reduction& what, const std::shared_ptr<Mark>& done) {
  if (member.aborted) return reach(*done);
  member.waiting.push_back(done);
  Ranks& ranks = *member.ranks;
  if (!ranks.connected) return;
  const size_t place = member.begun++;
  UnderWay& all = ranks.under_way[place];
  all[member.rank] = {what, {what.from, what.from + what.count}, done};
  std::fill_n(what.to, what.count, std::numeric_limits<float>::quiet_NaN());
  if (all.size() < static_cast<size_t>(ranks.size)) return;
  finish(ranks, all);
  ranks.under_way.erase(place);
}

}  // namespace

ncclResult_t new_id(ncclUniqueId& id) {
  static int last = 0;
  id = {};
  std::snprintf(id.internal, sizeof id.internal, "stand-in %d", ++last);
  return ncclSuccess;
}

ncclResult_t init_rank(std::shared_ptr<Member>& member, int size, const ncclUniqueId& id, int rank,
                       std::string& error) {
  if (machine().nccl_init != ncclSuccess) {
    error = "no route to the other ranks";
    return static_cast<ncclResult_t>(machine().nccl_init);
  }
  std::shared_ptr<Ranks> ranks = all_ranks()[id.internal].lock();
  if (!ranks) all_ranks()[id.internal] = ranks = std::make_shared<Ranks>(size);
  if (size != ranks->size || rank < 0 || rank >= size || ranks->joined.count(rank) != 0) {
    error = "another number of ranks, or a rank twice";
    return ncclInvalidArgument;
  }
  member = std::make_shared<Member>();
  member->ranks = ranks;
  member->rank = rank;
  member->device = current_device();
  for (const auto& [other, one] : ranks->joined)
    ranks->refused = ranks->refused || one->device == member->device;
  ranks->joined[rank] = member.get();
  ranks->complete = ranks->complete || ranks->joined.size() == static_cast<size_t>(size);
  something_happened();
  while (!ranks->complete) {
    if (let_others_run()) continue;
    error = "the other ranks do not come";
    ranks->joined.erase(rank);
    return ncclSystemError;
  }
  if (ranks->refused) error = "Duplicate GPU detected";
  return ranks->refused ? ncclInvalidUsage : ncclSuccess;
}

ncclResult_t check(const Member& member, const Reduction& what, cudaStream_t stream, std::string& error) {
  const size_t bytes = what.count * sizeof(float);
  if (!device_memory().holds(what.from, bytes) || !device_memory().holds(what.to, bytes))
    error = "memory that is not the device's";
  else if (what.from != what.to && what.from < what.to + what.count && what.to < what.from + what.count)
    error = "operands that overlap";
  else if (stream_of(stream).device != member.device)
    error = "a stream of another device";
  else
    return ncclSuccess;
  return ncclInvalidArgument;
}

void queue(const std::shared_ptr<Member>& member, const Reduction& what, cudaStream_t stream) {
  enqueue_long(
      stream, [member, what](const std::shared_ptr<Mark>& done) { begin(*member, what, done); },
      member->graphs);
}

void destroy(Member& member) {
  if (!member.waiting.empty()) misused("a communicator is destroyed before its work has ended");
  if (member.graphs.use_count() > 1) misused("a communicator is destroyed before graphs that it is part of");
  member.aborted = true;
  member.ranks->joined.erase(member.rank);
}

void abort(Member& member) {
  if (member.graphs.use_count() > 1) misused("a communicator is aborted before graphs that it is part of");
  member.aborted = true;
  for (const std::shared_ptr<Mark>& mark : std::exchange(member.waiting, {})) reach(*mark);
  Ranks& ranks = *member.ranks;
  ranks.joined.erase(member.rank);
  ranks.connected = false;
  for (const auto& [rank, other] : ranks.joined)
    if (other->error == ncclSuccess) other->error = ncclRemoteError;
  something_happened();
}

void disconnect(ncclResult_t error) {
  for (const auto& [id, one] : all_ranks()) {
    const std::shared_ptr<Ranks> ranks = one.lock();
    if (!ranks) continue;
    ranks->connected = false;
    for (const auto& [rank, member] : ranks->joined) member->error = error;
  }
  something_happened();
}

}  // namespace xf::standin
