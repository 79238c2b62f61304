#include "kernels/cuda/recording.h"

#include <cuda_runtime_api.h>

#include "engine/core/log.h"
#include "kernels/cuda/check.h"

namespace xf::cuda {
namespace {

using Graph = std::unique_ptr<CUgraph_st, decltype(&cudaGraphDestroy)>;

class GraphRecording final : public Recording {
 public:
  explicit GraphRecording(cudaGraphExec_t graph) : graph_(graph) {}
  ~GraphRecording() override { cudaGraphExecDestroy(graph_); }
  GraphRecording(const GraphRecording&) = delete;
  GraphRecording& operator=(const GraphRecording&) = delete;

  void replay(Stream& stream) override {
    check(cudaGraphLaunch(graph_, cuda_stream(stream).use()), "cudaGraphLaunch");
  }

 private:
  cudaGraphExec_t graph_;
};

// Ends a capture whatever happens.
class Capture {
 public:
  explicit Capture(cudaStream_t stream) : stream_(stream) {
    // Other threads (the loader's) may go on calling CUDA meanwhile.
    check(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal), "cudaStreamBeginCapture");
  }
  ~Capture() {
    if (stream_ != nullptr) end();
  }
  Capture(const Capture&) = delete;
  Capture& operator=(const Capture&) = delete;

  cudaError_t end() {
    cudaGraph_t graph = nullptr;
    const cudaError_t status = cudaStreamEndCapture(stream_, &graph);
    graph_.reset(graph);
    stream_ = nullptr;
    return status;
  }
  [[nodiscard]] cudaGraph_t graph() const { return graph_.get(); }

 private:
  cudaStream_t stream_;
  Graph graph_{nullptr, &cudaGraphDestroy};
};

}  // namespace

std::unique_ptr<Recording> record(CudaStream& stream, const std::function<void()>& work) {
  Capture capture(stream.use());
  work();
  cudaError_t status = capture.end();
  cudaGraphExec_t executable = nullptr;
  if (status == cudaSuccess) status = cudaGraphInstantiate(&executable, capture.graph(), 0);
  if (status == cudaSuccess) return std::make_unique<GraphRecording>(executable);
  cudaGetLastError();  // so that the next call does not report it again
  log::warning("CUDA: a step cannot be captured as one graph ({}); its kernels are started one by one",
               cudaGetErrorString(status));
  return nullptr;
}

}  // namespace xf::cuda
