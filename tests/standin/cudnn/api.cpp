// cuDNN's C interface as far as handles and its graph API go, with its own prototypes.

#include <cudnn.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "tests/standin/cudnn/calls.h"
#include "tests/standin/cudnn/descriptor.h"
#include "tests/standin/cudnn/execute.h"
#include "tests/standin/cudnn/library.h"
#include "tests/standin/device.h"

using namespace xf::standin;
using namespace xf::standin::cudnn;

namespace {

// What a cudnnBackendDescriptor_t points to. The library fills descriptors that the caller made, so that they
// share.
struct Handle {
  DescriptorPtr descriptor;
};

std::map<const void*, std::unique_ptr<Handle>>& handles() {
  static std::map<const void*, std::unique_ptr<Handle>> all;
  return all;
}
std::map<const void*, std::unique_ptr<cudnnContext>>& contexts() {
  static std::map<const void*, std::unique_ptr<cudnnContext>> all;
  return all;
}

Handle& handle_of(cudnnBackendDescriptor_t d) {
  require(d != nullptr, "a descriptor is null", CUDNN_STATUS_BAD_PARAM_NULL_POINTER);
  const auto it = handles().find(d);
  require(it != handles().end(), "a descriptor was destroyed, or never made");
  return *it->second;
}

}  // namespace

std::string& xf::standin::cudnn::last_message() {
  static thread_local std::string message;
  return message;
}

cudnnContext& xf::standin::cudnn::context_of(cudnnHandle_t h) {
  require(h != nullptr, "the handle is null", CUDNN_STATUS_BAD_PARAM_NULL_POINTER);
  require(contexts().contains(h), "the handle was destroyed, or never made");
  return *h;
}

size_t xf::standin::cudnn::version() {
  return machine().cudnn_version != 0 ? machine().cudnn_version : CUDNN_VERSION;
}

