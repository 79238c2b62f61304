// The part of the CUDA runtime that the backend calls, with CUDA's own prototypes, on host memory.

#include <cuda_runtime_api.h>
#include <sys/mman.h>

#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <utility>

#include "kernels/simt/launch.h"
#include "tests/standin/device.h"
#include "tests/standin/streams.h"

using namespace xf::standin;

namespace {

constexpr int kGreatestPriority = -5;

cudaError_t last_error = cudaSuccess;

cudaError_t status(cudaError_t error) {
  if (error != cudaSuccess) last_error = error;
  return error;
}

cudaError_t driver_status() {
  if (machine().driver_version < CUDART_VERSION) return cudaErrorInsufficientDriver;
  return machine().devices == 0 ? cudaErrorNoDevice : cudaSuccess;
}

bool capturing(cudaStream_t stream) { return stream_of(stream).capture != nullptr; }

// What may not be called while `stream` is captured, and spoils the capture.
cudaError_t not_in_capture(cudaStream_t stream) {
  stream_of(stream).capture->invalid = true;
  return status(cudaErrorStreamCaptureUnsupported);
}

bool fits(const void* p, size_t bytes, bool device) {
  return device ? device_memory().holds(p, bytes) : !device_memory().is_device_address(p);
}

// Page-locked memory of the host: its pieces and their bytes.
std::map<void*, size_t>& host_pieces() {
  static std::map<void*, size_t> all;
  return all;
}

// Kernels of the .cu sources go where other work goes.
const bool kLaunchesAreQueued = [] {
  xf::simt::set_queue([](void* stream, std::function<void()> work) {
    enqueue(static_cast<cudaStream_t>(stream), std::move(work));
  });
  return true;
}();

}  // namespace

extern "C" {

cudaError_t cudaGetLastError() { return std::exchange(last_error, cudaSuccess); }
cudaError_t cudaPeekAtLastError() { return last_error; }
const char* cudaGetErrorString(cudaError_t error) {
  return error == cudaSuccess ? "no error" : "an error of the stand-in";
}
const char* cudaGetErrorName(cudaError_t error) {
  switch (error) {
    case cudaSuccess: return "cudaSuccess";
    case cudaErrorInvalidValue: return "cudaErrorInvalidValue";
    case cudaErrorMemoryAllocation: return "cudaErrorMemoryAllocation";
    case cudaErrorInvalidConfiguration: return "cudaErrorInvalidConfiguration";
    case cudaErrorInsufficientDriver: return "cudaErrorInsufficientDriver";
    case cudaErrorNoDevice: return "cudaErrorNoDevice";
    case cudaErrorStreamCaptureUnsupported: return "cudaErrorStreamCaptureUnsupported";
    case cudaErrorStreamCaptureUnjoined: return "cudaErrorStreamCaptureUnjoined";
    case cudaErrorStreamCaptureInvalidated: return "cudaErrorStreamCaptureInvalidated";
    default: return "cudaError";
  }
}

// --- devices

cudaError_t cudaRuntimeGetVersion(int* version) {
  *version = CUDART_VERSION;
  return cudaSuccess;
}
cudaError_t cudaDriverGetVersion(int* version) {
  *version = machine().driver_version;
  return cudaSuccess;
}
cudaError_t cudaGetDeviceCount(int* count) {
  if (const cudaError_t error = driver_status(); error != cudaSuccess) return status(error);
  *count = machine().devices;
  return cudaSuccess;
}
cudaError_t cudaSetDevice(int device) {
  if (const cudaError_t error = driver_status(); error != cudaSuccess) return status(error);
  if (device < 0 || device >= machine().devices) return status(cudaErrorInvalidDevice);
  current_device() = device;
  return cudaSuccess;
}
cudaError_t cudaGetDevice(int* device) {
  *device = current_device();
  return cudaSuccess;
}
cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int device) {
  if (device < 0 || device >= machine().devices) return status(cudaErrorInvalidDevice);
  *properties = {};
  std::strncpy(properties->name, "Stand-in", sizeof properties->name - 1);
  properties->major = machine().compute_major;
  properties->minor = machine().compute_minor;
  properties->totalGlobalMem = machine().memory_bytes;
  properties->multiProcessorCount = 4;
  properties->uuid.bytes[0] = static_cast<char>(1 + device);
  return cudaSuccess;
}
cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr attribute, int /*device*/) {
  switch (attribute) {
    case cudaDevAttrComputeCapabilityMajor: *value = machine().compute_major; return cudaSuccess;
    case cudaDevAttrComputeCapabilityMinor: *value = machine().compute_minor; return cudaSuccess;
    case cudaDevAttrMultiProcessorCount: *value = 4; return cudaSuccess;
    default: return status(cudaErrorInvalidValue);
  }
}

