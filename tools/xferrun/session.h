#pragma once
// A network on a device: what every command that computes begins with.

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/plan/compile.h"
#include "engine/run/executor.h"
#include "engine/train/inference.h"
#include "engine/train/network.h"
#include "models/dialect.h"
#include "tools/xferrun/step_profile.h"
#include "weights/import.h"

namespace xf::tool {

/// Where and how to compute.
struct DeviceOptions {
  std::string device = "auto";
  std::string precision = "f32";
  int threads = 0;  ///< 0: every usable core
  bool deterministic = false;
  bool allow_reference = false;
  std::string profile;  ///< file for a Chrome trace; empty: none
};

/// Device, tensors and activation memory.
class Session {
 public:
  /// Sets the thread count and opens the device; of several ranks on this machine each takes a GPU of its
  /// own, or its share of the cores. Throws UsageError and UnavailableError.
  explicit Session(const DeviceOptions& options);
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  ~Session();
  [[nodiscard]] Backend& backend() { return *backend_; }
  [[nodiscard]] ParamStore& store() { return *store_; }
  [[nodiscard]] ActivationMemory& memory() { return *memory_; }
  /// The precision asked for, or f32 (with a warning) where the device cannot compute with it.
  [[nodiscard]] Precision precision() const { return precision_; }
  [[nodiscard]] AllowReference allow_reference() const { return allow_reference_; }
  /// For --profile: what executors are to tell about their kernels; none without it, and on other ranks than
  /// the first.
  [[nodiscard]] StepProfile* observer() { return profile_.get(); }
  /// Writes the trace of --profile, if one was asked for, and logs how much of the ranks' exchanges it shows
  /// behind computation. Throws WriteError.
  void write_profile() const;

 private:
  std::unique_ptr<Backend> backend_;
  std::unique_ptr<ParamStore> store_;
  std::unique_ptr<ActivationMemory> memory_;
  Precision precision_;
  AllowReference allow_reference_;
  std::string profile_path_;
  std::unique_ptr<StepProfile> profile_;
};

/// The network `model` in a dialect, with `classes` outputs (0: none). `preprocess` must be known unless the
/// input is a tensor.
NetworkSpec make_network(const std::string& model, const Dialect& dialect, int classes);

/// The dialect of a weight file for `model`; or, where the file says nothing, that of `family` ("", "keras",
/// …), or the network's usual one. Throws DataError for a file of another network, UsageError for a family
/// that contradicts the file, or for none where the file leaves a choice.
Dialect dialect_of(const weights::FileInfo& file, const std::string& model, const std::string& family);

/// The dialect without a weight file.
Dialect default_dialect(const std::string& model, const std::string& family);

/// The dialect's preprocessing, or what `option` ("", "tf", …) says instead; logs the network, which it is,
/// and where it comes from. Throws UsageError when neither says.
void settle_preprocess(Dialect& dialect, const std::string& model, const std::string& option,
                       const weights::FileInfo* file);

/// Rows and columns of an input image.
struct InputSize {
  int height, width;
};
/// Of "280x340". Throws UsageError for anything else.
InputSize parse_input_size(const std::string& text);
/// The input size of `option` ("", "280x340") instead of the dialect's own.
void settle_input_size(Dialect& dialect, const std::string& option);

/// The head of `option` ("", "fc", "pool") instead of the dialect's own. Throws UsageError for a network that
/// has one head, and for a pool head where the file has fully connected layers.
void settle_head(Dialect& dialect, const std::string& model, const std::string& option,
                 const weights::FileInfo* file);

/// How the session computes, for a network compiled for reading.
InferenceOptions inference_options(const Session& session, int64_t batch);

/// The network's graph on one image, for the names and shapes of its tensors.
InferenceGraph record_network(const NetworkSpec& spec);

/// The tensors of a network by canonical name, in the order of creation.
std::vector<weights::NamedShape> tensors_of(const NetworkSpec& spec);

/// The file's tensors for the network, by canonical name. `fresh`: a glob of tensors that are not to be read,
/// beside those of a classifier that is replaced; "" is none.
std::map<std::string, Tensor> read_weights(const NetworkSpec& spec, const std::filesystem::path& file,
                                           const std::string& model, weights::Top top,
                                           const std::string& fresh = "");

/// Reads the file's tensors into the store. Declares the network's first.
void load_weights(Session& session, const NetworkSpec& spec, const std::filesystem::path& file,
                  const std::string& model, weights::Top top);

}  // namespace xf::tool
