#include "weights/import.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "engine/core/error.h"
#include "engine/core/rng.h"
#include "engine/io/atomic_file.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/test_data.h"
#include "tests/weights/keras_file.h"
#include "tests/weights/narrow_models.h"

using namespace xf::weights;
using xf::test::inception_v3_tensors;
using xf::test::KerasFile;
using xf::test::narrow_inception_v3;
using xf::test::TemporaryFolder;
using Texts = std::vector<std::string>;

namespace {

constexpr int64_t kNarrow = 16;

/// Every element where the file had it: OHWI here, HWIO there.
void check_values(const std::vector<NamedShape>& wanted, const Loaded& loaded) {
  for (size_t k = 0; k < wanted.size(); ++k) {
    const xf::Tensor& t = loaded.tensors.at(wanted[k].name);
    REQUIRE(t.shape() == wanted[k].shape);
    const xf::Shape s = t.shape();
    const bool kernel = s.n > 1 || s.rows() > 1 || wanted[k].name.ends_with("conv.weight");
    size_t wrong = 0, at = 0;
    for (int64_t o = 0; o < s.n; ++o) {
      for (int64_t i = 0; i < s.h * s.w * s.c; ++i, ++at) {
        const size_t in_file = kernel ? static_cast<size_t>(i * s.n + o) : at;
        wrong += t.as<float>()[at] != xf::test::numbered_value(k, in_file) ? 1 : 0;
      }
    }
    REQUIRE_MESSAGE(wrong == 0, wanted[k].name);
  }
}

std::string message_of(const std::filesystem::path& path, const std::vector<NamedShape>& wanted,
                       Top top = Top::loaded, const char* network = "inception_v3") {
  try {
    load(path, network, wanted, top);
  } catch (const xf::DataError& error) {
    return error.what();
  }
  return "no error";
}

bool has(const std::string& text, const std::string& part) {
  CAPTURE(text);
  CHECK(text.find(part) != std::string::npos);
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("layers are mapped by number, in any order and under any numbering") {
  const TemporaryFolder folder;
  const auto wanted = inception_v3_tensors(kNarrow, 5);
  for (const xf::test::KerasNaming& naming : {xf::test::KerasNaming{1, ":0"}, {0, ":0"}, {94, ""}, {0, ""}}) {
    CAPTURE(naming.first);
    KerasFile file = narrow_inception_v3(kNarrow, 5, naming);
    for (int round = 0; round < 2; ++round) {
      file.write(folder / "w.h5");
      check_values(wanted, load(folder / "w.h5", "inception_v3", wanted, Top::loaded));
      xf::Rng(7).shuffle(file.layer_names);
    }
  }
}

TEST_CASE("a whole model's file and a model used as a layer") {
  const TemporaryFolder folder;
  const auto wanted = inception_v3_tensors(kNarrow, 5);
  const KerasFile file = narrow_inception_v3(kNarrow, 5);
  file.write(folder / "model.h5", "/model_weights");
  check_values(wanted, load(folder / "model.h5", "inception_v3", wanted, Top::loaded));

  KerasFile nested;
  nested.layer_names = {"inception_v3", "predictions"};
  nested.layers["predictions"] = file.layers.at("predictions");
  for (const auto& [name, tensors] : file.layers) {
    if (name == "predictions") continue;
    for (const auto& t : tensors) nested.layers["inception_v3"].push_back(t);
  }
  nested.write(folder / "nested.h5");
  check_values(wanted, load(folder / "nested.h5", "inception_v3", wanted, Top::loaded));
}

TEST_CASE("the classifier is loaded, replaced, or absent") {
  const TemporaryFolder folder;
  narrow_inception_v3(kNarrow, 5).write(folder / "top.h5");
  narrow_inception_v3(kNarrow, 0).write(folder / "notop.h5");
  CHECK(probe(folder / "top.h5").top_classes == 5);
  CHECK_FALSE(probe(folder / "notop.h5").top_classes);
  const auto three = inception_v3_tensors(kNarrow, 3);
  const Loaded replaced = load(folder / "top.h5", "inception_v3", three, Top::replaced);
  CHECK(replaced.ignored == Texts{"predictions/kernel:0", "predictions/bias:0"});
  CHECK(replaced.tensors.count("fc.weight") == 0);
  CHECK(load(folder / "notop.h5", "inception_v3", three, Top::replaced).ignored.empty());
  has(message_of(folder / "top.h5", three), "predictions/kernel:0 (fc.weight): is 128x5, should be 128x3");
  has(message_of(folder / "notop.h5", three), "fc/kernel (fc.weight): missing");
}

TEST_CASE("scales that a file does not have are 1") {
  const TemporaryFolder folder;
  narrow_inception_v3(kNarrow, 0).write(folder / "w.h5");
  const auto wanted = inception_v3_tensors(kNarrow, 0, xf::test::Gamma::present);
  const Loaded loaded = load(folder / "w.h5", "inception_v3", wanted, Top::replaced);
  CHECK(loaded.tensors.size() == wanted.size());
  for (const float x : loaded.tensors.at("Mixed_7c.branch_pool.bn.weight").as<float>()) CHECK(x == 1.0F);
}

TEST_CASE("everything that is wrong is listed at once") {
  const TemporaryFolder folder;
  const auto wanted = inception_v3_tensors(kNarrow, 0);
  KerasFile file = narrow_inception_v3(kNarrow, 0);
  file.left_out = "conv2d_4/kernel:0";  // listed, not there
  file.layer_names.erase(
      std::find(file.layer_names.begin(), file.layer_names.end(), "conv2d_30"));  // not listed
  file.layers["batch_normalization_7"][0].values[2] = std::numeric_limits<float>::quiet_NaN();
  file.layers["batch_normalization_8"][1].values[0] = std::numeric_limits<float>::infinity();
  std::swap(file.layers["conv2d_9"][0].dims[2], file.layers["conv2d_9"][0].dims[3]);
  file.layers["conv2d_10"].push_back({"conv2d_10/bias:0", {1}, {0}});
  file.write(folder / "w.h5");
  const std::string text = message_of(folder / "w.h5", wanted);
  has(text, "w.h5: 6 of its tensors cannot be used for inception_v3");
  has(text, "conv2d_4/kernel:0 (Conv2d_3b_1x1.conv.weight): missing");
  has(text, "conv2d_30/kernel (Mixed_6a.branch3x3dbl_3.conv.weight): missing");
  has(text, "conv2d_9/kernel:0 (Mixed_5b.branch3x3dbl_1.conv.weight): is 1x1x4x12, should be 1x1x12x4");
  has(text, "conv2d_10/bias:0: left over");
  has(text,
      "batch_normalization_7/beta:0 (Mixed_5b.branch5x5_1.bn.bias): a value is not finite, the first at "
      "index 2");
  has(text, "batch_normalization_8/moving_mean:0");
}

TEST_CASE("a long list is cut") {
  const TemporaryFolder folder;
  KerasFile file = narrow_inception_v3(kNarrow, 0);
  for (auto& [name, tensors] : file.layers) {
    for (auto& t : tensors) t.values[0] = std::nanf("");
  }
  file.write(folder / "w.h5");
  const std::string text = message_of(folder / "w.h5", inception_v3_tensors(kNarrow, 0));
  has(text, "376 of its tensors");
  has(text, "and 356 more");
  CHECK(std::count(text.begin(), text.end(), '\n') == 21);
}

TEST_CASE("files that are no weights of this network") {
  const TemporaryFolder folder;
  const auto wanted = inception_v3_tensors(kNarrow, 0);
  xf::test::write_state_dict(folder / "vgg.h5",
                             xf::test::narrow_model("vgg16", xf::torchvision_dialect("vgg16"), 5));
  has(message_of(folder / "vgg.h5", wanted), "vgg.h5: holds the weights of vgg16, not of inception_v3");
  KerasFile xception;
  xception.layer_names = {"block14_sepconv2"};
  xception.layers["block14_sepconv2"] = {{"block14_sepconv2/depthwise_kernel:0", {1}, {0}}};
  xception.write(folder / "x.h5");
  has(message_of(folder / "x.h5", wanted), "x.h5: holds the weights of xception, not of inception_v3");
  CHECK(probe(folder / "x.h5").network == "xception");
  {
    xf::hdf5::Writer w(folder / "data.h5");
    w.group("/x");
    w.commit();
  }
  has(message_of(folder / "data.h5", wanted), "data.h5: holds no weights");
  xf::io::write_file(folder / "text.h5", "hello");
  has(message_of(folder / "text.h5", wanted), "text.h5: is not an HDF5 file");
  narrow_inception_v3(kNarrow, 0).write(folder / "w.h5");
  const std::string whole = xf::test::content(folder / "w.h5");
  xf::io::write_file(folder / "cut.h5", whole.substr(0, whole.size() / 2));
  has(message_of(folder / "cut.h5", wanted), "cut.h5: is truncated");
  CHECK_THROWS_AS(probe(folder / "gone.h5"), xf::MissingInputError);
}

TEST_CASE("a real trunk") {
  const auto path = xf::test::data_path("inception_v3_trunk.h5");
  if (!path) return;
  const FileInfo info = probe(*path);
  CHECK(info.network == "inception_v3");
  CHECK(info.writer == "2.2.4");
  REQUIRE(info.dialect);
  xf::Dialect expected = xf::keras_dialect("inception_v3");
  expected.preprocess.reset();
  CHECK(*info.dialect == expected);
  const auto wanted = inception_v3_tensors(1, 3);
  const Loaded loaded = load(*path, "inception_v3", wanted, Top::replaced);
  CHECK(loaded.tensors.size() == 376);
  // HWIO in the file, OHWI here.
  const auto raw = xf::hdf5::File(*path).read<float>("/conv2d_94/conv2d_94/kernel:0");
  const auto ours = loaded.tensors.at("Mixed_7c.branch_pool.conv.weight").as<float>();
  REQUIRE(raw.size() == ours.size());
  CHECK(ours[5 * 2048 + 77] == raw[77 * 192 + 5]);
}

TEST_CASE("a real file of a network with other layers") {
  const auto vgg = xf::test::data_path("vgg16_notop.h5"),
             merged = xf::test::data_path("keras_full_model_merged_view.h5");
  if (!vgg || !merged) return;
  CHECK(probe(*vgg).network == "vgg16");
  CHECK(probe(*merged).network == "merged_view");
  has(message_of(*vgg, inception_v3_tensors(1, 0)), "holds the weights of vgg16, not of inception_v3");
  has(message_of(*merged, inception_v3_tensors(1, 0)), "holds the weights of merged_view");
}
