// SPDX-License-Identifier: Apache-2.0
// One convolution with random data, run by a kernel and by the reference.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cpu/int8/int8_conv.h"
#include "reference/random_conv.h"

namespace gpueval::cpu {

struct CaseOptions {
  DType src = DType::kU8, dst = DType::kU8;
  std::optional<DType> residual;
  std::optional<float> dynamic_scale;
  int src_gap = 0, dst_gap = 0, residual_gap = 0;  // pitch - channels
  float saturation = 1;                            // scales m: above 1 most outputs are clamped
  std::uint64_t seed = 1;
};

struct Int8Case : RandomConv {
  CaseOptions options;

  Int8Case(const ConvDesc& d, const CaseOptions& o) : Int8Case(d, o, Random(o.seed)) {}

  std::vector<std::uint8_t> expected() const {
    std::vector<std::uint8_t> all;
    for (int i = 0; i < desc.n; ++i) {
      const std::vector<std::uint8_t> image = expected_image(i, options.dynamic_scale);
      all.insert(all.end(), image.begin(), image.end());
    }
    return all;
  }

  std::unique_ptr<Int8Conv> make(const std::string& kernel) const {
    return make_int8_conv({.desc = desc,
                           .src = options.src,
                           .src_zero_point = src.zero_point,
                           .dst = options.dst,
                           .weights = weights,
                           .m = m,
                           .b = b,
                           .lo = lo,
                           .hi = hi,
                           .residual = options.residual,
                           .residual_scale = kResidualScale},
                          kernel);
  }

  static constexpr std::uint8_t kGuard = 0xA5;

  // The kernel's output, gaps removed. Sets *damaged if a byte between c and pitch, or before or behind the tensor
  // changed.
  std::vector<std::uint8_t> run(const Int8Conv& conv, bool* damaged) const {
    const std::int64_t element = element_bytes();
    const std::int64_t dst_pitch = desc.k + options.dst_gap;
    const std::vector<std::uint8_t> in = spread(src, src.shape.pixels(), 0, desc.c + options.src_gap, desc.c);
    std::vector<std::uint8_t> r;
    if (has_residual) r = spread(residual, residual.shape.pixels(), 0, desc.k + options.residual_gap, desc.k);
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

  std::string describe(const std::string& kernel) const {
    return kernel + " " + to_string(desc) + " src=" + to_string(options.src) + " dst=" + to_string(options.dst) +
           (options.residual ? " residual=" + to_string(*options.residual) : "") +
           (options.dynamic_scale ? " dynamic" : "") + " gaps=" + std::to_string(options.src_gap) + "," +
           std::to_string(options.dst_gap) + "," + std::to_string(options.residual_gap) +
           " zero=" + std::to_string(src.zero_point) + " seed=" + std::to_string(options.seed);
  }

 private:
  Int8Case(const ConvDesc& d, const CaseOptions& o, Random random)
      : RandomConv(d, o.src, o.dst, o.residual, o.saturation, random), options(o) {
    if (o.seed % 2 == 1) src.zero_point = random_zero_point(src.dtype, random);
  }
};

}  // namespace gpueval::cpu
