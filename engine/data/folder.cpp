// A folder of class folders.

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>

#include "engine/core/error.h"
#include "engine/data/sources.h"

namespace fs = std::filesystem;

namespace xf {

namespace {

/// What is in a folder apart from hidden entries, sorted bytewise so that the order does not depend on the
/// file system.
std::vector<fs::path> entries(const fs::path& folder) {
  std::error_code error;
  std::vector<fs::path> result;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error))
    if (!it->path().filename().string().starts_with('.')) result.push_back(it->path());
  if (error) throw MissingInputError(folder.string(), error.message());
  std::sort(result.begin(), result.end(),
            [](const fs::path& a, const fs::path& b) { return a.native() < b.native(); });
  return result;
}

bool is_image_name(const fs::path& path) {
  std::string extension = path.extension().string();
  for (char& c : extension) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  constexpr std::array<std::string_view, 4> known = {".png", ".jpg", ".jpeg", ".bmp"};
  return std::find(known.begin(), known.end(), extension) != known.end();
}

}  // namespace

Dataset open_folder(const fs::path& folder) {
  Dataset data{.source = folder, .form = Form::folder};
  for (const fs::path& class_folder : entries(folder)) {
    if (!fs::is_directory(class_folder)) {
      data.left_out.push_back(class_folder.filename().string());
      continue;
    }
    const std::string label = class_folder.filename().string();
    const size_t before = data.samples.size();
    for (const fs::path& file : entries(class_folder)) {
      std::string name = label + "/" + file.filename().string();
      if (fs::is_directory(file) || !is_image_name(file)) {
        data.left_out.push_back(std::move(name));
        continue;
      }
      const auto parts = split_duration(name);
      Sample s{.images = {{file}},
               .name = name,
               .label = static_cast<int32_t>(data.classes.size()),
               .glitch = glitch_of(name),
               .duration = parts ? std::optional(parts->duration) : std::nullopt};
      data.samples.push_back(std::move(s));
    }
    if (data.samples.size() == before)
      throw DataError(class_folder.string(), "this class has no images (.png, .jpg, .jpeg, .bmp)",
                      "Put images into the folder or remove it.");
    data.classes.push_back(label);
  }
  if (data.classes.empty())
    throw DataError(folder.string(), "holds no class folders",
                    "Put the images of each class into a folder of their own, named for the class.");
  return data;
}

}  // namespace xf
