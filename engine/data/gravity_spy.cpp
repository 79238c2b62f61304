// The layout of Gravity Spy's HDF5 release: /LABEL/{train,validation,test}/ID/{0.5,1.0,2.0,4.0}.png.

#include <fmt/format.h>

#include <unordered_map>

#include "engine/core/error.h"
#include "engine/data/sources.h"
#include "engine/io/hdf5.h"

namespace fs = std::filesystem;

namespace xf {

namespace {

constexpr std::string_view kLayout = "/LABEL/{train,validation,test}/ID/{0.5,1.0,2.0,4.0}.png";

/// Walks over the names of a file.
class Reader {
 public:
  explicit Reader(const fs::path& file) : file_(std::make_shared<const hdf5::File>(file)) {
    data_.source = file;
    data_.form = Form::gravity_spy;
  }

  void read() {
    for (const std::string& label : file_->children("/")) {
      if (file_->is_dataset("/" + label)) {
        data_.left_out.push_back(label);
        continue;
      }
      const size_t before = data_.samples.size(), problems = problems_.size();
      read_class(label);
      if (data_.samples.size() > before)
        data_.classes.push_back(label);
      else if (problems_.size() == problems)
        problems_.push_back("class " + label + " holds no glitches");
    }
  }

  /// Whether any group is named as one of the layout is.
  [[nodiscard]] bool in_layout() const { return has_parts_; }
  [[nodiscard]] const std::vector<std::string>& problems() const { return problems_; }
  Dataset take() { return std::move(data_); }

 private:
  void read_class(const std::string& label) {
    for (const std::string& part_name : file_->children("/" + label)) {
      const std::string group = fmt::format("{}/{}", label, part_name);
      const std::optional<Part> part = parse_part(part_name);
      if (!part) {
        problems_.push_back(group + " is no part (train, validation, test)");
        continue;
      }
      has_parts_ = true;
      const std::vector<std::string> ids = file_->children("/" + group);
      if (ids.empty()) problems_.push_back(group + " is an empty group");
      for (const std::string& id : ids) read_glitch(group, id, *part);
    }
  }

  void read_glitch(const std::string& group, const std::string& id, Part part) {
    const std::string name = group + "/" + id;
    const auto [it, is_new] = place_of_.emplace(id, name);
    if (!is_new) {
      problems_.push_back(fmt::format("id {} is there twice: {} and {}", id, it->second, name));
      return;
    }
    const size_t before = data_.samples.size();
    for (const std::string& image : file_->children("/" + name)) {
      const std::string path = fmt::format("{}/{}", name, image);
      const auto parts = split_duration(path);
      if (!parts || parts->stem != name) {
        data_.left_out.push_back(path);
        continue;
      }
      data_.samples.push_back({.images = {{data_.source, "/" + path, file_}},
                               .name = path,
                               .label = static_cast<int32_t>(data_.classes.size()),
                               .glitch = id,
                               .duration = parts->duration,
                               .part = part});
    }
    if (data_.samples.size() == before) problems_.push_back("glitch " + name + " has no images");
  }

  std::shared_ptr<const hdf5::File> file_;
  Dataset data_;
  std::vector<std::string> problems_;
  std::unordered_map<std::string, std::string> place_of_;  // of each id
  bool has_parts_ = false;
};

}  // namespace

Dataset open_gravity_spy(const fs::path& file, OnBadImage on_bad_image) {
  Reader reader(file);
  reader.read();
  if (!reader.in_layout())
    throw DataError(file.string(), fmt::format("is not in Gravity Spy's layout, {}", kLayout),
                    "Name a data set in that layout, a folder of class folders, or a CSV manifest.");
  settle_problems(on_bad_image, file, reader.problems(),
                  "Correct the file, or leave such entries out with --on-bad-image skip.");
  Dataset data = reader.take();
  if (data.classes.empty())
    throw DataError(file.string(), "holds no glitches", fmt::format("Its layout must be {}.", kLayout));
  return data;
}

}  // namespace xf
