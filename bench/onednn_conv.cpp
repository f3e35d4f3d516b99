// SPDX-License-Identifier: Apache-2.0
#include "onednn_conv.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <unordered_map>

#include "cpu/onednn.h"

namespace gpueval::bench {

using dnnl::memory;

struct OneDnnConv::Impl {
  const Problem& problem;
  Type type;
  dnnl::engine engine{dnnl::engine::kind::cpu, 0};
  dnnl::stream stream{engine};
  dnnl::convolution_forward conv;
  std::string implementation;
  std::unordered_map<int, memory> args;

  // `values` in the plain layout, reordered to what the convolution wants.
  template <typename T>
  memory filled(const memory::desc& plain, const std::vector<T>& values, const memory::desc& wanted) {
    memory from(plain, engine);
    std::memcpy(from.get_data_handle(), values.data(), values.size() * sizeof(T));
    if (plain == wanted) return from;
    memory to(wanted, engine);
    dnnl::reorder(from, to).execute(stream, from, to);
    stream.wait();
    return to;
  }
  template <typename T>
  void fill(const dnnl::convolution_forward::primitive_desc& primitive, const memory::desc& src,
            const memory::desc& weights, const memory::desc& bias);
};

// The problem's numbers: float32 weights carry m, a scaled int8 bias stands in units of the accumulators.
template <typename T>
void OneDnnConv::Impl::fill(const dnnl::convolution_forward::primitive_desc& primitive, const memory::desc& src,
                            const memory::desc& weights, const memory::desc& bias) {
  const bool real = type == Type::kF32;
  const std::vector<T> x(problem.src.bytes.begin(), problem.src.bytes.end());
  args.emplace(DNNL_ARG_SRC, filled(src, x, primitive.src_desc()));
  std::vector<float> b(problem.b.size());
  for (std::size_t k = 0; k < b.size(); ++k) {
    b[k] = !real && onednn::kBiasIsScaled ? problem.b[k] / problem.m[k] : problem.b[k];
  }
  args.emplace(DNNL_ARG_BIAS, filled(bias, b, primitive.bias_desc()));
  const ConvDesc& d = problem.desc;
  const auto per_filter = static_cast<std::size_t>(d.depth());
  if (real) {
    std::vector<float> w(problem.weights.size());
    for (std::size_t i = 0; i < w.size(); ++i) {
      const std::size_t k = d.depthwise ? i % static_cast<std::size_t>(d.c) : i / per_filter;
      w[i] = static_cast<float>(problem.weights[i]) * problem.m[k];
    }
    args.emplace(DNNL_ARG_WEIGHTS, filled(weights, w, primitive.weights_desc()));
  } else {
    args.emplace(DNNL_ARG_WEIGHTS, filled(weights, problem.weights, primitive.weights_desc()));
  }
  args.emplace(DNNL_ARG_DST, memory(primitive.dst_desc(), engine));
}

OneDnnConv::OneDnnConv(const Problem& problem, Type type) : impl_(std::make_unique<Impl>(problem, type)) {
  const ConvDesc& d = problem.desc;
  const bool real = type == Type::kF32;
  constexpr auto kF32 = memory::data_type::f32;
  const auto activation = real ? kF32 : memory::data_type::u8, weight = real ? kF32 : memory::data_type::s8;
  const Window& w = d.window;
  const memory::desc src({d.n, d.c, d.h, d.w}, activation, memory::format_tag::nhwc);
  const memory::dims kernel =
      d.depthwise ? memory::dims{d.c, 1, 1, w.kernel_h, w.kernel_w} : memory::dims{d.k, d.c, w.kernel_h, w.kernel_w};
  // Ours: [K][R][S][C], depthwise [R][S][C].
  const auto order = d.depthwise ? memory::format_tag::decab : memory::format_tag::acdb;
  const memory::desc plain(kernel, weight, order), weights(kernel, weight, memory::format_tag::any);
  const memory::desc bias({d.k}, kF32, memory::format_tag::x);
  const memory::desc dst({d.n, d.k, d.p(), d.q()}, activation, memory::format_tag::nhwc);
  // Where the window does not reach the last rows, oneDNN wants a smaller padding than the network states.
  const memory::dim bottom = (d.p() - 1) * w.stride_h + w.kernel_h - d.h - w.pad.top;
  const memory::dim right = (d.q() - 1) * w.stride_w + w.kernel_w - d.w - w.pad.left;
  dnnl::primitive_attr attr;
  if (!real) onednn::set_channel_scales(attr, problem.m, d.depthwise);
  dnnl::post_ops post;
  onednn::append_eltwise(post, dnnl::algorithm::eltwise_relu, 0.0f, 0.0f);
  attr.set_post_ops(post);
  const dnnl::convolution_forward::primitive_desc primitive = onednn::convolution(
      impl_->engine, src, weights, bias, dst,
      {.stride = {w.stride_h, w.stride_w}, .pad_begin = {w.pad.top, w.pad.left}, .pad_end = {bottom, right}}, attr);
  if (!real) onednn::add_channel_scales(impl_->args, impl_->engine, problem.m);
  impl_->conv = dnnl::convolution_forward(primitive);
  impl_->implementation = primitive.impl_info_str();
  if (real) {
    impl_->fill<float>(primitive, src, plain, bias);
  } else {
    impl_->fill<std::uint8_t>(primitive, src, plain, bias);
  }
}

OneDnnConv::~OneDnnConv() = default;

void OneDnnConv::run() {
  impl_->conv.execute(impl_->stream, impl_->args);
  impl_->stream.wait();
}

std::string OneDnnConv::implementation() const { return impl_->implementation; }

std::string OneDnnConv::verify() const {
  const auto k = static_cast<std::size_t>(impl_->problem.desc.k);
  const void* dst = impl_->args.at(DNNL_ARG_DST).get_data_handle();
  return impl_->problem.verify(
      [&](std::int64_t index) {
        std::vector<std::uint8_t> bytes(k);
        const std::size_t first = static_cast<std::size_t>(index) * k;
        for (std::size_t i = 0; i < k; ++i) {
          if (impl_->type == Type::kInt8) {
            bytes[i] = static_cast<const std::uint8_t*>(dst)[first + i];
          } else {
            const float value = static_cast<const float*>(dst)[first + i];
            bytes[i] = static_cast<std::uint8_t>(std::nearbyint(std::clamp(value, 0.0f, 255.0f)));
          }
        }
        return bytes;
      },
      1);
}

}  // namespace gpueval::bench
