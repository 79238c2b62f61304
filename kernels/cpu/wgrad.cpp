#include "kernels/cpu/wgrad.h"

#include <algorithm>
#include <cstring>

#include "engine/core/aligned.h"
#include "engine/core/threads.h"
#include "kernels/cpu/instructions.h"
#include "kernels/cpu/wgrad_plan.h"
#include "kernels/cpu/wgrad_tile.h"

namespace xf::cpu::wgrad {

namespace {

/// Input channels that one tile covers.
struct ChannelBlock {
  int64_t first_vector = 0;
  int vectors = 0;
};

/// As few blocks as possible, of nearly equal size.
std::vector<ChannelBlock> channel_blocks(int64_t channels) {
  constexpr int64_t kMost = 4;
  const int64_t vectors = (channels + kLanes - 1) / kLanes, count = (vectors + kMost - 1) / kMost;
  std::vector<ChannelBlock> blocks;
  for (int64_t i = 0; i < count; ++i) {
    const int64_t begin = vectors * i / count, end = vectors * (i + 1) / count;
    blocks.push_back({begin, static_cast<int>(end - begin)});
  }
  return blocks;
}

int widest(const std::vector<ChannelBlock>& blocks) {
  int most = 0;
  for (const ChannelBlock& b : blocks) most = std::max(most, b.vectors);
  return most;
}

/// dw is cut into tiles of output and input channels, tap by tap. Each task computes some of them over the
/// whole batch, so none is ever added to another's.
class WeightGradient : public Kernel {
 public:
  WeightGradient(const Conv2d& op, const Shape& x, const Shape& y, DType type)
      : x_(x),
        y_(y),
        type_(type),
        walk_(op, x, y, type),
        chunks_(walk_),
        inputs_(channel_blocks(x.c)),
        outputs_(outputs_of_tile(widest(inputs_), y.c)),
        output_blocks_((y.c + outputs_ - 1) / outputs_),
        output_tasks_(std::min<int64_t>(threads(), output_blocks_)),
        input_tasks_(std::min<int64_t>((threads() + output_tasks_ - 1) / output_tasks_,
                                       static_cast<int64_t>(inputs_.size()))) {
    int64_t x_entries = 0, dy_entries = 0;
    for (const ChunkShape& c : chunks_.shapes) {
      x_entries = std::max(x_entries, c.images * c.in_rows() * walk_.x_row_entries());
      dy_entries = std::max(dy_entries, c.images * c.rows() * walk_.dy_row_entries());
    }
    const int64_t most_blocks = (output_blocks_ + output_tasks_ - 1) / output_tasks_;
    x_panel_bytes_ = aligned(static_cast<size_t>(x_entries * widest(inputs_) * kLanes) * sizeof(uint32_t));
    dy_panel_bytes_ =
        aligned(static_cast<size_t>(most_blocks * (dy_entries * outputs_ + kLanes)) * sizeof(uint32_t));
  }

  [[nodiscard]] std::string impl() const override { return "xf:conv_bwd_weights:avx512"; }
  [[nodiscard]] size_t workspace() const override {
    return tile_bytes() +
           static_cast<size_t>(output_tasks_ * input_tasks_) * (x_panel_bytes_ + dy_panel_bytes_);
  }

  void run(Stream&, std::span<const Ref> operands, Scratch scratch) override {
    parallel_for(output_tasks_ * input_tasks_, [&](int64_t task) {
      const auto count = static_cast<int64_t>(inputs_.size());
      const int64_t o = task / input_tasks_, i = task % input_tasks_;
      const Part part{output_blocks_ * o / output_tasks_, output_blocks_ * (o + 1) / output_tasks_,
                      static_cast<size_t>(count * i / input_tasks_),
                      static_cast<size_t>(count * (i + 1) / input_tasks_)};
      std::byte* panels =
          scratch.data + tile_bytes() + static_cast<size_t>(task) * (x_panel_bytes_ + dy_panel_bytes_);
      const Memory memory{operands[0].data, operands[1].data, reinterpret_cast<float*>(scratch.data),
                          reinterpret_cast<uint32_t*>(panels),
                          reinterpret_cast<uint32_t*>(panels + x_panel_bytes_)};
      for (size_t c = 0; c < chunks_.order.size(); ++c)
        add_chunk(part, chunks_.order[c], c == 0 ? Store::set : Store::add, memory);
      write(part, memory.tiles, operands[2].as<float>());
    });
  }

 private:
  /// Blocks of output channels [first_output, last_output) and of input channels.
  struct Part {
    int64_t first_output, last_output;
    size_t first_input, last_input;
  };
  struct Memory {
    const std::byte *x, *dy;
    float* tiles;
    uint32_t *x_panel, *dy_panel;
  };

  [[nodiscard]] int64_t taps() const { return static_cast<int64_t>(walk_.taps.size()); }
  [[nodiscard]] size_t tile_bytes() const {
    const int64_t vectors = inputs_.back().first_vector + inputs_.back().vectors;
    return aligned(static_cast<size_t>(vectors * kLanes * taps() * output_blocks_ * outputs_) *
                   sizeof(float));
  }
  /// A tile's place; the tiles of a tap lie behind each other.
  [[nodiscard]] int64_t tile_at(const ChannelBlock& in, int64_t tap, int64_t out) const {
    return ((in.first_vector * taps() + tap * in.vectors) * output_blocks_ + out * in.vectors) * outputs_ *
           kLanes;
  }

