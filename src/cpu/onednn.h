// SPDX-License-Identifier: Apache-2.0
// What oneDNN 2 (Debian 12) and oneDNN 3 spell differently. Primitives for inference; throws dnnl::error where the
// library has no implementation.
#pragma once

#include <algorithm>
#include <dnnl.hpp>
#include <vector>

namespace gpueval::onednn {

using dnnl::memory;
inline constexpr auto kInference = dnnl::prop_kind::forward_inference;

struct Strides {
  memory::dims stride, pad_begin, pad_end;
  memory::dims between = {0, 0};  // rows and columns that a dilated window leaves out between two kernel positions
};

inline dnnl::convolution_forward::primitive_desc convolution(const dnnl::engine& engine, const memory::desc& src,
                                                             const memory::desc& weights, const memory::desc& bias,
                                                             const memory::desc& dst, const Strides& at,
                                                             const dnnl::primitive_attr& attributes) {
  constexpr auto kDirect = dnnl::algorithm::convolution_direct;
#if DNNL_VERSION_MAJOR >= 3
  return {engine, kInference, kDirect,    src,          weights,    bias,
          dst,    at.stride,  at.between, at.pad_begin, at.pad_end, attributes};
#else
  return {{kInference, kDirect, src, weights, bias, dst, at.stride, at.between, at.pad_begin, at.pad_end},
          attributes,
          engine};
#endif
}

inline dnnl::inner_product_forward::primitive_desc inner_product(const dnnl::engine& engine, const memory::desc& src,
                                                                 const memory::desc& weights, const memory::desc& bias,
                                                                 const memory::desc& dst,
                                                                 const dnnl::primitive_attr& attributes) {
#if DNNL_VERSION_MAJOR >= 3
  return {engine, kInference, src, weights, bias, dst, attributes};
#else
  return {{kInference, src, weights, bias, dst}, attributes, engine};
#endif
}

inline dnnl::pooling_forward::primitive_desc pooling(const dnnl::engine& engine, dnnl::algorithm algorithm,
                                                     const memory::desc& src, const memory::desc& dst,
                                                     const memory::dims& kernel, const Strides& at,
                                                     const dnnl::primitive_attr& attributes) {
#if DNNL_VERSION_MAJOR >= 3
  const memory::dims dense(kernel.size(), 0);  // no dilation
  return {engine, kInference, algorithm, src, dst, at.stride, kernel, dense, at.pad_begin, at.pad_end, attributes};
#else
  return {{kInference, algorithm, src, dst, at.stride, kernel, at.pad_begin, at.pad_end}, attributes, engine};
#endif
}

inline void append_eltwise(dnnl::post_ops& ops, dnnl::algorithm algorithm, float alpha, float beta) {
#if DNNL_VERSION_MAJOR >= 3
  ops.append_eltwise(algorithm, alpha, beta);
#else
  ops.append_eltwise(1.0f, algorithm, alpha, beta);
#endif
}

// Integer primitives, a scale for each output channel: oneDNN 2 computes scale * (sum + bias), oneDNN 3
// scale * sum + bias, with the scales as an argument of each execution.
#if DNNL_VERSION_MAJOR >= 3
inline constexpr bool kBiasIsScaled = false;
#else
inline constexpr bool kBiasIsScaled = true;
#endif

inline void set_channel_scales(dnnl::primitive_attr& attributes, [[maybe_unused]] const std::vector<float>& scales,
                               [[maybe_unused]] bool grouped) {
#if DNNL_VERSION_MAJOR >= 3
  attributes.set_scales_mask(DNNL_ARG_WEIGHTS, grouped ? (1 << 0) + (1 << 1) : 1 << 0);
#else
  attributes.set_output_scales(1 << 1, scales);
#endif
}

template <typename Arguments>
void add_channel_scales([[maybe_unused]] Arguments& arguments, [[maybe_unused]] const dnnl::engine& engine,
                        [[maybe_unused]] const std::vector<float>& scales) {
#if DNNL_VERSION_MAJOR >= 3
  memory held({{static_cast<memory::dim>(scales.size())}, memory::data_type::f32, memory::format_tag::x}, engine);
  std::copy(scales.begin(), scales.end(), static_cast<float*>(held.get_data_handle()));
  arguments.emplace(DNNL_ARG_ATTR_SCALES | DNNL_ARG_WEIGHTS, held);
#endif
}

}  // namespace gpueval::onednn
