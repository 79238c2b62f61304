#include "engine/io/download.h"

#include <curl/curl.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <exception>
#include <memory>
#include <optional>
#include <string_view>
#include <thread>
#include <utility>

#include "engine/core/error.h"
#include "engine/core/log.h"
#include "engine/io/atomic_file.h"
#include "engine/io/file_lock.h"

namespace xf::io {
namespace fs = std::filesystem;
namespace {

constexpr int kFruitless = 4;  // attempts in a row that bring nothing
constexpr auto kPause = std::chrono::milliseconds(250);
constexpr long kConnectSeconds = 30, kSilentSeconds = 60, kRedirects = 5;

/// A file that is open for appending.
class Descriptor {
 public:
  Descriptor(fs::path path, int flags)
      : path_(std::move(path)), descriptor_(::open(path_.c_str(), flags | O_CLOEXEC, 0666)) {
    if (descriptor_ < 0) throw write_failure(path_, errno);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() { ::close(descriptor_); }
  [[nodiscard]] int get() const { return descriptor_; }
  [[nodiscard]] uint64_t size() const { return static_cast<uint64_t>(::lseek(descriptor_, 0, SEEK_END)); }
  void empty() const {
    if (::ftruncate(descriptor_, 0) != 0) throw write_failure(path_, errno);
  }
  void append(std::string_view bytes) const { write_all(descriptor_, bytes, path_); }
  void sync() const {
    if (::fsync(descriptor_) != 0) throw write_failure(path_, errno);
  }

 private:
  fs::path path_;
  int descriptor_;
};

/// What one request is about, for libcurl's calls back.
struct Answer {
  const Download& request;
  const Descriptor& file;
  uint64_t from;  // the first byte that was asked for
  CURL* handle;
  uint64_t done = 0;  // bytes in the file
  bool begun = false;
  std::exception_ptr error;            // none may pass through libcurl
  std::optional<uint64_t> other_size;  // the server's, where it is not the one that was expected
};

long status_of(CURL* handle) {
  long status = 0;
  curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &status);
  return status;
}

/// Whether what follows is the file that was asked for, from the byte that was asked for.
bool begin(Answer& a) {
  a.begun = true;
  if (status_of(a.handle) == 200 && a.from > 0) {  // it does not continue files: from the start, then
    a.file.empty();
    a.from = a.done = 0;
  }
  curl_off_t length = -1;
  curl_easy_getinfo(a.handle, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
  if (length < 0 || a.from + static_cast<uint64_t>(length) == a.request.bytes) return true;
  a.other_size = a.from + static_cast<uint64_t>(length);
  return false;
}

/// Returns whether to go on.
bool take(Answer& a, std::string_view data) {
  if (!a.begun && !begin(a)) return false;
  if (a.done + data.size() > a.request.bytes) {
    a.other_size = a.done + data.size();
    return false;
  }
  a.file.append(data);
  a.done += data.size();
  if (a.request.progress) a.request.progress(a.done);
  return true;
}

size_t receive(const char* data, size_t /*one*/, size_t count, void* user) {
  auto& a = *static_cast<Answer*>(user);
  try {
    return take(a, {data, count}) ? count : 0;
  } catch (...) {
    a.error = std::current_exception();
    return 0;
  }
}

using Curl = std::unique_ptr<CURL, decltype(&curl_easy_cleanup)>;

/// Without a place for what it receives.
Curl prepare(const std::string& url) {
  static const CURLcode ready = curl_global_init(CURL_GLOBAL_DEFAULT);
  Curl curl(ready == CURLE_OK ? curl_easy_init() : nullptr, &curl_easy_cleanup);
  if (!curl) throw UnavailableError(url, "libcurl cannot be used", "fetch the file in another way");
  CURL* c = curl.get();
  curl_easy_setopt(c, CURLOPT_URL, url.c_str());
  curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(c, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 1L);
  curl_easy_setopt(c, CURLOPT_MAXREDIRS, kRedirects);
  curl_easy_setopt(c, CURLOPT_FAILONERROR, 1L);
  curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT, kConnectSeconds);
  curl_easy_setopt(c, CURLOPT_LOW_SPEED_LIMIT, 1L);
  curl_easy_setopt(c, CURLOPT_LOW_SPEED_TIME, kSilentSeconds);
  curl_easy_setopt(c, CURLOPT_USERAGENT, "xferrun");
  return curl;
}

constexpr std::string_view kRemedy =
    "Check the network, name another --mirror, or fetch the file in another way.";

/// Fills the file up to its size. Throws.
void fetch(const Download& d, const Descriptor& file) {
  const Curl curl = prepare(d.url);
  curl_easy_setopt(curl.get(), CURLOPT_WRITEFUNCTION, &receive);
  char text[CURL_ERROR_SIZE] = {};
  curl_easy_setopt(curl.get(), CURLOPT_ERRORBUFFER, text);
  if (file.size() > d.bytes) file.empty();
  for (int fruitless = 0; file.size() < d.bytes;) {
    const uint64_t before = file.size();
    Answer answer{d, file, before, curl.get(), before, false, {}, {}};
    curl_easy_setopt(curl.get(), CURLOPT_WRITEDATA, &answer);
    const std::string range = fmt::format("{}-", before);
    curl_easy_setopt(curl.get(), CURLOPT_RANGE, before > 0 ? range.c_str() : nullptr);
    text[0] = '\0';
    const CURLcode result = curl_easy_perform(curl.get());
    const long status = status_of(curl.get());
    if (!answer.begun && (status == 200 || status == 206)) begin(answer);  // an answer without a byte
    if (answer.error) std::rethrow_exception(answer.error);
    if (answer.other_size)
      throw DataError(
          d.url, fmt::format("the server has {} bytes, and the file has {}", *answer.other_size, d.bytes),
          "Name another --mirror.");
    if (result == CURLE_HTTP_RETURNED_ERROR || status >= 400) {
      if (status == 416 && before > 0) {  // it has nothing behind what is here: that is of another file
        file.empty();
        continue;
      }
      if (status < 500)
        throw UnavailableError(d.url, fmt::format("the server answers {}", status), std::string(kRemedy));
    }
    fruitless = file.size() > before ? 0 : fruitless + 1;
    if (file.size() >= d.bytes) return;
    const std::string reason = text[0] != '\0'      ? text
                               : result != CURLE_OK ? curl_easy_strerror(result)
                                                    : "the connection ended early";
    if (fruitless == kFruitless)
      throw UnavailableError(
          d.url, fmt::format("{} of {} bytes are here, and then: {}", file.size(), d.bytes, reason),
          std::string(kRemedy));
    log::warning("{}: {}; going on from byte {}", d.url, reason, file.size());
    std::this_thread::sleep_for(kPause * (1 << fruitless));
  }
}

bool is_there(const Download& d) {
  std::error_code none;
  if (!fs::exists(d.target, none)) return false;
  try {
    const uint64_t bytes = fs::file_size(d.target, none);
    if (bytes != d.bytes)
      throw DataError(d.target.string(), fmt::format("it has {} bytes instead of {}", bytes, d.bytes));
    d.check(d.target);
    return true;
  } catch (const DataError& e) {
    log::warning("{}; fetching it anew", e.what());
    return false;
  }
}

struct Text {
  std::string body;
  size_t limit;
};

size_t collect(const char* data, size_t /*one*/, size_t count, void* user) {
  auto& text = *static_cast<Text*>(user);
  if (text.body.size() + count > text.limit) return 0;
  text.body.append(data, count);
  return count;
}

}  // namespace

std::string fetch_text(const std::string& url, size_t limit) {
  const Curl curl = prepare(url);
  Text text{{}, limit};
  curl_easy_setopt(curl.get(), CURLOPT_WRITEFUNCTION, &collect);
  curl_easy_setopt(curl.get(), CURLOPT_WRITEDATA, &text);
  const CURLcode result = curl_easy_perform(curl.get());
  if (result == CURLE_WRITE_ERROR)
    throw DataError(url, fmt::format("answers with more than {} bytes", limit), "Name another --mirror.");
  if (result == CURLE_HTTP_RETURNED_ERROR)
    throw UnavailableError(url, fmt::format("the server answers {}", status_of(curl.get())),
                           std::string(kRemedy));
  if (result != CURLE_OK) throw UnavailableError(url, curl_easy_strerror(result), std::string(kRemedy));
  return std::move(text.body);
}

void download(const Download& d) {
  std::error_code ignored;  // the first write says what is wrong
  fs::create_directories(d.target.parent_path(), ignored);
  // The lock's file stays: a lock on one that somebody removed would guard nothing.
  const FileLock lock(d.target.string() + ".lock",
                      [&] { log::info("{}: another process is fetching it; waiting", d.target.string()); });
  if (is_there(d)) return;
  const fs::path part = d.target.string() + ".part";
  std::error_code none;
  const bool continued = fs::exists(part, none) && fs::file_size(part, none) > 0;
  const auto attempt = [&] {
    const Descriptor file(part, O_RDWR | O_CREAT | O_APPEND);
    fetch(d, file);
    file.sync();
    d.check(part);
  };
  try {
    attempt();
  } catch (const UnavailableError&) {
    if (fs::file_size(part, none) == 0) fs::remove(part, none);
    throw;
  } catch (const DataError&) {
    fs::remove(part, none);
    if (!continued) throw;
    // What was continued may have been the start of another file.
    log::warning("{}: what was there of an earlier attempt does not fit; fetching it anew", d.url);
    attempt();
  }
  if (::rename(part.c_str(), d.target.c_str()) != 0) throw write_failure(d.target, errno);
  sync_folder_of(d.target);
}

}  // namespace xf::io
