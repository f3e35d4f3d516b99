// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "reference/reference.h"

namespace gpueval::reference {
namespace {

// One output element's sum.
std::int32_t accumulate(const QuantTensor& src, const ConvParams& params, int n, int p, int q, int k) {
  const ConvDesc& d = params.desc;
  const Window& window = d.window;
  std::int32_t acc = 0;
  for (int r = 0; r < window.kernel_h; ++r) {
    for (int s = 0; s < window.kernel_w; ++s) {
      const int h = p * window.stride_h - window.pad.top + r * window.dilation_h;
      const int w = q * window.stride_w - window.pad.left + s * window.dilation_w;
      const bool real = h >= 0 && h < d.h && w >= 0 && w < d.w;
      const auto value = [&](int c) { return real ? src.at(n, h, w, c) : src.zero_point; };
      if (d.depthwise) {
        acc += value(k) * params.weights[static_cast<std::size_t>((r * window.kernel_w + s) * d.c + k)];
        continue;
      }
      const int channels = d.group_channels(), first = k / (d.k / d.groups) * channels;
      for (int c = 0; c < channels; ++c) {
        const std::int64_t index = ((std::int64_t{k} * window.kernel_h + r) * window.kernel_w + s) * channels + c;
        acc += value(first + c) * params.weights[static_cast<std::size_t>(index)];
      }
    }
  }
  return acc;
}

}  // namespace

std::vector<std::int32_t> conv_accumulators(const QuantTensor& src, const ConvParams& params) {
  const ConvDesc& d = params.desc;
  std::vector<std::int32_t> acc;
  acc.reserve(static_cast<std::size_t>(d.output_pixels() * d.k));
  for (int n = 0; n < d.n; ++n) {
    for (int p = 0; p < d.p(); ++p) {
      for (int q = 0; q < d.q(); ++q) {
        for (int k = 0; k < d.k; ++k) acc.push_back(accumulate(src, params, n, p, q, k));
      }
    }
  }
  return acc;
}

std::vector<float> conv_f32(const QuantTensor& src, const ConvParams& params) {
  const std::vector<std::int32_t> acc = conv_accumulators(src, params);
  std::vector<float> dst(acc.size());
  for (std::size_t i = 0; i < acc.size(); ++i) {
    const std::size_t k = i % static_cast<std::size_t>(params.desc.k);
    float v = std::fmaf(static_cast<float>(acc[i]), params.m[k], params.b[k]);
    if (params.residual != nullptr) {
      const auto r = static_cast<float>(params.residual->at(static_cast<std::int64_t>(i)));
      v = std::fmaf(r, params.residual_scale, v);
    }
    dst[i] = v > params.lo ? v : params.lo;
  }
  return dst;
}

QuantTensor conv(const QuantTensor& src, const ConvParams& params, DType dst) {
  const ConvDesc& d = params.desc;
  const std::vector<float> v = conv_f32(src, params);
  QuantTensor out(dst, {d.n, d.p(), d.q(), d.k});
  for (std::size_t i = 0; i < v.size(); ++i) {
    out.set(static_cast<std::int64_t>(i), round_clamped(v[i], params.lo, params.hi));
  }
  return out;
}

}  // namespace gpueval::reference
