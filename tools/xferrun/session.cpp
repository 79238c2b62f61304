#include "tools/xferrun/session.h"

#include "engine/core/error.h"
#include "engine/core/log.h"
#include "engine/core/threads.h"
#include "engine/io/atomic_file.h"
#include "models/registry.h"
#include "tools/xferrun/device.h"

namespace xf::tool {

Session::Session(const DeviceOptions& options)
    : precision_(parse_precision(options.precision)),
      allow_reference_(options.allow_reference ? AllowReference::yes : AllowReference::no),
      profile_path_(options.profile) {
  if (!profile_path_.empty()) {
    // Better said before the work than after it.
    std::error_code none;
    if (std::filesystem::exists(std::filesystem::symlink_status(profile_path_, none)))
      throw OutputExistsError("--profile " + profile_path_, "exists already", "name another file");
    const io::AtomicFile can_be_written(profile_path_);
    profile_ = std::make_unique<StepProfile>();
  }
  if (options.threads != 0) set_threads(options.threads);
  backend_ = open_device(options.device,
                         options.deterministic ? Determinism::any_threads : Determinism::fixed_threads);
  const DType type = precision_ == Precision::bf16  ? DType::bf16
                     : precision_ == Precision::f16 ? DType::f16
                                                    : DType::f32;
  std::string why = precision_ == Precision::tf32 && backend_->name() == "cpu" ? "the CPU has no tf32" : "";
  if (!why.empty() || !backend_->supports(type, why)) {
    log::warning("--precision {}: {}; computing in f32", options.precision, why);
    precision_ = Precision::f32;
  }
  store_ = std::make_unique<ParamStore>(*backend_);
  memory_ = std::make_unique<ActivationMemory>(*backend_);
}

void Session::write_profile() const {
  if (profile_) io::write_file(profile_path_, profile_->chrome_trace());
}

NetworkSpec make_network(const std::string& model, const Dialect& dialect, int classes) {
  const ModelInfo& info = find_model(model);
  NetworkSpec spec;
  spec.build = [build = info.build, dialect, classes](const Net& n, Value x) {
    return build(n, x, dialect, classes);
  };
  spec.net = net_options(dialect);
  spec.height = spec.width = dialect.input_size;
  spec.preprocess = dialect.preprocess.value_or(Preprocess::unit);
  return spec;
}

Dialect default_dialect(const std::string& model, const std::string& family) {
  const ModelInfo& info = find_model(model);
  return family_dialect(family.empty() ? info.family : parse_family(family), model);
}

Dialect dialect_of(const weights::FileInfo& file, const std::string& model, const std::string& family) {
  find_model(model);
  weights::require_network(file, model);
  if (!file.dialect) return default_dialect(model, family);
  if (!family.empty() && parse_family(family) != file.dialect->family)
    throw UsageError("--dialect " + family, "contradicts " + file.path.string() + ", which holds " +
                                                std::string(name(file.dialect->family)) + "'s network");
  return *file.dialect;
}

void settle_preprocess(Dialect& dialect, const std::string& option, const weights::FileInfo* file) {
  std::string source = file == nullptr ? "the network's family" : file->preprocess_source;
  if (!option.empty()) {
    const Preprocess wanted = parse_preprocess(option);
    if (file != nullptr && dialect.preprocess && *dialect.preprocess != wanted)
      log::warning("--preprocess {}: {} says {} (from {})", option, file->path.string(),
                   name(*dialect.preprocess), source);
    dialect.preprocess = wanted;
    source = "--preprocess";
  }
  if (!dialect.preprocess)
    throw UsageError(
        "--preprocess", "is needed: " + file->path.string() + " does not say how its input was normalised",
        "give one of: tf (x/127.5-1), caffe (BGR minus means), torch (ImageNet mean and deviation), "
        "unit (x/255)");
  log::info("preprocessing: {} (from {}), {}x{}, {}", name(*dialect.preprocess), source, dialect.input_size,
            dialect.input_size, name(dialect.resize));
}

InferenceOptions inference_options(const Session& session, int64_t batch) {
  InferenceOptions options;
  options.batch = batch;
  options.precision = session.precision();
  options.allow_reference = session.allow_reference();
  return options;
}

InferenceGraph record_network(const NetworkSpec& spec) {
  InferenceOptions options;
  options.batch = 1;
  options.input = InputKind::tensor;
  options.results = {};
  return record_inference(spec, options);
}

namespace {

std::vector<weights::NamedShape> tensors_of(const Graph& graph) {
  std::vector<weights::NamedShape> tensors;
  for (int id = 0; id < graph.size(); ++id) {
    const Node& n = graph.node(id);
    if (n.source == Source::param || n.source == Source::state)
      tensors.push_back({n.name, n.outputs[0].shape});
  }
  return tensors;
}

}  // namespace

std::vector<weights::NamedShape> tensors_of(const NetworkSpec& spec) {
  return tensors_of(*record_network(spec).graph);
}

std::map<std::string, Tensor> read_weights(const NetworkSpec& spec, const std::filesystem::path& file,
                                           const std::string& model, weights::Top top) {
  return weights::load(file, model, tensors_of(spec), top).tensors;
}

void load_weights(Session& session, const NetworkSpec& spec, const std::filesystem::path& file,
                  const std::string& model, weights::Top top) {
  const std::map<std::string, Tensor> tensors = read_weights(spec, file, model, top);
  session.store().declare(*record_network(spec).graph);
  for (const auto& [name, tensor] : tensors) session.store().set(name, tensor);
}

}  // namespace xf::tool
