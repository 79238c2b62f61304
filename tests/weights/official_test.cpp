#include "weights/tables/official.h"

#include <doctest/doctest.h>

#include <cmath>
#include <set>

#include "tests/support/temporary_folder.h"
#include "tests/weights/narrow_models.h"
#include "weights/inspect.h"

using namespace xf::weights;

TEST_CASE("the table of official files is whole") {
  std::set<std::string_view> hashes, urls;
  for (const OfficialFile& f : official_files()) {
    CAPTURE(f.url);
    hashes.insert(f.md5);
    urls.insert(f.url);
    CHECK(f.md5.size() == 32);
    CHECK(f.file_name().starts_with(f.network));
    CHECK(f.file_name().ends_with(f.variant == "with top" ? "kernels.h5" : "kernels_notop.h5"));
    CHECK(f.preprocess == *xf::keras_dialect(f.network).preprocess);
    // A file is its numbers and a little more.
    const auto tensors = model_tensors(f.network, xf::keras_dialect(f.network), 1000);
    int64_t bytes = 0;
    for (const NamedShape& t : tensors) {
      const bool dense = t.name.starts_with("fc") || t.name.starts_with("classifier");
      if (f.variant == "with top" || !dense) bytes += 4 * t.shape.count();
    }
    CHECK(f.bytes > bytes);
    CHECK(f.bytes < bytes + bytes / 50);
  }
  CHECK(hashes.size() == 10);
  CHECK(urls.size() == 10);
}

TEST_CASE("a file that only bears an official name is none") {
  const xf::test::TemporaryFolder folder;
  const auto model = xf::test::narrow_model("vgg16", xf::keras_dialect("vgg16"), 5);
  const auto path = folder / "vgg16_weights_tf_dim_ordering_tf_kernels.h5";
  xf::test::write_state_dict(path, model);
  const FileInfo info = probe(path);  // with a warning
  CHECK(info.official == nullptr);
  REQUIRE(info.dialect);
  CHECK_FALSE(info.dialect->preprocess);
  CHECK(load(path, "vgg16", model, Top::loaded).tensors.size() == model.size());
}

TEST_CASE("what there is to see in a file") {
  const xf::test::TemporaryFolder folder;
  xf::hdf5::Writer w(folder / "w.h5");
  w.dataset<float>("/conv1.weight", std::vector<int64_t>{2, 1, 1, 2}, std::vector<float>{1, 2, 3, NAN});
  w.dataset<int64_t>("/bn1.num_batches_tracked", std::vector<int64_t>{1}, std::vector<int64_t>{7});
  w.dataset<double>("/odd.weight", std::vector<int64_t>{2}, std::vector<double>{-1, 1});
  w.commit();
  const Inspection seen = inspect(folder / "w.h5");
  CHECK_FALSE(seen.file.network);
  REQUIRE(seen.tensors.size() == 2);
  const InspectedTensor& t = seen.tensors[0];
  CHECK(t.stored.name == "conv1.weight");
  CHECK(t.stored.type == "f32");
  CHECK(t.canonical.empty());
  REQUIRE(t.statistics);
  CHECK(t.statistics->least == 1);
  CHECK(t.statistics->greatest == 3);
  CHECK(t.statistics->mean == 2);
  CHECK(t.statistics->deviation == doctest::Approx(std::sqrt(2.0 / 3)));
  CHECK(t.statistics->not_finite == 1);
  CHECK(seen.tensors[1].stored.type == "f64");
  CHECK(seen.skipped == std::vector<std::string>{"bn1.num_batches_tracked"});
}
