#include "tools/xferrun/session.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "engine/core/error.h"
#include "engine/core/log.h"
#include "engine/core/threads.h"
#include "engine/io/atomic_file.h"
#include "engine/io/image.h"
#include "models/registry.h"
#include "tools/xferrun/device.h"
#include "tools/xferrun/rank_device.h"
#include "tools/xferrun/world.h"

namespace xf::tool {

Session::Session(const DeviceOptions& options)
    : precision_(parse_precision(options.precision)),
      allow_reference_(options.allow_reference ? AllowReference::yes : AllowReference::no),
      profile_path_(options.profile) {
  if (!profile_path_.empty() && is_writer()) {
    // Better said before the work than after it.
    std::error_code none;
    if (std::filesystem::exists(std::filesystem::symlink_status(profile_path_, none)))
      throw OutputExistsError("--profile " + profile_path_, "exists already", "name another file");
    const io::AtomicFile can_be_written(profile_path_);
    profile_ = std::make_unique<StepProfile>();
    world().observe([profile = profile_.get()](const Exchange& e) { profile->exchanged(e); });
  }
  if (options.threads != 0)
    set_threads(options.threads);
  else if (world().size() > 1)
    set_threads(cores_of_rank(world()));
  backend_ = open_device(options.device,
                         options.deterministic ? Determinism::any_threads : Determinism::fixed_threads,
                         world().local_rank());
  if (world().size() > 1) join_ranks(*backend_, world());
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

Session::~Session() {
  if (profile_) world().observe({});
}

void Session::write_profile() const {
  if (!profile_) return;
  io::write_file(profile_path_, profile_->chrome_trace());
  if (const std::string text = profile_->exchanges(); !text.empty()) log::info("{}", text);
}

NetworkSpec make_network(const std::string& model, const Dialect& dialect, int classes) {
  const ModelInfo& info = find_model(model);
  NetworkSpec spec;
  spec.build = [build = info.build, dialect, classes](const Net& n, Value x) {
    return build(n, x, dialect, classes);
  };
  spec.net = net_options(dialect);
  spec.height = dialect.height;
  spec.width = dialect.width;
  spec.channels = dialect.channels;
  spec.head = std::string(info.top) + ".";
  spec.preprocess = dialect.preprocess.value_or(Preprocess::unit);
  return spec;
}

Dialect default_dialect(const std::string& model, const std::string& family) {
  const ModelInfo& info = find_model(model);
  return family_dialect(family.empty() ? info.family : parse_family(family), model);
}

Dialect dialect_of(const weights::FileInfo& file, const std::string& model, const std::string& family) {
  find_model(model);
  weights::require_network(file.path, file.network, model);
  if (!file.dialect) return default_dialect(model, family);
  if (file.stride_unknown) {
    if (family.empty())
      throw UsageError(
          "--dialect",
          fmt::format("is needed: {} does not say whether its {} is v1 or v1.5", file.path.string(), model),
          "give torchvision (v1.5: the stride in the 3x3, as torchvision's own files) or keras (v1: in the "
          "first 1x1)");
    return weights::with_family(file, parse_family(family));
  }
  if (!family.empty() && parse_family(family) != file.dialect->family)
    throw UsageError("--dialect " + family, "contradicts " + file.path.string() + ", which holds " +
                                                std::string(name(file.dialect->family)) + "'s network");
  return *file.dialect;
}

void settle_preprocess(Dialect& dialect, const std::string& model, const std::string& option,
                       const weights::FileInfo* file) {
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
        "unit (x/255), bn_inception (BGR minus 104, 117, 128)");
  if (dialect.channels == 1 && !suits_grey(*dialect.preprocess))
    throw UsageError(fmt::format("--preprocess {}", name(*dialect.preprocess)),
                     "is for three channels, and this network takes grey images", "choose unit or tf");
  log::info("{}; preprocessing: {} (from {}), {}x{}{}, {}", full_name(model, dialect),
            name(*dialect.preprocess), source, dialect.height, dialect.width,
            dialect.channels == 1 ? " grey" : "", name(dialect.resize));
}

InputSize parse_input_size(const std::string& text) {
  const auto number = [](std::string_view digits) {
    int value = 0;
    const char* const end = digits.data() + digits.size();
    const auto [stop, error] = std::from_chars(digits.data(), end, value);
    return error == std::errc{} && stop == end && value <= io::kMaxImageSide ? value : 0;
  };
  const size_t by = std::min(text.find('x'), text.size());
  const InputSize size{number(std::string_view(text).substr(0, by)),
                       by < text.size() ? number(std::string_view(text).substr(by + 1)) : 0};
  if (size.height < 1 || size.width < 1)
    throw UsageError("--input-size " + text, "is no size", "write rows and columns: 280x340");
  return size;
}

void settle_input_size(Dialect& dialect, const std::string& option) {
  if (option.empty()) return;
  const InputSize size = parse_input_size(option);
  dialect.height = size.height;
  dialect.width = size.width;
}

void settle_head(Dialect& dialect, const std::string& model, const std::string& option,
                 const weights::FileInfo* file) {
  if (option.empty()) return;
  const Head wanted = parse_head(option);
  if (!has_fc_head(model))
    throw UsageError("--head " + option, model + " has no choice of heads", "leave it out: it is for VGG");
  if (file != nullptr && wanted == Head::pool && dialect.head == Head::fc)
    throw UsageError("--head pool",
                     "contradicts " + file->path.string() + ", which has the layers of head fc",
                     "leave it out, or give a file of the trunk alone");
  dialect.head = wanted;
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
                                           const std::string& model, weights::Top top,
                                           const std::string& fresh) {
  std::vector<weights::NamedShape> wanted = tensors_of(spec);
  std::erase_if(wanted, [&](const weights::NamedShape& t) { return glob_match(fresh, t.name); });
  return weights::load(file, model, wanted, top).tensors;
}

void load_weights(Session& session, const NetworkSpec& spec, const std::filesystem::path& file,
                  const std::string& model, weights::Top top) {
  const std::map<std::string, Tensor> tensors = read_weights(spec, file, model, top);
  session.store().declare(*record_network(spec).graph);
  for (const auto& [name, tensor] : tensors) session.store().set(name, tensor);
}

}  // namespace xf::tool
