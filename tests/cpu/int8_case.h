// SPDX-License-Identifier: Apache-2.0
// One convolution with random data, run by a kernel and by the reference.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/random.h"
#include "cpu/int8/int8_conv.h"
#include "reference/reference.h"

namespace gpueval::cpu {

struct CaseOptions {
  DType src = DType::kU8, dst = DType::kU8;
  std::optional<DType> residual;
  std::optional<float> dynamic_scale;
  int src_gap = 0, dst_gap = 0, residual_gap = 0;  // pitch - channels
  float saturation = 1;                            // scales m: above 1 most outputs are clamped
  std::uint64_t seed = 1;
};

struct Int8Case {
  ConvDesc desc;
  CaseOptions options;
  reference::QuantTensor src, residual;
  std::vector<std::int8_t> weights;
  std::vector<float> m, b;
  float lo = 0, hi = 0;

  Int8Case(const ConvDesc& d, const CaseOptions& o)
      : desc(d), options(o), src(o.src, {d.n, d.h, d.w, d.c}), residual(o.residual.value_or(DType::kU8), {}) {
    Random random(o.seed);
    fill(src, random);
    if (o.residual) {
      residual = reference::QuantTensor(*o.residual, {d.n, d.p(), d.q(), d.k});
      fill(residual, random);
    }
    weights.resize(static_cast<std::size_t>(d.k * d.depth()));
    for (auto& value : weights) value = static_cast<std::int8_t>(random.integer(-127, 127));
    // Sums of depth products spread over about the output's range.
    const double spread = 74.0 * 74.0 * std::sqrt(static_cast<double>(d.depth())) * 2;
    for (int k = 0; k < d.k; ++k) {
      m.push_back(static_cast<float>(random.uniform(0.3, 1.5) * 128 / spread * o.saturation));
      b.push_back(static_cast<float>(random.uniform(-60, 160)));
    }
    const bool relu = random.integer(0, 1) == 1;
    if (o.dst == DType::kF32) {
      lo = relu ? 0.0f : -std::numeric_limits<float>::infinity();
      hi = std::numeric_limits<float>::infinity();
    } else {
      lo = relu ? 0.0f : reference::lowest(o.dst);
      hi = random.integer(0, 2) == 0 ? reference::highest(o.dst) * 0.77f : reference::highest(o.dst);
    }
  }

  static void fill(reference::QuantTensor& tensor, Random& random) {
    const int low = tensor.dtype == DType::kS8 ? -127 : 0, high = tensor.dtype == DType::kS8 ? 127 : 255;
    for (std::int64_t i = 0; i < tensor.shape.elements(); ++i) {
      // Extremes are frequent: they are what overflows.
      const int kind = random.integer(0, 7);
      tensor.set(i, kind == 0 ? low : kind == 1 ? high : random.integer(low, high));
    }
  }

  // The reference's output as bytes (four an element if float32).
  std::vector<std::uint8_t> expected() const {
    std::vector<float> scale = m;
    if (options.dynamic_scale) scale.assign(m.size(), *options.dynamic_scale);
    const reference::ConvParams params{.desc = desc,
                                       .weights = weights,
                                       .m = scale,
                                       .b = b,
                                       .lo = lo,
                                       .hi = hi,
                                       .residual = options.residual ? &residual : nullptr,
                                       .residual_scale = 0.37f};
    if (options.dst != DType::kF32) return reference::conv(src, params, options.dst).bytes;
    const std::vector<float> v = reference::conv_f32(src, params);
    std::vector<std::uint8_t> bytes(v.size() * 4);
    std::memcpy(bytes.data(), v.data(), bytes.size());
    return bytes;
  }

  std::unique_ptr<Int8Conv> make(const std::string& kernel) const {
    return make_int8_conv({.desc = desc,
                           .src = options.src,
                           .dst = options.dst,
                           .weights = weights,
                           .m = m,
                           .b = b,
                           .lo = lo,
                           .hi = hi,
                           .residual = options.residual,
                           .residual_scale = 0.37f},
                          kernel);
  }

