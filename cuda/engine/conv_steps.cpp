// SPDX-License-Identifier: Apache-2.0
// Integer convolutions, depthwise and dense layers by the rows of cuda/conv/kernels.inc.
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "cuda/conv/pack.h"
#include "cuda/engine/conv_source.h"
#include "cuda/engine/conv_steps.h"
#include "gpueval/error.h"

namespace gpueval::cuda {
namespace {

// A chosen kernel with its weights on the device.
class PreparedConv {
 public:
  PreparedConv(const StepContext& context, const ConvProblem& problem)
      : PreparedConv(context, problem, context.selector.choose(problem, context.self().name)) {}
  PreparedConv(const StepContext& context, const ConvProblem& problem, const ConvKernel& row)
      : problem_(problem), row_(row), multiprocessors_(context.runtime.properties().multiprocessors) {
    const IntegerOp& op = *context.self().integer;
    const auto channels = static_cast<std::size_t>(problem.desc.k);
    const std::vector<std::int8_t> packed = row_.pack(problem, *op.weights);
    weights_ = upload(context.runtime, std::span<const std::int8_t>(packed), context.stream);
    std::vector<float> m = op.m, b = op.b;  // dynamic ones have no m
    m.resize(channels, 0.0f);
    b.resize(channels, 0.0f);
    m_ = upload(context.runtime, std::span<const float>(m), context.stream);
    b_ = upload(context.runtime, std::span<const float>(b), context.stream);
    args_ = {.weights = weights_.data(),
             .m = static_cast<const float*>(m_.data()),
             .b = static_cast<const float*>(b_.data()),
             .lo = op.lo,
             .hi = op.hi,
             .residual_scale = op.residual_scale};
    context.scratch.need_workspace(row_.workspace(problem, multiprocessors_));
  }
  const ConvKernel& row() const { return row_; }
  const ConvProblem& problem() const { return problem_; }

  struct Tensors {
    const void* src;
    void* dst;
    const void* residual = nullptr;
    const float* image_scale = nullptr;
  };
  void enqueue(const Pass& pass, const Tensors& tensors) const {
    ConvArgs args = args_;
    args.n = pass.n;
    args.src = tensors.src;
    args.dst = tensors.dst;
    args.residual = tensors.residual;
    args.image_scale = tensors.image_scale;
    args.workspace = pass.tensors.workspace(pass.lane);
    row_.launch(problem_, args, multiprocessors_, pass.stream);
  }

 private:
  ConvProblem problem_;
  const ConvKernel& row_;
  int multiprocessors_;
  DeviceBuffer weights_, m_, b_;
  ConvArgs args_;
};

// Where it is faster, with the max pool behind it.
class StaticConv : public Step {
 public:
  explicit StaticConv(const StepContext& context)
      : node_(context.self()), self_(context.node), source_(context), conv_(context, problem(context)) {
    if (const int pool = context.pooled.pool_of(self_); pool >= 0) join(context, pool);
  }

  void enqueue(const Pass& pass) override {
    const void* src = source_.prepare(pass);
    if (joined_ && !pass.apart) {
      joined_->enqueue(pass, {.src = src, .dst = pass.view(pool_).data});
      return;
    }
    const void* residual = node_.inputs.size() > 1 ? pass.view(node_.inputs[1]).data : nullptr;
    conv_.enqueue(pass, {.src = src, .dst = pass.view(self_).data, .residual = residual});
  }
  std::string kernel() const override { return (joined_ ? *joined_ : conv_).row().name; }

 private:
  void join(const StepContext& context, int pool) {
    ConvProblem together = conv_.problem();
    together.pool = std::get<MaxPool>(context.graph.node(pool).op).window;
    together.dst_pitch = static_cast<int>(context.placement(pool).pitch);
    const ConvKernel* row = context.selector.choose_pooled(together, conv_.row());
    if (row == nullptr) return;
    joined_.emplace(context, together, *row);
    pool_ = pool;
    context.pooled.join(pool);
  }

  ConvProblem problem(const StepContext& context) const {
    ConvProblem result{.desc = source_.described(*conv_desc(context.graph, self_, context.batch)),
                       .src = context.input(0).type.dtype,
                       .dst = node_.type.dtype,
                       .src_pitch = source_.pitch(),
                       .dst_pitch = static_cast<int>(context.placement(self_).pitch),
                       .src_zero_point = context.input(0).type.zero_point};
    if (node_.inputs.size() > 1) {
      result.residual = context.input(1).type.dtype;
      result.residual_pitch = static_cast<int>(context.placement(node_.inputs[1]).pitch);
    }
    return result;
  }

  const Node& node_;
  int self_;
  ConvSource source_;
  PreparedConv conv_;
  std::optional<PreparedConv> joined_;
  int pool_ = -1;
};

// The `reference` scheme: per image, s_x = max|x| / 127, q = rint(x / s_x), y = acc * (s_x * s_w) + bias.
// Scratch: the quantized source, the scale of each image, the kernel's own numbers.
class DynamicConv : public Step {
 public:
  explicit DynamicConv(const StepContext& context)
      : ops_(ops_of(context.runtime)),
        node_(context.self()),
        self_(context.node),
        pitch_(source_pitch(context)),
        source_bytes_(aligned(static_cast<std::size_t>(source_pixels(context) * context.batch * pitch_))),
        scale_bytes_(aligned(static_cast<std::size_t>(context.batch) * sizeof(float))),
        conv_(context, {.desc = *conv_desc(context.graph, self_, context.batch),
                        .src = DType::kS8,
                        .dst = DType::kF32,
                        .src_pitch = pitch_,
                        .dst_pitch = static_cast<int>(context.placement(self_).pitch)}) {
    context.scratch.need(source_bytes_ + scale_bytes_ + static_cast<std::size_t>(context.batch) * sizeof(int));
  }

  void enqueue(const Pass& pass) override {
    const DeviceView src = pass.view(node_.inputs[0]);
    const DeviceView flat = std::holds_alternative<Dense>(node_.op) ? flattened(src) : src;
    auto* scratch = static_cast<std::byte*>(pass.tensors.scratch(pass.lane));
    auto* image_scale = reinterpret_cast<float*>(scratch + source_bytes_);
    auto* counters = reinterpret_cast<int*>(scratch + source_bytes_ + scale_bytes_);
    ops_.quantize_dynamic(flat, node_.integer->weight_scale, {scratch, DType::kS8, flat.shape, pitch_}, image_scale,
                          counters, pass.stream);
    conv_.enqueue(pass, {.src = scratch, .dst = pass.view(self_).data, .image_scale = image_scale});
  }
  std::string kernel() const override { return std::string(conv_.row().name) + " (dynamic)"; }

 private:
  static int source_pitch(const StepContext& context) {
    const int channels = conv_desc(context.graph, context.node)->c;
    return channels <= 4 ? 4 : round_up(channels, 16);
  }
  static std::int64_t source_pixels(const StepContext& context) {
    const ConvDesc desc = *conv_desc(context.graph, context.node);
    return std::int64_t{desc.h} * desc.w;
  }

  const Ops& ops_;
  const Node& node_;
  int self_;
  int pitch_;
  std::size_t source_bytes_, scale_bytes_;
  PreparedConv conv_;
};

}  // namespace

std::unique_ptr<Step> make_int8_conv(const StepContext& context) { return std::make_unique<StaticConv>(context); }
std::unique_ptr<Step> make_dynamic_conv(const StepContext& context) { return std::make_unique<DynamicConv>(context); }

}  // namespace gpueval::cuda
