// SPDX-License-Identifier: Apache-2.0
#include "cpu/int8/make_epilogue.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "cpu/int8/scratch.h"

namespace gpueval::cpu {
namespace {

Out out_type(DType type) { return type == DType::kU8 ? Out::kU8 : type == DType::kS8 ? Out::kS8 : Out::kF32; }

Residual residual_type(const std::optional<DType>& type) {
  return !type ? Residual::kNone : *type == DType::kU8 ? Residual::kU8 : Residual::kS8;
}

// Sums of |w| of each output channel; depthwise weights have the channel last.
std::vector<std::int64_t> weight_sums(const Int8ConvParams& params) {
  std::vector<std::int64_t> sums(params.m.size());
  const std::size_t channels = sums.size(), depth = params.weights.size() / channels;
  for (std::size_t i = 0; i < params.weights.size(); ++i) {
    sums[params.desc.depthwise ? i % channels : i / depth] += std::abs(int{params.weights[i]});
  }
  return sums;
}

bool in_range(const Int8ConvParams& params) {
  constexpr double kMost = 1 << 30;  // half of the range: rounding of the float sum is of no concern
  const double residual = params.residual ? 255.0 * std::abs(double{params.residual_scale}) : 0.0;
  const std::vector<std::int64_t> sums = weight_sums(params);
  for (std::size_t k = 0; k < sums.size(); ++k) {
    const double most =
        255.0 * static_cast<double>(sums[k]) * std::abs(double{params.m[k]}) + std::abs(double{params.b[k]}) + residual;
    if (!(most < kMost)) return false;
  }
  return true;
}

}  // namespace

Epilogue make_epilogue(const Int8ConvParams& params) {
  Epilogue epilogue{.out = out_type(params.dst),
                    .residual = residual_type(params.residual),
                    .lo = params.lo,
                    .hi = params.hi,
                    .residual_scale = params.residual_scale};
  if (epilogue.out == Out::kF32) return epilogue;
  // Rounding keeps order: clamping whole numbers to the rounded limits gives the same.
  const int lowest = epilogue.out == Out::kU8 ? 0 : -128, highest = epilogue.out == Out::kU8 ? 255 : 127;
  const auto limit = [&](float value) {
    return static_cast<int>(std::lrint(std::clamp(value, static_cast<float>(lowest), static_cast<float>(highest))));
  };
  const int low = limit(params.lo), high = limit(params.hi);
  epilogue.low_byte = static_cast<std::uint8_t>(low);
  epilogue.high_byte = static_cast<std::uint8_t>(high);
  epilogue.clamp_bytes = low > lowest || high < highest;
  epilogue.in_range = in_range(params);
  return epilogue;
}

Epilogue with_dynamic_scale(Epilogue epilogue) {
  epilogue.in_range = false;
  return epilogue;
}

const float* dynamic_scales(std::size_t count, float scale) {
  auto* scales = reinterpret_cast<float*>(scratch(ScratchSlot::kScale, count * sizeof(float)));
  std::fill_n(scales, count, scale);
  return scales;
}

}  // namespace gpueval::cpu