extern "C" {

size_t cudnnGetVersion() { return version(); }
size_t cudnnGetMaxDeviceVersion() { return CUDNN_MAX_DEVICE_VERSION; }
size_t cudnnGetCudartVersion() { return CUDART_VERSION; }

cudnnStatus_t cudnnGetProperty(libraryPropertyType type, int* value) {
  const auto v = static_cast<int>(version());
  switch (type) {
    case MAJOR_VERSION: *value = v / 10000; return CUDNN_STATUS_SUCCESS;
    case MINOR_VERSION: *value = v / 100 % 100; return CUDNN_STATUS_SUCCESS;
    case PATCH_LEVEL: *value = v % 100; return CUDNN_STATUS_SUCCESS;
    default: return CUDNN_STATUS_BAD_PARAM;
  }
}
cudnnStatus_t cudnnGraphVersionCheck() { return CUDNN_STATUS_SUCCESS; }

const char* cudnnGetErrorString(cudnnStatus_t status) {
  switch (status) {
    case CUDNN_STATUS_SUCCESS: return "CUDNN_STATUS_SUCCESS";
    case CUDNN_STATUS_NOT_INITIALIZED: return "CUDNN_STATUS_NOT_INITIALIZED";
    case CUDNN_STATUS_SERIALIZATION_VERSION_MISMATCH: return "CUDNN_STATUS_SERIALIZATION_VERSION_MISMATCH";
    case CUDNN_STATUS_BAD_PARAM: return "CUDNN_STATUS_BAD_PARAM";
    case CUDNN_STATUS_BAD_PARAM_NULL_POINTER: return "CUDNN_STATUS_BAD_PARAM_NULL_POINTER";
    case CUDNN_STATUS_BAD_PARAM_MISALIGNED_POINTER: return "CUDNN_STATUS_BAD_PARAM_MISALIGNED_POINTER";
    case CUDNN_STATUS_BAD_PARAM_NOT_FINALIZED: return "CUDNN_STATUS_BAD_PARAM_NOT_FINALIZED";
    case CUDNN_STATUS_BAD_PARAM_OUT_OF_BOUND: return "CUDNN_STATUS_BAD_PARAM_OUT_OF_BOUND";
    case CUDNN_STATUS_BAD_PARAM_SIZE_INSUFFICIENT: return "CUDNN_STATUS_BAD_PARAM_SIZE_INSUFFICIENT";
    case CUDNN_STATUS_BAD_PARAM_DUPLICATED_ENTRIES: return "CUDNN_STATUS_BAD_PARAM_DUPLICATED_ENTRIES";
    case CUDNN_STATUS_BAD_PARAM_ATTRIBUTE_TYPE: return "CUDNN_STATUS_BAD_PARAM_ATTRIBUTE_TYPE";
    case CUDNN_STATUS_NOT_SUPPORTED: return "CUDNN_STATUS_NOT_SUPPORTED";
    case CUDNN_STATUS_NOT_SUPPORTED_DATA_TYPE: return "CUDNN_STATUS_NOT_SUPPORTED_DATA_TYPE";
    default: return "CUDNN_STATUS of the stand-in";
  }
}
void cudnnGetLastErrorString(char* message, size_t size) {
  if (size == 0) return;
  std::strncpy(message, last_message().c_str(), size - 1);
  message[size - 1] = '\0';
  last_message().clear();
}

cudnnStatus_t cudnnCreate(cudnnHandle_t* handle) {
  if (machine().driver_version < CUDART_VERSION || machine().devices == 0)
    return CUDNN_STATUS_NOT_INITIALIZED;
  auto context = std::make_unique<cudnnContext>();
  *handle = context.get();
  contexts()[*handle] = std::move(context);
  return CUDNN_STATUS_SUCCESS;
}
cudnnStatus_t cudnnDestroy(cudnnHandle_t handle) {
  return guarded([&] {
    context_of(handle);
    contexts().erase(handle);
  });
}
cudnnStatus_t cudnnSetStream(cudnnHandle_t handle, cudaStream_t stream) {
  return guarded([&] { context_of(handle).stream = stream; });
}
cudnnStatus_t cudnnGetStream(cudnnHandle_t handle, cudaStream_t* stream) {
  return guarded([&] { *stream = context_of(handle).stream; });
}

cudnnStatus_t cudnnBackendCreateDescriptor(cudnnBackendDescriptorType_t type,
                                           cudnnBackendDescriptor_t* descriptor) {
  return guarded([&] {
    auto handle = std::make_unique<Handle>(Handle{std::make_shared<Descriptor>(type)});
    *descriptor = handle.get();
    handles()[*descriptor] = std::move(handle);
  });
}
cudnnStatus_t cudnnBackendDestroyDescriptor(cudnnBackendDescriptor_t descriptor) {
  return guarded([&] {
    handle_of(descriptor);
    handles().erase(descriptor);
  });
}
cudnnStatus_t cudnnBackendSetAttribute(cudnnBackendDescriptor_t descriptor, cudnnBackendAttributeName_t name,
                                       cudnnBackendAttributeType_t type, int64_t count,
                                       const void* elements) {
  return guarded([&] {
    Descriptor& d = *handle_of(descriptor).descriptor;
    require(count >= 0 && (elements != nullptr || count == 0), "set: a null array");
    Attribute a{type, count, {}, {}};
    const auto* first = static_cast<const char*>(elements);
    if (type == CUDNN_TYPE_BACKEND_DESCRIPTOR)
      for (int64_t i = 0; i < count; ++i)
        a.descriptors.push_back(
            handle_of(static_cast<const cudnnBackendDescriptor_t*>(elements)[i]).descriptor);
    else
      a.bytes.assign(first, first + static_cast<size_t>(count) * size_of(type));
    d.set(name, std::move(a));
  });
}
cudnnStatus_t cudnnBackendGetAttribute(cudnnBackendDescriptor_t descriptor, cudnnBackendAttributeName_t name,
                                       cudnnBackendAttributeType_t type, int64_t requested, int64_t* count,
                                       void* elements) {
  return guarded([&] {
    const Descriptor& d = *handle_of(descriptor).descriptor;
    require(d.finalized(), "get: the descriptor is not finalized", CUDNN_STATUS_NOT_INITIALIZED);
    attribute_rule(d.type(), name);
    const Attribute* a = d.find(name);
    require(a != nullptr, "get: attribute " + std::to_string(name) + " is not set",
            CUDNN_STATUS_NOT_SUPPORTED);
    require(a->type == type, "get: attribute " + std::to_string(name) + " has another type",
            CUDNN_STATUS_BAD_PARAM_ATTRIBUTE_TYPE);
    const bool asks_count = requested == 0 || elements == nullptr;
    const int64_t n = asks_count ? a->count : std::min(requested, a->count);
    if (count != nullptr) *count = n;
    if (asks_count) return;
    if (type != CUDNN_TYPE_BACKEND_DESCRIPTOR) {
      if (n > 0) std::memcpy(elements, a->bytes.data(), static_cast<size_t>(n) * size_of(type));
      return;
    }
    for (int64_t i = 0; i < n; ++i) {
      Handle& to = handle_of(static_cast<cudnnBackendDescriptor_t*>(elements)[i]);
      const DescriptorPtr& from = a->descriptors[static_cast<size_t>(i)];
      require(to.descriptor->type() == from->type(), "get: the caller makes the descriptors to be filled");
      to.descriptor = from;
    }
  });
}
cudnnStatus_t cudnnBackendFinalize(cudnnBackendDescriptor_t descriptor) {
  return guarded([&] { handle_of(descriptor).descriptor->finalize(); });
}
cudnnStatus_t cudnnBackendExecute(cudnnHandle_t handle, cudnnBackendDescriptor_t plan,
                                  cudnnBackendDescriptor_t pack) {
  return guarded(
      [&] { execute(context_of(handle).stream, *handle_of(plan).descriptor, *handle_of(pack).descriptor); });
}

}  // extern "C"
