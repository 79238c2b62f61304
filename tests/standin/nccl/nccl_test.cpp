// The stand-in for NCCL: what it computes, when, and what it notices; and how the backend finds it.

#include "kernels/cuda/nccl_library.h"

#include <doctest/doctest.h>

#include <cmath>
#include <exception>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "engine/core/error.h"
#include "tests/standin/device.h"
#include "tests/standin/device_array.h"
#include "tests/standin/nccl/communicator.h"
#include "tests/standin/turns.h"

namespace xf::standin {
namespace {

using cuda::load_nccl;
using cuda::NcclLibrary;

/// A rank with a stream and an array.
struct Place {
  Place(Comm& comm, std::vector<double> values) : nccl(load_nccl()) {
    check(cudaSetDevice(comm.rank()));
    stream = std::make_unique<TestStream>();
    array = std::make_unique<DeviceArray>(Element::f32, std::move(values), *stream);
    ncclUniqueId id{};
    if (comm.rank() == 0) REQUIRE(nccl.get_unique_id(&id) == ncclSuccess);
    id = all_gather(comm, id).front();
    REQUIRE(nccl.comm_init_rank(&communicator, comm.size(), id, comm.rank()) == ncclSuccess);
  }
  ~Place() {
    if (communicator == nullptr) return;
    if (std::uncaught_exceptions() > 0)
      nccl.comm_abort(communicator);
    else
      nccl.comm_destroy(communicator);
  }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;

  [[nodiscard]] float* data() const { return reinterpret_cast<float*>(array->data()); }
  [[nodiscard]] ncclResult_t reduce(size_t count, ncclRedOp_t op = ncclAvg) const {
    return nccl.all_reduce(data(), data(), count, ncclFloat32, op, communicator, *stream);
  }

