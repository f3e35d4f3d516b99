// SPDX-License-Identifier: Apache-2.0
// Float32 by oneDNN, NHWC throughout (on AVX-512 its fastest kernels are NHWC ones and no tensor is ever reordered).
#include <dnnl.hpp>

#include <string>
#include <utility>

#include "cpu/step.h"
#include "gpueval/error.h"

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

std::string kernel_name(const char* info) { return std::string("oneDNN:") + info; }

void append_activation(dnnl::post_ops& ops, Activation act) {
  if (act == Activation::kRelu) ops.append_eltwise(1.0f, dnnl::algorithm::eltwise_relu, 0.0f, 0.0f);
  if (act == Activation::kRelu6) ops.append_eltwise(1.0f, dnnl::algorithm::eltwise_clip, 0.0f, 6.0f);
}

class OnednnConv : public Step {
 public:
  explicit OnednnConv(const StepContext& context) : node_(context.node), src_(context.self().inputs[0]) {
    const Node& node = context.self();
    const ConvDesc desc = *conv_desc(context.graph, context.node, context.batch);
    if (node.inputs.size() > 1) residual_ = node.inputs[1];
    const dnnl::convolution_forward::primitive_desc pd = describe(desc, *fused_act(node.op));
    kernel_ = kernel_name(pd.impl_info_str());
    scratch_ = memory(pd.scratchpad_desc(), cpu());
    src_memory_ = memory(pd.src_desc(), cpu(), nullptr);
    dst_memory_ = memory(pd.dst_desc(), cpu(), nullptr);
    residual_memory_ = memory(pd.dst_desc(), cpu(), nullptr);
    pack_weights(node, desc, pd.weights_desc());
    primitive_ = dnnl::convolution_forward(pd);
  }

  void run(const Tensors& tensors, int /*n: always the whole batch*/) override {
    src_memory_.set_data_handle(tensors.data(src_));
    dst_memory_.set_data_handle(tensors.data(node_));
    std::unordered_map<int, memory> args{{DNNL_ARG_SRC, src_memory_},
                                         {DNNL_ARG_WEIGHTS, weights_},
                                         {DNNL_ARG_BIAS, bias_},
                                         {DNNL_ARG_DST, dst_memory_},
                                         {DNNL_ARG_SCRATCHPAD, scratch_}};
    if (residual_ >= 0) {
      residual_memory_.set_data_handle(tensors.data(residual_));
      args.emplace(DNNL_ARG_ATTR_MULTIPLE_POST_OP(0) | DNNL_ARG_SRC_1, residual_memory_);
    }
    primitive_.execute(stream_, args);
    stream_.wait();
  }
  std::string kernel() const override { return kernel_; }

 private:
  static const Activation* fused_act(const Op& op) {
    if (const auto* conv = std::get_if<Conv2D>(&op)) return &conv->act;
    if (const auto* depthwise = std::get_if<DepthwiseConv2D>(&op)) return &depthwise->act;
    return &std::get<Dense>(op).act;
  }

  static memory::dims weight_dims(const ConvDesc& d) {
    if (d.depthwise) return {d.c, 1, 1, d.window.kernel_h, d.window.kernel_w};
    return {d.k, d.c, d.window.kernel_h, d.window.kernel_w};
  }

  dnnl::convolution_forward::primitive_desc describe(const ConvDesc& d, Activation act) const {
    const Window& w = d.window;
    const memory::desc dst = nhwc(d.n, d.p(), d.q(), d.k);
    dnnl::post_ops ops;
    if (residual_ >= 0) ops.append_binary(dnnl::algorithm::binary_add, dst);
    append_activation(ops, act);
    dnnl::primitive_attr attributes;
    attributes.set_post_ops(ops);
    attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
    return {{dnnl::prop_kind::forward_inference,
             dnnl::algorithm::convolution_direct,
             nhwc(d.n, d.h, d.w, d.c),
             memory::desc(weight_dims(d), memory::data_type::f32, memory::format_tag::any),
             memory::desc({d.k}, memory::data_type::f32, memory::format_tag::a),
             dst,
             {w.stride_h, w.stride_w},
             {w.pad.top, w.pad.left},
             {w.pad.bottom, w.pad.right}},
            attributes,
            cpu()};
  }