  static constexpr std::uint8_t kGuard = 0xA5;

  // The kernel's output, gaps removed. Sets *damaged if a byte between c and pitch, or before or behind the tensor
  // changed.
  std::vector<std::uint8_t> run(const Int8Conv& conv, bool* damaged) const {
    const std::int64_t element = options.dst == DType::kF32 ? 4 : 1;
    const std::int64_t dst_pitch = desc.k + options.dst_gap;
    const std::vector<std::uint8_t> in = spread(src, desc.c + options.src_gap);
    const std::vector<std::uint8_t> r = spread(residual, desc.k + options.residual_gap);
    constexpr std::int64_t kMargin = 256;
    const std::int64_t pixels = desc.output_pixels();
    std::vector<std::uint8_t> out(static_cast<std::size_t>(pixels * dst_pitch * element + 2 * kMargin), kGuard);
    conv.run({.n = desc.n,
              .src = in.data(),
              .src_pitch = desc.c + options.src_gap,
              .dst = out.data() + kMargin,
              .dst_pitch = dst_pitch,
              .residual = options.residual ? r.data() : nullptr,
              .residual_pitch = desc.k + options.residual_gap,
              .scale = options.dynamic_scale});
    std::vector<std::uint8_t> dense;
    *damaged = false;
    const std::int64_t end = static_cast<std::int64_t>(out.size());
    for (std::int64_t i = 0; i < end; ++i) {
      const std::int64_t at = i - kMargin;
      const bool inside = at >= 0 && at < pixels * dst_pitch * element && at % (dst_pitch * element) < desc.k * element;
      const std::uint8_t byte = out[static_cast<std::size_t>(i)];
      if (inside) {
        dense.push_back(byte);
      } else if (byte != kGuard) {
        *damaged = true;
      }
    }
    return dense;
  }

  // Dense -> pitched, the gaps filled with bytes that would show in the sums.
  static std::vector<std::uint8_t> spread(const reference::QuantTensor& tensor, int pitch) {
    if (tensor.bytes.empty()) return {};
    const auto channels = static_cast<std::size_t>(tensor.shape.c), step = static_cast<std::size_t>(pitch);
    const auto pixels = static_cast<std::size_t>(tensor.shape.pixels());
    // Ends with the last channel: a sanitizer sees reads beyond it.
    std::vector<std::uint8_t> out((pixels - 1) * step + channels, 0x77);
    for (std::size_t i = 0; i < pixels; ++i) {
      std::memcpy(out.data() + i * step, tensor.bytes.data() + i * channels, channels);
    }
    return out;
  }

  std::string describe(const std::string& kernel) const {
    return kernel + " " + to_string(desc) + " src=" + to_string(options.src) + " dst=" + to_string(options.dst) +
           (options.residual ? " residual=" + to_string(*options.residual) : "") +
           (options.dynamic_scale ? " dynamic" : "") + " gaps=" + std::to_string(options.src_gap) + "," +
           std::to_string(options.dst_gap) + "," + std::to_string(options.residual_gap) +
           " seed=" + std::to_string(options.seed);
  }

  // Empty, or the first difference with its coordinates.
  std::string compare(const std::vector<std::uint8_t>& actual, const std::vector<std::uint8_t>& want) const {
    if (actual.size() != want.size()) return "sizes differ";
    const std::size_t element = options.dst == DType::kF32 ? 4 : 1;
    for (std::size_t i = 0; i < want.size(); ++i) {
      if (actual[i] == want[i]) continue;
      const auto index = static_cast<std::int64_t>(i / element);
      const std::int64_t pixel = index / desc.k, in_image = pixel % (std::int64_t{desc.p()} * desc.q());
      return "first difference at n " + std::to_string(pixel / (std::int64_t{desc.p()} * desc.q())) + " p " +
             std::to_string(in_image / desc.q()) + " q " + std::to_string(in_image % desc.q()) + " k " +
             std::to_string(index % desc.k) + ": byte " + std::to_string(actual[i]) + ", expected " +
             std::to_string(want[i]);
    }
    return "";
  }
};

}  // namespace gpueval::cpu
