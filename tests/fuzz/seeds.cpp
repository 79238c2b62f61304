// Small whole inputs, for the fuzzer to begin with: FOLDER/TARGET/NAME.

#include <cstdio>
#include <fstream>
#include <string>
#include <vector>

#include "models/dialect.h"
#include "tests/io/image_bytes.h"

namespace {

void write(const std::filesystem::path& file, const std::vector<uint8_t>& bytes) {
  std::filesystem::create_directories(file.parent_path());
  std::ofstream(file, std::ios::binary)
      .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
}
void write(const std::filesystem::path& file, const std::string& text) {
  write(file, std::vector<uint8_t>(text.begin(), text.end()));
}

void write_images(const std::filesystem::path& folder) {
  using namespace xf::test;
  xf::io::Image image{3, 2, std::vector<uint8_t>(18)};
  for (size_t i = 0; i < image.rgb.size(); ++i) image.rgb[i] = static_cast<uint8_t>(13 * i);
  write(folder / "rgb.png", xf::io::encode_png(image));
  write(folder / "bitmap.bmp", bmp_bytes(image));
  write(folder / "photo.jpg", jpeg_bytes(image));
  write(folder / "grey.png", png_bytes({2, 2, 8, PngColor::grey}, {0, 1, 2, 0, 3, 4}, {}));
  write(folder / "grey1.png", png_bytes({8, 1, 1, PngColor::grey}, {0, 0xA5}, {}));
  write(folder / "grey16.png", png_bytes({1, 1, 16, PngColor::grey}, {0, 1, 2}, {}));
  write(folder / "alpha.png", png_bytes({1, 1, 8, PngColor::rgba}, {0, 1, 2, 3, 4}, {}));
  write(folder / "palette.png", png_bytes({2, 1, 8, PngColor::palette}, {0, 1, 0}, {1, 2, 3, 4, 5, 6}));
}

/// What the targets of HDF5 files choose by: they take numbers from the last byte on.
void write_choices(const std::filesystem::path& folder) {
  for (int first = 0; first < 4; ++first) {
    std::vector<uint8_t> choices(512);
    for (size_t i = 0; i < choices.size(); ++i) choices[i] = static_cast<uint8_t>(37 * i + 11);
    choices.back() = static_cast<uint8_t>(first);
    write(folder / ("choices" + std::to_string(first)), choices);
  }
}

void write_tables(const std::filesystem::path& folder) {
  write(
      folder / "metadata.csv",
      "event_time,ifo,gravityspy_id,label,sample_type\n1e9,H1,a,Blip,train\n1126259462.4,L1,b,Chirp,test\n");
  write(folder / "split.csv", "path,label,split,id\na.png,Blip,train,a\nb.png,Chirp,val,b\n");
  write(folder / "omicron.csv", "time,frequency,snr,ifo\n1126259462.42,250,24,H1\n1126259470,60.5,9,L1\n");
  write(
      folder / "state",
      "xferrun stream: bytes, nanoseconds, path of each file that is done\n12 34 a.png\n5 6 b\\n.png\n7 8 c");
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("usage: fuzz-seeds FOLDER\n", stderr);
    return 2;
  }
  const std::filesystem::path folder = argv[1];
  write_images(folder / "image");
  for (const char* target : {"weights", "gravity_spy", "strain", "features", "out_of_class"})
    write_choices(folder / target);
  write_tables(folder / "tables");
  write(folder / "run" / "config.json", R"({"program": "xferrun", "view": "merged", "classes": ["Blip"]})");
  write(folder / "run" / "calibration.json", R"({"temperature": 1.5, "images": 7})");
  write(folder / "manifest" / "whole.csv",
        "path,label,split,id,gps\na.png,Blip,train,1,1e9\n\"b,c.png\",Whistle,test,2,\nd.png,Blip,val,3,\n");
  write(folder / "manifest" / "short.csv", "label,path\r\nBlip,x_0.5.png\r\nBlip,x_1.0.png\r\n");
  write(folder / "dialect" / "keras.json", xf::to_json(xf::keras_dialect("inception_v3")));
  write(folder / "dialect" / "torchvision.json", xf::to_json(xf::torchvision_dialect("resnet18")));
  write(folder / "config" / "options.json",
        R"({"model": "resnet18", "data": "d", "out": "o", "from-scratch": true, "epochs": 5, "lr": 1e-3,
            "freeze": ["Conv2d_*", "layer1.*"], "augment": ["gain=0.1"], "schedule": "cosine", "seed": 7})");
}