  NcclLibrary nccl;
  std::unique_ptr<TestStream> stream;
  std::unique_ptr<DeviceArray> array;
  ncclComm_t communicator = nullptr;
};

std::string refusal(const char* file) {
  try {
    load_nccl(file);
  } catch (const UnavailableError& e) {
    CHECK(e.remedy().find("nvidia-nccl") != std::string::npos);
    return e.what();
  }
  return "loaded";
}

}  // namespace

TEST_CASE("NCCL is found when it is asked for, or the reason told") {
  CHECK(refusal("libnccl.so.2") == "loaded");
  CHECK(refusal("libnccl-absent.so.2")
            .find("several ranks on GPUs: NCCL cannot be loaded: libnccl-absent.so.2: ") == 0);
  CHECK(refusal("libc.so.6") == "libc.so.6: has no ncclGetVersion: it is too old");
  machine().nccl_version = 30102;
  CHECK(refusal("libnccl.so.2").find("libnccl.so.2: is version 3.1.2, and this program was built with 2.") ==
        0);
  machine().nccl_version = 0;
}

TEST_CASE("NCCL: sums and means in the order of the ranks, in place, when the stream comes to them") {
  run_ranks(3, [](Comm& comm) {
    const double mine = comm.rank() + 1;
    const Place p(comm, {mine, 10 * mine, -mine});
    CHECK(p.reduce(3, ncclSum) == ncclSuccess);
    CHECK(p.array->download(*p.stream) == std::vector<double>{6, 60, -6});
    CHECK(p.reduce(2, ncclAvg) == ncclSuccess);
    const std::vector<double> means = p.array->download(*p.stream);
    CHECK(means[0] == doctest::Approx(6).epsilon(1e-6));
    CHECK(means[2] == -6);  // not part of it
  });
}

TEST_CASE("NCCL: until all ranks have come to a reduction its result is no number") {
  run_ranks(2, [](Comm& comm) {
    const Place p(comm, {1.0 + comm.rank()});
    const TestStream other;
    if (comm.rank() == 0) {
      CHECK(p.reduce(1) == ncclSuccess);
      CHECK(p.array->download(other) == std::vector<double>{1});  // the device has not begun
      set_pace(Pace::early);
      CHECK(std::isnan(p.array->download(other)[0]));
      set_pace(Pace::late);
    }
    meet(comm);
    if (comm.rank() == 1) CHECK(p.reduce(1) == ncclSuccess);
    CHECK(p.array->download(*p.stream) == std::vector<double>{1.5});
  });
}

TEST_CASE("NCCL: a group is queued as a whole when its last end comes") {
  run_ranks(2, [](Comm& comm) {
    const Place p(comm, {1.0 + comm.rank(), 5});
    CHECK(p.nccl.group_end() == ncclInvalidUsage);
    CHECK(p.nccl.group_start() == ncclSuccess);
    CHECK(p.nccl.group_start() == ncclSuccess);
    CHECK(p.reduce(1, ncclSum) == ncclSuccess);
    CHECK(p.reduce(2, ncclSum) == ncclSuccess);
    CHECK(p.nccl.group_end() == ncclSuccess);
    CHECK(p.array->download(*p.stream) == std::vector<double>{1.0 + comm.rank(), 5});
    CHECK(p.nccl.group_end() == ncclSuccess);
    CHECK(p.array->download(*p.stream) == std::vector<double>{6, 10});
    // One that is wrong: nothing of the group is queued.
    CHECK(p.nccl.group_start() == ncclSuccess);
    CHECK(p.reduce(2) == ncclSuccess);
    CHECK(p.reduce(3) == ncclInvalidArgument);
    CHECK(p.nccl.group_end() == ncclInvalidArgument);
    CHECK(p.array->download(*p.stream) == std::vector<double>{6, 10});
  });
}

TEST_CASE("NCCL: arguments that are wrong") {
  run_ranks(2, [](Comm& comm) {
    const Place p(comm, {1, 2, 3, 4});
    const auto reduce = [&](const void* from, void* to, ncclDataType_t type, ncclRedOp_t op, ncclComm_t c,
                            cudaStream_t stream) {
      return p.nccl.all_reduce(from, to, 2, type, op, c, stream);
    };
    float host[2] = {};
    CHECK(reduce(p.data(), p.data(), ncclFloat32, ncclSum, nullptr, *p.stream) == ncclInvalidArgument);
    CHECK(reduce(nullptr, p.data(), ncclFloat32, ncclSum, p.communicator, *p.stream) == ncclInvalidArgument);
    CHECK(reduce(host, p.data(), ncclFloat32, ncclSum, p.communicator, *p.stream) == ncclInvalidArgument);
    CHECK(reduce(p.data() + 1, p.data(), ncclFloat32, ncclSum, p.communicator, *p.stream) ==
          ncclInvalidArgument);
    CHECK(reduce(p.data(), p.data(), ncclFloat64, ncclSum, p.communicator, *p.stream) == ncclInvalidArgument);
    CHECK(reduce(p.data(), p.data(), ncclFloat32, ncclMax, p.communicator, *p.stream) == ncclInvalidArgument);
    check(cudaSetDevice(1 - comm.rank()));
    const TestStream elsewhere;
    check(cudaSetDevice(comm.rank()));
    CHECK(reduce(p.data(), p.data(), ncclFloat32, ncclSum, p.communicator, elsewhere) == ncclInvalidArgument);
    CHECK(std::string(p.nccl.get_last_error(nullptr)) == "a stream of another device");
    CHECK_THROWS_AS(p.nccl.check(ncclInvalidArgument, "call"), InternalError);
    CHECK_THROWS_AS(p.nccl.check(ncclRemoteError, "call"), UnavailableError);
  });
}

TEST_CASE("NCCL: ranks that reduce different numbers of elements are noticed") {
  CHECK_THROWS_WITH_AS(run_ranks(2,
                                 [](Comm& comm) {
                                   const Place p(comm, {1, 2});
                                   CHECK(p.reduce(static_cast<size_t>(1 + comm.rank())) == ncclSuccess);
                                   p.stream->synchronize();
                                 }),
                       doctest::Contains("the ranks reduce different numbers of elements"),
                       std::runtime_error);
}

TEST_CASE("NCCL: a rank that never comes to a reduction is noticed") {
  CHECK_THROWS_WITH_AS(run_ranks(2,
                                 [](Comm& comm) {
                                   const Place p(comm, {1});
                                   if (comm.rank() == 1) CHECK(p.reduce(1) == ncclSuccess);
                                   p.stream->synchronize();
                                 }),
                       doctest::Contains("nobody will do"), std::runtime_error);
}

TEST_CASE("NCCL: ranks that have one device are refused") {
  run_ranks(2, [](Comm& comm) {
    const NcclLibrary nccl = load_nccl();
    check(cudaSetDevice(0));
    ncclUniqueId id{};
    if (comm.rank() == 0) REQUIRE(nccl.get_unique_id(&id) == ncclSuccess);
    id = all_gather(comm, id).front();
    ncclComm_t communicator = nullptr;
    CHECK(nccl.comm_init_rank(&communicator, 2, id, comm.rank()) == ncclInvalidUsage);
    CHECK(communicator == nullptr);
  });
}

TEST_CASE("NCCL: a captured reduction runs each time that its graph does") {
  run_ranks(2, [](Comm& comm) {
    const Place p(comm, {2.0 * comm.rank(), 8});
    check(cudaStreamBeginCapture(*p.stream, cudaStreamCaptureModeThreadLocal));
    CHECK(p.reduce(2, ncclSum) == ncclSuccess);
    cudaGraph_t graph = nullptr;
    check(cudaStreamEndCapture(*p.stream, &graph));
    cudaGraphExec_t step = nullptr;
    check(cudaGraphInstantiate(&step, graph, 0));
    CHECK(p.array->download(*p.stream) == std::vector<double>{2.0 * comm.rank(), 8});
    for (int time = 1; time <= 3; ++time) {
      check(cudaGraphLaunch(step, *p.stream));
      CHECK(p.array->download(*p.stream) == std::vector<double>{std::ldexp(1, time), std::ldexp(8, time)});
    }
    check(cudaGraphExecDestroy(step));
    check(cudaGraphDestroy(graph));
  });
}

TEST_CASE("NCCL: what waits for a lost rank ends when it is given up") {
  run_ranks(2, [](Comm& comm) {
    Place p(comm, {1});
    meet(comm);
    if (comm.rank() == 0) disconnect(ncclSystemError);
    meet(comm);
    CHECK(p.reduce(1) == ncclSuccess);
    ncclResult_t error = ncclSuccess;
    CHECK(p.nccl.comm_get_async_error(p.communicator, &error) == ncclSuccess);
    CHECK(error == ncclSystemError);
    CHECK_THROWS_AS(p.stream->synchronize(), std::runtime_error);
    CHECK(p.nccl.comm_abort(std::exchange(p.communicator, nullptr)) == ncclSuccess);
    p.stream->synchronize();
  });
}

}  // namespace xf::standin
