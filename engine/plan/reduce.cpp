// One training on several ranks: each computes its share of the images of a step, and what they found is
// averaged before the update.
#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "engine/core/error.h"
#include "engine/dist/comm.h"
#include "engine/plan/passes.h"

namespace xf {

namespace {

/// Values that travel together.
struct Bucket {
  std::vector<Value> values;
  size_t bytes = 0;
  int last = 0;  ///< the node that makes the last of them
};

/// The gradients that the update reads, in the order in which the backward pass makes them.
std::vector<Value> gradients_of(const Node& update) {
  constexpr size_t kPerTensor = 5, kGradient = 2;
  std::vector<Value> values;
  for (size_t i = kGradient; i + 1 < update.inputs.size(); i += kPerTensor)
    if (update.inputs[i]) values.push_back(update.inputs[i]);
  std::sort(values.begin(), values.end());
  return values;
}

/// The running statistics that batch normalisation moved: a mean of them is what a mean of the images' is, to
/// rounding, so every rank's network stays the same.
std::vector<Value> statistics_of(const Graph& g) {
  std::vector<Value> values;
  for (const Update& u : g.updates())
    if (g.node(u.value).as<BnAct>() != nullptr) values.push_back(u.value);
  std::sort(values.begin(), values.end());
  return values;
}

void add_buckets(std::vector<Bucket>& buckets, const std::vector<Value>& values) {
  bool full = true;
  for (const Value& v : values) {
    const size_t bytes = v.spec().bytes();
    if (full || buckets.back().bytes + bytes > kBucketBytes) buckets.emplace_back();
    full = false;
    Bucket& bucket = buckets.back();
    bucket.values.push_back(v);
    bucket.bytes += bytes;
    bucket.last = v.node();
  }
}

class Reducer {
 public:
  explicit Reducer(const Program& program) : rewriter_(program) {}

  Program run(int update) {
    const Graph& g = rewriter_.old();
    std::vector<Bucket> buckets;
    const std::vector<Value> statistics = statistics_of(g);
    add_buckets(buckets, statistics);
    add_buckets(buckets, gradients_of(g.node(update)));
    for (int id = 0; id < g.size(); ++id) {
      if (id == update) {
        wait();
        copy_update(id);
        // The sums of micro-batches stay each rank's own.
        for (const Value& v : statistics) rewriter_.replace(v, means_.at(v));
        continue;
      }
      rewriter_.copy(id);
      for (const Bucket& bucket : buckets)
        if (bucket.last == id) start(bucket);
    }
    return rewriter_.finish();
  }

 private:
  struct Started {
    Bucket bucket;
    std::vector<Value> under_way;
  };

  void start(const Bucket& bucket) {
    Graph& g = rewriter_.fresh();
    std::vector<Value> inputs;
    for (const Value& v : bucket.values) inputs.push_back(rewriter_.map(v));
    const int number = static_cast<int>(started_.size());
    g.set_scope("bucket" + std::to_string(number));
    const Value first = g.add(AllReduce{number}, std::move(inputs));
    Started started{bucket, {}};
    for (size_t i = 0; i < bucket.values.size(); ++i)
      started.under_way.push_back(Graph::output(first, static_cast<int>(i)));
    started_.push_back(std::move(started));
  }

  void wait() {
    Graph& g = rewriter_.fresh();
    for (size_t b = 0; b < started_.size(); ++b) {
      g.set_scope("bucket" + std::to_string(b));
      const Value first = g.add(AllReduceWait{static_cast<int>(b)}, started_[b].under_way);
      for (size_t i = 0; i < started_[b].bucket.values.size(); ++i)
        means_[started_[b].bucket.values[i]] = Graph::output(first, static_cast<int>(i));
    }
  }

  /// The update, which reads the means.
  void copy_update(int id) {
    const Node& n = rewriter_.old().node(id);
    std::vector<Value> inputs;
    for (const Value& v : n.inputs) {
      const auto mean = means_.find(v);
      inputs.push_back(mean == means_.end() ? rewriter_.map(v) : mean->second);
    }
    rewriter_.copy_as(id, n.op, std::move(inputs));
  }

  Rewriter rewriter_;
  std::vector<Started> started_;
  std::map<Value, Value> means_;  // of values of the old graph
};

}  // namespace

Program reduce(const Program& program) {
  for (int id = 0; id < program.graph->size(); ++id)
    if (program.graph->node(id).as<Optimize>() != nullptr) return Reducer(program).run(id);
  throw InternalError("graph", "several ranks share a training alone, and this one updates nothing");
}

}  // namespace xf
