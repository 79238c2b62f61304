// Files that cannot be used: each gives a DataError that names the tensor.

#include <doctest/doctest.h>
#include <hdf5.h>

#include <functional>
#include <limits>
#include <string>

#include "engine/core/error.h"
#include "engine/io/atomic_file.h"
#include "tests/support/temporary_folder.h"
#include "tests/weights/narrow_models.h"
#include "weights/inspect.h"

using namespace xf::weights;
using xf::test::TemporaryFolder;

namespace {

std::vector<NamedShape> narrow_resnet() {
  return model_tensors("resnet18_narrow", xf::torchvision_dialect("resnet18_narrow"), 5);
}

/// A state dict of resnet18_narrow, then changed by HDF5's own calls.
void write_changed(const std::filesystem::path& path, const std::function<void(hid_t)>& change) {
  xf::test::write_state_dict(path, narrow_resnet());
  const hid_t file = H5Fopen(path.c_str(), H5F_ACC_RDWR, H5P_DEFAULT);
  REQUIRE(file >= 0);
  change(file);
  H5Fclose(file);
}

void put(hid_t file, const char* name, hid_t type, std::initializer_list<hsize_t> dims) {
  H5Ldelete(file, name, H5P_DEFAULT);
  const hid_t space = H5Screate_simple(static_cast<int>(dims.size()), dims.begin(), nullptr);
  const hid_t data = H5Dcreate2(file, name, type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  REQUIRE(data >= 0);
  H5Dclose(data);
  H5Sclose(space);
}

std::string message_of(const std::filesystem::path& path) {
  try {
    load(path, "resnet18_narrow", narrow_resnet(), Top::loaded);
  } catch (const xf::DataError& error) {
    return error.what();
  }
  return "no error";
}

void check_says(const std::string& text, const std::string& part) {
  CAPTURE(text);
  CHECK(text.find(part) != std::string::npos);
}

constexpr const char* kTensor = "layer1.0.conv1.weight";

}  // namespace

TEST_CASE("tensors of other types") {
  const TemporaryFolder folder;
  const hid_t half = H5Tcopy(H5T_IEEE_F32LE);
  H5Tset_fields(half, 15, 10, 5, 0, 10);
  H5Tset_size(half, 2);
  H5Tset_ebias(half, 15);
  const std::pair<hid_t, const char*> types[] = {{half, "is f16, should be f32"},
                                                 {H5T_IEEE_F64LE, "is f64, should be f32"},
                                                 {H5T_STD_I32LE, "is i32, should be f32"},
                                                 {H5T_C_S1, "is text, should be f32"}};
  for (const auto& bad : types) {
    write_changed(folder / "w.h5", [&](hid_t f) { put(f, kTensor, bad.first, {16, 16, 3, 3}); });
    check_says(message_of(folder / "w.h5"), std::string(kTensor) + " (" + kTensor + "): " + bad.second);
  }
  H5Tclose(half);
}

TEST_CASE("extents that cannot be, and tensors without data") {
  const TemporaryFolder folder;
  write_changed(folder / "w.h5", [](hid_t f) {
    put(f, kTensor, H5T_IEEE_F32LE, {hsize_t{1} << 40, 16, 3, 3});
    put(f, "layer1.0.conv2.weight", H5T_IEEE_F32LE, {});
  });
  const std::string text = message_of(folder / "w.h5");
  check_says(text, "layer1.0.conv1.weight): is 1099511627776x16x3x3, should be 16x16x3x3");
  check_says(text, "layer1.0.conv2.weight): is a single number, should be 16x16x3x3");
  CHECK_THROWS_WITH_AS(inspect(folder / "w.h5"), doctest::Contains(kTensor), xf::DataError);
  write_changed(folder / "w.h5", [](hid_t f) {
    put(f, kTensor, H5T_IEEE_F32LE, {hsize_t{1} << 62, 4, 3, 3});
  });
  check_says(message_of(folder / "w.h5"), "/layer1.0.conv1.weight: has impossible dimensions");
  write_changed(folder / "w.h5", [](hid_t f) { put(f, kTensor, H5T_IEEE_F32LE, {16, 16, 3, 3}); });
  check_says(message_of(folder / "w.h5"), "/layer1.0.conv1.weight: claims 2304 elements and holds none");
}

TEST_CASE("links that lead in circles or nowhere") {
  const TemporaryFolder folder;
  write_changed(folder / "w.h5", [](hid_t f) {
    const hid_t group = H5Gcreate2(f, "ring", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    H5Lcreate_hard(group, ".", group, "again", H5P_DEFAULT, H5P_DEFAULT);
    H5Lcreate_hard(f, "/", group, "root", H5P_DEFAULT, H5P_DEFAULT);
    H5Gclose(group);
    H5Lcreate_soft("/loop", f, "loop", H5P_DEFAULT, H5P_DEFAULT);
    H5Lcreate_soft("/nowhere", f, "dangling", H5P_DEFAULT, H5P_DEFAULT);
  });
  CHECK(message_of(folder / "w.h5") == "no error");
  write_changed(folder / "w.h5", [](hid_t f) {
    H5Ldelete(f, kTensor, H5P_DEFAULT);
    H5Lcreate_soft("/loop", f, kTensor, H5P_DEFAULT, H5P_DEFAULT);
  });
  check_says(message_of(folder / "w.h5"), "layer1.0.conv1.weight): missing");

  // The same below Keras's two roots.
  for (const char* root : {"layers", "model_weights"}) {
    const hid_t file = H5Fcreate((folder / "k.h5").c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    const hid_t group = H5Gcreate2(file, root, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    H5Lcreate_hard(group, ".", group, "layers", H5P_DEFAULT, H5P_DEFAULT);
    H5Lcreate_soft(".", group, "vars", H5P_DEFAULT, H5P_DEFAULT);
    H5Gclose(group);
    H5Fclose(file);
    CHECK_THROWS_AS(probe(folder / "k.h5"), xf::DataError);
  }
}

TEST_CASE("attributes of the wrong type") {
  const TemporaryFolder folder;
  const auto write = [&](const std::function<void(xf::hdf5::Writer&)>& change) {
    xf::hdf5::Writer w(folder / "w.h5");
    w.dataset<float>("/conv1/conv1/kernel:0", std::vector<int64_t>{1}, std::vector<float>{0});
    w.dataset<float>("/layers/conv2d/vars/0", std::vector<int64_t>{1}, std::vector<float>{0});
    change(w);
    w.commit();
    try {
      probe(folder / "w.h5");
    } catch (const xf::DataError& error) {
      return std::string(error.what());
    }
    return std::string("no error");
  };
  using W = xf::hdf5::Writer;
  check_says(write([](W& w) { w.attribute("/", "layer_names", 3.0); }),
             "/: attribute layer_names is not text");
  check_says(write([](W& w) {
               w.attribute("/", "layer_names", std::vector<std::string>{"conv1"});
               w.attribute("/conv1", "weight_names", 3.0);
             }),
             "/conv1: attribute weight_names is not text");
  check_says(write([](W& w) {
               w.attribute("/", "layer_names", std::vector<std::string>{"conv1"});
               w.attribute("/", "keras_version", 2.0);
             }),
             "/: attribute keras_version is not text");
  check_says(write([](W& w) { w.attribute("/layers/conv2d/vars", "name", 1.0); }),
             "/layers/conv2d/vars: attribute name is not text");
}

TEST_CASE("a kernel that is not square, transposed, and a layer too many") {
  const TemporaryFolder folder;
  auto model = xf::test::narrow_model("inception_v3", xf::torchvision_dialect("inception_v3"), 5);
  const auto wanted = model;
  for (NamedShape& t : model)
    if (t.name == "Mixed_6b.branch7x7_2.conv.weight") std::swap(t.shape.h, t.shape.w);
  model.push_back({"extra.weight", {2, 1, 1, 2}});
  xf::test::write_state_dict(folder / "w.h5", model);
  try {
    load(folder / "w.h5", "inception_v3", wanted, Top::loaded);
    FAIL("was loaded");
  } catch (const xf::DataError& error) {
    check_says(
        error.what(),
        "Mixed_6b.branch7x7_2.conv.weight (Mixed_6b.branch7x7_2.conv.weight): is 8x8x7x1, should be 8x8x1x7");
    check_says(error.what(), "extra.weight: left over, no tensor of the network");
  }
}

TEST_CASE("a scale factor of Caffe's that is none") {
  const TemporaryFolder folder;
  for (const float factor : {0.0F, std::numeric_limits<float>::infinity()}) {
    xf::hdf5::Writer w(folder / "w.h5");
    w.dataset<float>("/conv1/7x7_s2/bn/0", std::vector<int64_t>{4}, std::vector<float>(4));
    w.dataset<float>("/conv1/7x7_s2/bn/1", std::vector<int64_t>{4}, std::vector<float>(4));
    w.dataset<float>("/conv1/7x7_s2/bn/2", std::vector<int64_t>{1}, std::vector<float>{factor});
    w.commit();
    const std::vector<NamedShape> wanted{{"conv1_7x7_s2_bn.running_mean", xf::vector_shape(4)},
                                         {"conv1_7x7_s2_bn.running_var", xf::vector_shape(4)}};
    CHECK_THROWS_WITH_AS(
        load(folder / "w.h5", "inception_v2", wanted, Top::loaded),
        doctest::Contains("conv1/7x7_s2/bn/0 (conv1_7x7_s2_bn.running_mean): cannot be divided by "
                          "conv1/7x7_s2/bn/2"),
        xf::DataError);
  }
}

TEST_CASE("a file cut anywhere") {
  const TemporaryFolder folder;
  xf::test::write_state_dict(folder / "whole.h5", narrow_resnet());
  const std::string whole = xf::test::content(folder / "whole.h5");
  for (int tenth = 0; tenth < 10; ++tenth) {
    xf::io::write_file(folder / "cut.h5", whole.substr(0, whole.size() * static_cast<size_t>(tenth) / 10));
    check_says(message_of(folder / "cut.h5"), "cut.h5: ");
  }
  xf::io::write_file(folder / "cut.h5", whole.substr(0, whole.size() - 1));
  check_says(message_of(folder / "cut.h5"), "cut.h5: is truncated");
}
