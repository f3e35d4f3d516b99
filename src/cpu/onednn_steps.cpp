// SPDX-License-Identifier: Apache-2.0
// Float32 by oneDNN, NHWC throughout (on AVX-512 its fastest kernels are NHWC ones and no tensor is ever reordered).
#include <omp.h>

#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/threads.h"
#include "cpu/conv_steps.h"
#include "cpu/onednn.h"
#include "cpu/step.h"
#include "gpueval/error.h"
#include "graph/passes.h"

namespace gpueval::cpu {
namespace {

using dnnl::memory;

const dnnl::engine& cpu() {
  static const dnnl::engine engine(dnnl::engine::kind::cpu, 0);
  return engine;
}

memory::desc nhwc(int n, int h, int w, int c) {
  return {{n, c, h, w}, memory::data_type::f32, memory::format_tag::nhwc};
}

onednn::Strides strides(const Window& w) {
  return {.stride = {w.stride_h, w.stride_w},
          .pad_begin = {w.pad.top, w.pad.left},
          .pad_end = {w.pad.bottom, w.pad.right},
          .between = {w.dilation_h - 1, w.dilation_w - 1}};
}

std::string kernel_name(const char* info) { return std::string("oneDNN:") + info; }

void append_activation(dnnl::post_ops& ops, Activation act) {
  if (act == Activation::kRelu) onednn::append_eltwise(ops, dnnl::algorithm::eltwise_relu, 0.0f, 0.0f);
  if (act == Activation::kRelu6) onednn::append_eltwise(ops, dnnl::algorithm::eltwise_clip, 0.0f, 6.0f);
}

dnnl::primitive_attr scratchpad_by_user() {
  dnnl::primitive_attr attributes;
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  return attributes;
}

// A primitive with memory of its own to run in, so that several of them may run at once.
struct Executor {
  dnnl::primitive primitive;
  memory src, dst, residual;
  std::unordered_map<int, memory> args;
  dnnl::stream stream{cpu()};

  void run(std::byte* from, std::byte* to, std::byte* add = nullptr) {
    src.set_data_handle(from);
    dst.set_data_handle(to);
    if (add != nullptr) residual.set_data_handle(add);
    primitive.execute(stream, args);
    stream.wait();
  }
};

// oneDNN divides a primitive's work by the threads there are when it is made: one, in a lane.
template <typename Make>
auto made_for_one_thread(Make&& make) {
  struct Restore {
    ~Restore() { omp_set_num_threads(threads()); }
  } restore;
  omp_set_num_threads(1);
  return make();
}

class OnednnConv : public Step {
 public:
  explicit OnednnConv(const StepContext& context) : node_(context.node), src_(context.self().inputs[0]) {
    const Node& node = context.self();
    ConvDesc desc = *conv_desc(context.graph, context.node, context.batch);
    if (node.inputs.size() > 1) residual_ = node.inputs[1];
    const dnnl::convolution_forward::primitive_desc pd = describe(desc, *fused_activation(node.op));
    kernel_ = kernel_name(pd.impl_info_str());
    pack_bias(node, desc);
    const memory weights = packed_weights(node, desc, pd.weights_desc());
    batch_ = executor(pd, weights);
    if (context.lanes == 0) return;
    desc.n = 1;
    const auto one = made_for_one_thread([&] { return describe(desc, *fused_activation(node.op)); });
    const bool same = one.weights_desc() == pd.weights_desc();
    const memory lane_weights = same ? weights : packed_weights(node, desc, one.weights_desc());
    for (int i = 0; i < context.lanes; ++i) {
      lanes_.push_back(made_for_one_thread([&] { return executor(one, lane_weights); }));
    }
  }

  void run(const Tensors& tensors, int /*n: always the whole batch*/) override {
    Executor& executor = tensors.lane() < 0 ? batch_ : lanes_[static_cast<std::size_t>(tensors.lane())];
    executor.run(tensors.data(src_), tensors.data(node_), residual_ >= 0 ? tensors.data(residual_) : nullptr);
  }
  std::string kernel() const override { return kernel_; }
  bool runs_in_lanes() const override { return !lanes_.empty(); }
  bool takes_whole_batches() const override { return true; }

 private:
  static memory::dims weight_dims(const ConvDesc& d) {
    if (d.depthwise) return {d.c, 1, 1, d.window.kernel_h, d.window.kernel_w};
    if (d.groups > 1) return {d.groups, d.k / d.groups, d.group_channels(), d.window.kernel_h, d.window.kernel_w};
    return {d.k, d.c, d.window.kernel_h, d.window.kernel_w};
  }

  dnnl::convolution_forward::primitive_desc describe(const ConvDesc& d, Activation act) const {
    const Window& w = d.window;
    const memory::desc dst = nhwc(d.n, d.p(), d.q(), d.k);
    dnnl::post_ops ops;
    if (residual_ >= 0) ops.append_binary(dnnl::algorithm::binary_add, dst);
    append_activation(ops, act);
    dnnl::primitive_attr attributes = scratchpad_by_user();
    attributes.set_post_ops(ops);
    return onednn::convolution(
        cpu(), nhwc(d.n, d.h, d.w, d.c), memory::desc(weight_dims(d), memory::data_type::f32, memory::format_tag::any),
        memory::desc({d.k}, memory::data_type::f32, memory::format_tag::a), dst, strides(w), attributes);
  }