// --- memory

cudaError_t cudaMalloc(void** p, size_t bytes) {
  *p = bytes == 0 ? nullptr : device_memory().take(bytes);
  return status(bytes == 0 || *p != nullptr ? cudaSuccess : cudaErrorMemoryAllocation);
}
cudaError_t cudaFree(void* p) {
  if (p == nullptr) return cudaSuccess;
  drain_all();  // as CUDA does
  return status(device_memory().give_back(p) ? cudaSuccess : cudaErrorInvalidValue);
}
cudaError_t cudaMallocHost(void** p, size_t bytes) {
  void* memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return status(cudaErrorMemoryAllocation);
  host_pieces()[memory] = bytes;
  *p = memory;
  return cudaSuccess;
}
cudaError_t cudaFreeHost(void* p) {
  // Not awaited, and not given to anybody else: a copy that is late faults.
  const auto piece = host_pieces().extract(p);
  if (piece.empty()) return status(p == nullptr ? cudaSuccess : cudaErrorInvalidValue);
  constexpr int kNothing = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED;
  return status(mmap(p, piece.mapped(), PROT_NONE, kNothing, -1, 0) == p ? cudaSuccess
                                                                         : cudaErrorInvalidValue);
}
cudaError_t cudaMemGetInfo(size_t* left, size_t* all) {
  *all = machine().memory_bytes;
  *left = *all - device_memory().used();
  return cudaSuccess;
}
cudaError_t cudaMemsetAsync(void* p, int value, size_t bytes, cudaStream_t stream) {
  if (!device_memory().holds(p, bytes)) return status(cudaErrorInvalidValue);
  enqueue(stream, [=] { std::memset(p, value, bytes); });
  return cudaSuccess;
}
cudaError_t cudaMemcpyAsync(void* to, const void* from, size_t bytes, cudaMemcpyKind kind,
                            cudaStream_t stream) {
  const bool to_device = kind == cudaMemcpyHostToDevice || kind == cudaMemcpyDeviceToDevice;
  const bool from_device = kind == cudaMemcpyDeviceToHost || kind == cudaMemcpyDeviceToDevice;
  if (kind > cudaMemcpyDeviceToDevice || !fits(to, bytes, to_device) || !fits(from, bytes, from_device))
    return status(cudaErrorInvalidValue);
  enqueue(stream, [=] { std::memcpy(to, from, bytes); });
  return cudaSuccess;
}

