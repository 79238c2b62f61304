#include "engine/data/metadata.h"

#include <doctest/doctest.h>

#include "engine/core/error.h"
#include "engine/data/split.h"
#include "tests/data/files.h"
#include "tests/data/gravity_spy_files.h"

using namespace xf;

namespace {

void refuses(const test::TemporaryFolder& folder, const std::string& csv, const char* reason) {
  CAPTURE(csv);
  CHECK_THROWS_WITH_AS((void)open_dataset(folder / "set.h5", {.metadata = test::put(folder, "bad.csv", csv)}),
                       doctest::Contains(reason), DataError);
}

}  // namespace

TEST_CASE("the metadata beside a file give its glitches their times") {
  const test::TemporaryFolder folder;
  test::small_gravity_spy(folder / "set.h5");
  CHECK(find_metadata(folder / "set.h5").empty());
  CHECK(!open_dataset(folder / "set.h5").samples[0].gps);
  test::put(folder, "set_metadata.csv",
            "event_time,ifo,gravityspy_id,label,sample_type\n"
            "1134208573.54,H1,b4,Blip,test\n,L1,c1,Chirp,train\n1200000000,H1,elsewhere,Helix,train\n"
            "1134208574,H1,b1,Whistle,test\n");
  CHECK(find_metadata(folder / "set.h5") == folder / "set_metadata.csv");
  const Dataset data = open_dataset(folder / "set.h5");
  CHECK(data.samples[0].glitch == "b4");
  CHECK(data.samples[0].gps == 1134208573.54);
  CHECK(data.samples[1].glitch == "b1");
  CHECK(data.samples[1].part == Part::train);  // its own
  CHECK(data.samples[1].label == 0);
  CHECK(!data.samples[4].gps);
}

TEST_CASE("the metadata give a folder of the PNG release its parts") {
  const test::TemporaryFolder folder;
  for (const char* file : {"set/Blip/H1_b1_spectrogram_0.5.png", "set/Blip/H1_b1_spectrogram_1.0.png",
                           "set/Chirp/L1_c1_spectrogram_0.5.png"})
    test::put(folder, file, "");
  test::put(folder, "set_metadata.csv",
            "gravityspy_id,event_time,sample_type\nb1,10,train\nc1,20,validation\n");
  for (const char* source : {"set", "set/"}) {
    const Dataset data = open_dataset(folder / source);
    CHECK(own_split(data) == std::vector<Part>{Part::train, Part::train, Part::val});
    CHECK(data.samples[2].gps == 20);
  }
  test::put(folder, "set/Chirp/L1_c2_spectrogram_0.5.png", "");  // of which the CSV knows nothing
  CHECK(own_split(open_dataset(folder / "set")).empty());
}

TEST_CASE("the published names belong together") {
  const test::TemporaryFolder folder;
  test::put(folder, "trainingsetv1d1.h5", "");
  CHECK(find_metadata(folder / "trainingsetv1d1.h5").empty());
  test::put(folder, "trainingset_v1d1_metadata.csv", "");
  CHECK(find_metadata(folder / "trainingsetv1d1.h5") == folder / "trainingset_v1d1_metadata.csv");
}

TEST_CASE("metadata that are refused") {
  const test::TemporaryFolder folder;
  test::small_gravity_spy(folder / "set.h5");
  CHECK_THROWS_AS((void)open_dataset(folder / "set.h5", {.metadata = folder / "gone.csv"}),
                  MissingInputError);
  refuses(folder, "id,event_time\nb1,1\n", "bad.csv: has no column \"gravityspy_id\"");
  refuses(folder, "gravityspy_id,event_time\nx,1\n", "knows none of the 7 glitches");
  refuses(folder, "gravityspy_id,event_time\nb1,soon\n", "bad.csv:2: \"soon\" is no GPS time");
  refuses(folder, "gravityspy_id,event_time\nb1,1\nb1,2\n", "bad.csv:3: id b1 is there before, on line 2");
  refuses(folder, "gravityspy_id,sample_type\nb1,holdout\n",
          "bad.csv:2: there is no sample_type \"holdout\"");
}