  // From Keras's (kh, kw, in, out) to the layout that the kernel asked for.
  void pack_weights(const Node& node, const ConvDesc& d, const memory::desc& wanted) {
    const auto& kernel = *node.params[0].array.data;
    const memory::desc keras(weight_dims(d), memory::data_type::f32,
                             d.depthwise ? memory::format_tag::hwigo : memory::format_tag::hwio);
    // (kh, kw, c, 1) and (kh, kw, 1 group input, groups) are the same bytes.
    memory from(keras, cpu(), const_cast<float*>(kernel.data()));
    weights_ = memory(wanted, cpu());
    dnnl::reorder(from, weights_).execute(stream_, from, weights_);
    stream_.wait();
    bias_ = memory({{d.k}, memory::data_type::f32, memory::format_tag::a}, cpu());
    auto* bias = static_cast<float*>(bias_.get_data_handle());
    const Param* param = node.find(Role::kBias);
    for (int k = 0; k < d.k; ++k) bias[k] = param != nullptr ? (*param->array.data)[static_cast<std::size_t>(k)] : 0.0f;
  }

  int node_, src_, residual_ = -1;
  std::string kernel_;
  dnnl::stream stream_{cpu()};
  dnnl::convolution_forward primitive_;
  memory src_memory_, dst_memory_, residual_memory_, weights_, bias_, scratch_;
};

class OnednnPool : public Step {
 public:
  explicit OnednnPool(const StepContext& context) : node_(context.node), src_(context.self().inputs[0]) {
    const Node& node = context.self();
    const Shape& in = context.input(0).shape;
    Window w{.kernel_h = in.h, .kernel_w = in.w};
    auto algorithm = dnnl::algorithm::pooling_avg_exclude_padding;
    if (const auto* pool = std::get_if<MaxPool>(&node.op)) {
      w = pool->window;
      algorithm = dnnl::algorithm::pooling_max;
    } else if (const auto* average = std::get_if<AvgPool>(&node.op)) {
      w = average->window;
    }
    const dnnl::pooling_forward::primitive_desc pd({dnnl::prop_kind::forward_inference,
                                                    algorithm,
                                                    nhwc(context.batch, in.h, in.w, in.c),
                                                    nhwc(context.batch, node.shape.h, node.shape.w, node.shape.c),
                                                    {w.stride_h, w.stride_w},
                                                    {w.kernel_h, w.kernel_w},
                                                    {w.pad.top, w.pad.left},
                                                    {w.pad.bottom, w.pad.right}},
                                                   cpu());
    kernel_ = kernel_name(pd.impl_info_str());
    src_memory_ = memory(pd.src_desc(), cpu(), nullptr);
    dst_memory_ = memory(pd.dst_desc(), cpu(), nullptr);
    primitive_ = dnnl::pooling_forward(pd);
  }
  void run(const Tensors& tensors, int /*n: always the whole batch*/) override {
    src_memory_.set_data_handle(tensors.data(src_));
    dst_memory_.set_data_handle(tensors.data(node_));
    primitive_.execute(stream_, {{DNNL_ARG_SRC, src_memory_}, {DNNL_ARG_DST, dst_memory_}});
    stream_.wait();
  }
  std::string kernel() const override { return kernel_; }

 private:
  int node_, src_;
  std::string kernel_;
  dnnl::stream stream_{cpu()};
  dnnl::pooling_forward primitive_;
  memory src_memory_, dst_memory_;
};

// oneDNN's exceptions say little; add which layer it was.
template <typename T>
std::unique_ptr<Step> make_named(const StepContext& context) {
  try {
    return std::make_unique<T>(context);
  } catch (const dnnl::error& error) {
    fail("{}: oneDNN has no float32 kernel for layer '{}' (output {}): {}", context.graph.name, context.self().name,
         to_string(context.self().shape), error.what());
  }
}

}  // namespace

std::unique_ptr<Step> make_onednn_conv(const StepContext& context) { return make_named<OnednnConv>(context); }
std::unique_ptr<Step> make_onednn_pool(const StepContext& context) { return make_named<OnednnPool>(context); }

}  // namespace gpueval::cpu
