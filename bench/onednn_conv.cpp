// SPDX-License-Identifier: Apache-2.0
#include "onednn_conv.h"

#include <dnnl.hpp>
#include <unordered_map>

namespace gpueval::bench {

using dnnl::memory;

struct OneDnnConv::Impl {
  dnnl::engine engine{dnnl::engine::kind::cpu, 0};
  dnnl::stream stream{engine};
  dnnl::convolution_forward conv;
  std::unordered_map<int, memory> args;
};

OneDnnConv::OneDnnConv(const ConvDesc& d) : impl_(std::make_unique<Impl>()) {
  constexpr auto kF32 = memory::data_type::f32;
  const Window& w = d.window;
  const memory::desc src({d.n, d.c, d.h, d.w}, kF32, memory::format_tag::nhwc);
  const memory::dims kernel =
      d.depthwise ? memory::dims{d.c, 1, 1, w.kernel_h, w.kernel_w} : memory::dims{d.k, d.c, w.kernel_h, w.kernel_w};
  const memory::desc weights(kernel, kF32, memory::format_tag::any);
  const memory::desc bias({d.k}, kF32, memory::format_tag::x);
  const memory::desc dst({d.n, d.k, d.p(), d.q()}, kF32, memory::format_tag::nhwc);
  // Where the window does not reach the last rows, oneDNN wants a smaller padding than the network states.
  const memory::dim bottom = (d.p() - 1) * w.stride_h + w.kernel_h - d.h - w.pad.top;
  const memory::dim right = (d.q() - 1) * w.stride_w + w.kernel_w - d.w - w.pad.left;
  const dnnl::convolution_forward::desc desc(dnnl::prop_kind::forward_inference, dnnl::algorithm::convolution_direct,
                                             src, weights, bias, dst, {w.stride_h, w.stride_w}, {w.pad.top, w.pad.left},
                                             {bottom, right});
  dnnl::primitive_attr attr;
  dnnl::post_ops post;
  post.append_eltwise(1.0f, dnnl::algorithm::eltwise_relu, 0.0f, 0.0f);
  attr.set_post_ops(post);
  const dnnl::convolution_forward::primitive_desc primitive(desc, attr, impl_->engine);
  impl_->conv = dnnl::convolution_forward(primitive);
  const auto filled = [&](const memory::desc& layout) {
    memory m(layout, impl_->engine);
    auto* values = static_cast<float*>(m.get_data_handle());
    for (std::size_t i = 0; i < layout.get_size() / sizeof(float); ++i) {
      values[i] = static_cast<float>(i * 2654435761u % 1000) * 0.002f - 1.0f;
    }
    return m;
  };
  impl_->args = {{DNNL_ARG_SRC, filled(primitive.src_desc())},
                 {DNNL_ARG_WEIGHTS, filled(primitive.weights_desc())},
                 {DNNL_ARG_BIAS, filled(primitive.bias_desc())},
                 {DNNL_ARG_DST, filled(primitive.dst_desc())}};
}

OneDnnConv::~OneDnnConv() = default;

void OneDnnConv::run() {
  impl_->conv.execute(impl_->stream, impl_->args);
  impl_->stream.wait();
}

}  // namespace gpueval::bench