  Executor executor(const dnnl::convolution_forward::primitive_desc& pd, const memory& weights) const {
    Executor made{.primitive = dnnl::convolution_forward(pd),
                  .src = memory(pd.src_desc(), cpu(), nullptr),
                  .dst = memory(pd.dst_desc(), cpu(), nullptr),
                  .residual = memory(pd.dst_desc(), cpu(), nullptr),
                  .args = {}};
    made.args = {{DNNL_ARG_SRC, made.src},
                 {DNNL_ARG_WEIGHTS, weights},
                 {DNNL_ARG_BIAS, bias_},
                 {DNNL_ARG_DST, made.dst},
                 {DNNL_ARG_SCRATCHPAD, memory(pd.scratchpad_desc(), cpu())}};
    if (residual_ >= 0) made.args.emplace(DNNL_ARG_ATTR_MULTIPLE_POST_OP(0) | DNNL_ARG_SRC_1, made.residual);
    return made;
  }

  // From Keras's (kh, kw, in, out) to the layout that the kernel asked for.
  static memory packed_weights(const Node& node, const ConvDesc& d, const memory::desc& wanted) {
    const auto& kernel = *node.params[0].array.data;
    const memory::desc keras(weight_dims(d), memory::data_type::f32,
                             d.depthwise || d.groups > 1 ? memory::format_tag::hwigo : memory::format_tag::hwio);
    // (kh, kw, c, 1) and (kh, kw, 1 group input, groups) are the same bytes.
    memory from(keras, cpu(), const_cast<float*>(kernel.data()));
    memory packed(wanted, cpu());
    dnnl::stream stream(cpu());
    dnnl::reorder(from, packed).execute(stream, from, packed);
    stream.wait();
    return packed;
  }

  void pack_bias(const Node& node, const ConvDesc& d) {
    bias_ = memory({{d.k}, memory::data_type::f32, memory::format_tag::a}, cpu());
    auto* bias = static_cast<float*>(bias_.get_data_handle());
    const Param* param = node.find(Role::kBias);
    for (int k = 0; k < d.k; ++k) bias[k] = param != nullptr ? (*param->array.data)[static_cast<std::size_t>(k)] : 0.0f;
  }

  int node_, src_, residual_ = -1;
  std::string kernel_;
  memory bias_;
  Executor batch_;
  std::vector<Executor> lanes_;  // of one image and one thread
};

class OnednnPool : public Step {
 public:
  OnednnPool(const StepContext& context, const Window& w, bool largest)
      : node_(context.node), src_(context.self().inputs[0]) {
    const Node& node = context.self();
    const Shape& in = context.input(0).shape;
    const auto algorithm = largest ? dnnl::algorithm::pooling_max : dnnl::algorithm::pooling_avg_exclude_padding;
    const auto describe = [&](int n) {
      return onednn::pooling(cpu(), algorithm, nhwc(n, in.h, in.w, in.c),
                             nhwc(n, node.shape.h, node.shape.w, node.shape.c), {w.kernel_h, w.kernel_w}, strides(w),
                             scratchpad_by_user());
    };
    const auto pd = describe(context.batch);
    kernel_ = kernel_name(pd.impl_info_str());
    batch_ = executor(pd);
    for (int i = 0; i < context.lanes; ++i) {
      lanes_.push_back(made_for_one_thread([&] { return executor(describe(1)); }));
    }
  }
  void run(const Tensors& tensors, int /*n: always the whole batch*/) override {
    Executor& executor = tensors.lane() < 0 ? batch_ : lanes_[static_cast<std::size_t>(tensors.lane())];
    executor.run(tensors.data(src_), tensors.data(node_));
  }
  std::string kernel() const override { return kernel_; }
  bool runs_in_lanes() const override { return !lanes_.empty(); }
  bool takes_whole_batches() const override { return true; }

 private:
  static Executor executor(const dnnl::pooling_forward::primitive_desc& pd) {
    Executor made{.primitive = dnnl::pooling_forward(pd),
                  .src = memory(pd.src_desc(), cpu(), nullptr),
                  .dst = memory(pd.dst_desc(), cpu(), nullptr),
                  .residual = {},
                  .args = {}};
    made.args = {
        {DNNL_ARG_SRC, made.src}, {DNNL_ARG_DST, made.dst}, {DNNL_ARG_SCRATCHPAD, memory(pd.scratchpad_desc(), cpu())}};
    return made;
  }

  int node_, src_;
  std::string kernel_;
  Executor batch_;
  std::vector<Executor> lanes_;
};

// oneDNN's exceptions say little; add which layer it was.
template <typename T, typename... Arguments>
std::unique_ptr<Step> make_named(const StepContext& context, const Arguments&... arguments) {
  try {
    return std::make_unique<T>(context, arguments...);
  } catch (const dnnl::error& error) {
    fail("{}: oneDNN has no float32 kernel for layer '{}' (output {}): {}", context.graph.name, context.self().name,
         to_string(context.self().shape), error.what());
  }
}

}  // namespace

std::unique_ptr<Step> make_onednn_conv(const StepContext& context) { return make_named<OnednnConv>(context); }
std::unique_ptr<Step> make_onednn_pool(const StepContext& context, const Window& window, bool largest) {
  return make_named<OnednnPool>(context, window, largest);
}

}  // namespace gpueval::cpu
