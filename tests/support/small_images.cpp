#include "tests/support/small_images.h"

#include <string>

#include "engine/core/rng.h"
#include "engine/io/image.h"

namespace xf::test {

std::vector<Sample> write_images(const TemporaryFolder& folder, int count) {
  std::vector<Sample> samples;
  Rng rng(5);
  for (int i = 0; i < count; ++i) {
    io::Image image{8, 8, {}};
    for (int p = 0; p < 64; ++p)
      for (int c = 0; c < 3; ++c)
        image.rgb.push_back(static_cast<uint8_t>(rng.below(128) + (c == i % 3 ? 120 : 0)));
    Sample s;
    s.images = {{folder / (std::to_string(i) + ".png")}};
    s.label = i % 3;
    io::write_png(s.images[0].file, image);
    samples.push_back(s);
  }
  return samples;
}

}  // namespace xf::test
