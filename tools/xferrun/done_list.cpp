#include "tools/xferrun/done_list.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <fstream>

#include "engine/core/error.h"
#include "engine/io/atomic_file.h"

namespace xf::tool {

namespace {

constexpr std::string_view kHeader = "xferrun stream: bytes, nanoseconds, path of each file that is done\n";

/// A path may hold a line feed.
std::string escaped(const std::string& path) {
  std::string text;
  for (const char c : path) {
    if (c == '\\' || c == '\n') text += '\\';
    text += c == '\n' ? 'n' : c;
  }
  return text;
}

std::string unescaped(std::string_view text) {
  std::string path;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\' || i + 1 == text.size()) {
      path += text[i];
    } else {
      path += text[++i] == 'n' ? '\n' : text[i];
    }
  }
  return path;
}

struct Entry {
  std::string path;
  FileVersion version;
};

/// Of "BYTES NANOSECONDS PATH".
std::optional<Entry> parse_entry(std::string_view line) {
  Entry entry;
  for (int64_t* number : {&entry.version.bytes, &entry.version.modified_ns}) {
    const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), *number);
    line.remove_prefix(static_cast<size_t>(end - line.data()));
    if (error != std::errc() || !line.starts_with(' ')) return std::nullopt;
    line.remove_prefix(1);
  }
  entry.path = unescaped(line);
  return entry;
}

}  // namespace

std::optional<FileVersion> version_of(const std::string& path) {
  struct stat facts {};
  if (::stat(path.c_str(), &facts) != 0 || !S_ISREG(facts.st_mode)) return std::nullopt;
  return FileVersion{facts.st_size, facts.st_mtim.tv_sec * int64_t{1000000000} + facts.st_mtim.tv_nsec};
}

DoneList::DoneList(const std::filesystem::path& file)
    : file_(file), descriptor_(::open(file.c_str(), O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0644)) {
  if (descriptor_ < 0) throw io::write_failure(file, errno);
  try {
    if (::flock(descriptor_, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK)
      throw UsageError("--state " + file.string(), "another process uses it",
                       "Give each stream a file of its own.");
    read();
  } catch (...) {
    ::close(descriptor_);
    throw;
  }
}

DoneList::~DoneList() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

void DoneList::read() {
  std::ifstream in(file_, std::ios::binary);
  std::string line;
  if (!std::getline(in, line)) return append(kHeader);
  bool ours = line + '\n' == kHeader;
  for (int64_t whole = static_cast<int64_t>(kHeader.size()); ours && std::getline(in, line);) {
    if (in.eof()) {  // cut short
      if (::ftruncate(descriptor_, whole) != 0) throw io::write_failure(file_, errno);
      return;
    }
    auto entry = parse_entry(line);
    ours = entry.has_value();
    if (ours) versions_[std::move(entry->path)] = entry->version;
    whole += static_cast<int64_t>(line.size()) + 1;
  }
  if (!ours) throw DataError(file_.string(), "is no state of this command", "Name another --state.");
}

void DoneList::append(std::string_view text) const { io::write_all(descriptor_, text, file_); }

bool DoneList::has(const std::string& path, const FileVersion& version) const {
  const auto it = versions_.find(path);
  return it != versions_.end() && it->second == version;
}

void DoneList::add(const std::string& path, const FileVersion& version) {
  versions_[path] = version;
  if (descriptor_ >= 0) append(fmt::format("{} {} {}\n", version.bytes, version.modified_ns, escaped(path)));
}

}  // namespace xf::tool