  void add_chunk(const Part& part, const Chunk& chunk, Store store, const Memory& m) const {
    const ChunkShape& shape = chunks_.shapes[chunk.shape];
    const int64_t pitch = shape.images * shape.rows() * walk_.dy_row_entries() * outputs_ + kLanes;
    pack_dy_chunk(part, chunk, pitch, m);
    for (size_t i = part.first_input; i < part.last_input; ++i) {
      const ChannelBlock& in = inputs_[i];
      pack_x_chunk(in, chunk, m);
      const Tile tile = find_tile(type_, outputs_, in.vectors);
      for (int64_t tap = 0; tap < taps(); ++tap) {
        const std::vector<Run>& runs = shape.runs[static_cast<size_t>(tap)];
        for (int64_t out = part.first_output; out < part.last_output; ++out)
          tile(runs.data(), static_cast<int64_t>(runs.size()), m.x_panel,
               m.dy_panel + (out - part.first_output) * pitch, m.tiles + tile_at(in, tap, out), store);
      }
    }
  }

  void pack_dy_chunk(const Part& part, const Chunk& chunk, int64_t pitch, const Memory& m) const {
    const ChunkShape& shape = chunks_.shapes[chunk.shape];
    const int64_t first = part.first_output * outputs_;
    const int64_t channels = std::min(y_.c, part.last_output * outputs_) - first;
    const auto size = static_cast<int64_t>(size_of(type_));
    const int64_t pixel = y_.c * size, row_bytes = walk_.columns * pixel;
    uint32_t* entries = m.dy_panel;
    for (int64_t image = chunk.first_image; image < chunk.first_image + shape.images; ++image)
      for (int64_t row = shape.first_row; row < shape.last_row; ++row) {
        const std::byte* begin = m.dy + (image * walk_.rows + row) * row_bytes + first * size;
        pack_dy(type_, {begin, walk_.columns, pixel, channels}, outputs_, pitch, entries);
        entries += walk_.dy_row_entries() * outputs_;
      }
  }

  void pack_x_chunk(const ChannelBlock& in, const Chunk& chunk, const Memory& m) const {
    const ChunkShape& shape = chunks_.shapes[chunk.shape];
    const int64_t first = in.first_vector * kLanes;
    const int64_t channels = std::min<int64_t>(x_.c - first, in.vectors * kLanes);
    const auto size = static_cast<int64_t>(size_of(type_));
    const int64_t pixel = x_.c * size, row_bytes = walk_.in_columns * pixel;
    const int64_t phase_units = walk_.x_row_entries() / walk_.stride_w * in.vectors * kLanes;
    uint32_t* entries = m.x_panel;
    for (int64_t image = chunk.first_image; image < chunk.first_image + shape.images; ++image)
      for (int64_t row = shape.first_in_row; row < shape.last_in_row; ++row)
        for (int64_t phase = 0; phase < walk_.stride_w; ++phase, entries += phase_units) {
          if (!walk_.reads_row(row) || !walk_.reads_phase(phase)) continue;
          const std::byte* begin =
              m.x + (image * walk_.in_rows + row) * row_bytes + phase * pixel + first * size;
          pack_x(type_, {begin, walk_.pixels(phase), walk_.stride_w * pixel, channels}, in.vectors, entries);
        }
  }

  /// The tiles' numbers to where they belong in OHWI.
  void write(const Part& part, const float* tiles, float* dw) const {
    for (size_t i = part.first_input; i < part.last_input; ++i) {
      const ChannelBlock& in = inputs_[i];
      const int64_t first = in.first_vector * kLanes;
      const auto channels = static_cast<size_t>(std::min<int64_t>(x_.c - first, in.vectors * kLanes));
      for (int64_t o = part.first_output * outputs_; o < std::min(y_.c, part.last_output * outputs_); ++o)
        for (int64_t tap = 0; tap < taps(); ++tap)
          std::memcpy(dw + (o * taps() + tap) * x_.c + first,
                      tiles + tile_at(in, tap, o / outputs_) + o % outputs_ * in.vectors * kLanes,
                      channels * sizeof(float));
    }
  }

  Shape x_, y_;
  DType type_;
  Walk walk_;
  Chunks chunks_;
  std::vector<ChannelBlock> inputs_;
  int outputs_;
  int64_t output_blocks_, output_tasks_, input_tasks_;
  size_t x_panel_bytes_ = 0, dy_panel_bytes_ = 0;
};

}  // namespace

std::unique_ptr<Kernel> make_kernel(const Conv2d& op, const Shape& x, const Shape& y, DType type) {
  if (type == DType::f32 ? !has_avx512() : !has_bf16()) return nullptr;
  return std::make_unique<WeightGradient>(op, x, y, type);
}

}  // namespace xf::cpu::wgrad