// --- streams and events

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned /*flags*/) {
  *stream = create_stream();
  return cudaSuccess;
}
cudaError_t cudaStreamCreateWithPriority(cudaStream_t* stream, unsigned flags, int priority) {
  if (priority < kGreatestPriority || priority > 0) return status(cudaErrorInvalidValue);
  return cudaStreamCreateWithFlags(stream, flags);
}
cudaError_t cudaDeviceGetStreamPriorityRange(int* least, int* greatest) {
  *least = 0;
  *greatest = kGreatestPriority;
  return cudaSuccess;
}
cudaError_t cudaStreamCreate(cudaStream_t* stream) { return cudaStreamCreateWithFlags(stream, 0); }
cudaError_t cudaStreamDestroy(cudaStream_t stream) {
  destroy_stream(stream);
  return cudaSuccess;
}
cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
  if (capturing(stream)) return not_in_capture(stream);
  drain(stream_of(stream));
  return cudaSuccess;
}
cudaError_t cudaDeviceSynchronize() {
  drain_all();
  return cudaSuccess;
}
cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned flags) {
  *event = new CUevent_st;
  (*event)->timed = (flags & cudaEventDisableTiming) == 0;
  return cudaSuccess;
}
cudaError_t cudaEventCreate(cudaEvent_t* event) { return cudaEventCreateWithFlags(event, 0); }
cudaError_t cudaEventDestroy(cudaEvent_t event) {
  delete event;
  return cudaSuccess;
}
cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream) {
  CUstream_st& s = stream_of(stream);
  event->capture = s.capture;
  event->nodes = s.last;
  if (s.capture) return cudaSuccess;
  const auto mark = std::make_shared<Mark>();
  event->mark = mark;
  enqueue(stream, [mark] {
    mark->reached = true;
    mark->at = device_clock();
  });
  return cudaSuccess;
}
cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned /*flags*/) {
  CUstream_st& s = stream_of(stream);
  if (event->capture) {  // joins the capture
    if (s.capture && s.capture != event->capture) return status(cudaErrorStreamCaptureMerge);
    s.capture = event->capture;
    s.last.insert(s.last.end(), event->nodes.begin(), event->nodes.end());
    return cudaSuccess;
  }
  if (s.capture) {
    s.capture->invalid = true;
    return status(cudaErrorStreamCaptureIsolation);
  }
  if (event->mark) s.queue.push_back({nullptr, event->mark});
  return cudaSuccess;
}
cudaError_t cudaEventSynchronize(cudaEvent_t event) {
  if (event->mark) reach(*event->mark);
  return cudaSuccess;
}
cudaError_t cudaEventQuery(cudaEvent_t event) {
  // Time passes between two questions: something of what is queued is done.
  if (event->mark && !event->mark->reached) go_on();
  return !event->mark || event->mark->reached ? cudaSuccess : cudaErrorNotReady;
}
cudaError_t cudaEventElapsedTime(float* milliseconds, cudaEvent_t from, cudaEvent_t to) {
  if (!from->timed || !to->timed || !from->mark || !to->mark) return status(cudaErrorInvalidResourceHandle);
  if (!from->mark->reached || !to->mark->reached) return status(cudaErrorNotReady);
  *milliseconds = static_cast<float>(to->mark->at - from->mark->at);
  return cudaSuccess;
}

// --- capture

cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode /*mode*/) {
  if (stream == nullptr || capturing(stream)) return status(cudaErrorStreamCaptureUnsupported);
  stream->capture = std::make_shared<Capture>();
  stream->capture->origin = stream;
  stream->last = {};
  return cudaSuccess;
}
cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t* graph) {
  *graph = nullptr;
  const std::shared_ptr<Capture> capture = std::exchange(stream->capture, nullptr);
  if (!capture || capture->origin != stream) return status(cudaErrorIllegalState);
  const bool joined = release_joined(*capture, std::exchange(stream->last, {}));
  if (capture->invalid) return status(cudaErrorStreamCaptureInvalidated);
  if (!joined) return status(cudaErrorStreamCaptureUnjoined);
  *graph = new CUgraph_st{std::move(capture->nodes)};
  return cudaSuccess;
}
cudaError_t cudaStreamIsCapturing(cudaStream_t stream, cudaStreamCaptureStatus* s) {
  *s = capturing(stream) ? cudaStreamCaptureStatusActive : cudaStreamCaptureStatusNone;
  return cudaSuccess;
}
cudaError_t cudaGraphInstantiate(cudaGraphExec_t* executable, cudaGraph_t graph,
                                 unsigned long long /*flags*/) {
  *executable = new CUgraphExec_st{graph->nodes};
  ++graphs_made();
  return cudaSuccess;
}
cudaError_t cudaGraphLaunch(cudaGraphExec_t executable, cudaStream_t stream) {
  launch(stream, executable->nodes);
  return cudaSuccess;
}
cudaError_t cudaGraphDestroy(cudaGraph_t graph) {
  delete graph;
  return cudaSuccess;
}
cudaError_t cudaGraphExecDestroy(cudaGraphExec_t executable) {
  delete executable;
  return cudaSuccess;
}

}  // extern "C"
