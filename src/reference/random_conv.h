// SPDX-License-Identifier: Apache-2.0
// An integer convolution with random data, and what the reference makes of it.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "core/random.h"
#include "gpueval/conv_desc.h"
#include "reference/reference.h"

namespace gpueval {

// u8 tensors may have a zero point, s8 ones have none.
inline int random_zero_point(DType type, Random& random) { return type == DType::kU8 ? random.integer(0, 254) : 0; }
inline reference::QuantTensor with_zero_point(reference::QuantTensor tensor, Random& random) {
  tensor.zero_point = random_zero_point(tensor.dtype, random);
  return tensor;
}

struct RandomConv {
  ConvDesc desc;
  DType dst;
  bool has_residual;
  int out_h, out_w;  // of what compare() looks at
  reference::QuantTensor src, residual;
  std::vector<std::int8_t> weights;
  std::vector<float> m, b;
  float lo = 0, hi = 0;
  static constexpr float kResidualScale = 0.37f;

  // saturation scales m: above 1 most outputs are clamped.
  RandomConv(const ConvDesc& d, DType src_type, DType dst_type, std::optional<DType> residual_type, float saturation,
             Random& random)
      : desc(d),
        dst(dst_type),
        has_residual(residual_type.has_value()),
        out_h(d.p()),
        out_w(d.q()),
        src(src_type, {d.n, d.h, d.w, d.c}),
        residual(residual_type.value_or(DType::kU8), has_residual ? Shape{d.n, d.p(), d.q(), d.k} : Shape{}) {
    fill(src, random);
    fill(residual, random);
    weights.resize(static_cast<std::size_t>(d.k * d.depth()));
    for (auto& value : weights) value = static_cast<std::int8_t>(random.integer(-127, 127));
    for (int k = 0; k < d.k; ++k) {
      m.push_back(factor(random) * saturation);
      b.push_back(static_cast<float>(random.uniform(-60, 160)));
    }
    const bool relu = random.integer(0, 1) == 1;
    if (dst == DType::kF32) {
      lo = relu ? 0.0f : -std::numeric_limits<float>::infinity();
      hi = std::numeric_limits<float>::infinity();
    } else {
      lo = relu ? 0.0f : reference::lowest(dst);
      hi = random.integer(0, 2) == 0 ? reference::highest(dst) * 0.77f : reference::highest(dst);
    }
  }

  // Spreads sums of depth products over about the output's range.
  float factor(Random& random) const {
    const double spread = 74.0 * 74.0 * std::sqrt(static_cast<double>(desc.depth())) * 2;
    return static_cast<float>(random.uniform(0.3, 1.5) * 128 / spread);
  }

  static void fill(reference::QuantTensor& tensor, Random& random) {
    const int low = tensor.dtype == DType::kS8 ? -127 : 0, high = tensor.dtype == DType::kS8 ? 127 : 255;
    for (std::int64_t i = 0; i < tensor.shape.elements(); ++i) {
      // Extremes are frequent: they are what overflows.
      const int kind = random.integer(0, 7);
      tensor.set(i, kind == 0 ? low : kind == 1 ? high : random.integer(low, high));
    }
  }

  // Dense images [first, first + count) of a tensor.
  static reference::QuantTensor images_of(const reference::QuantTensor& tensor, int first, int count) {
    reference::QuantTensor out(tensor.dtype, {count, tensor.shape.h, tensor.shape.w, tensor.shape.c});
    const std::size_t image = out.bytes.size() / static_cast<std::size_t>(count);
    std::copy_n(tensor.bytes.begin() + static_cast<std::ptrdiff_t>(image * static_cast<std::size_t>(first)),
                out.bytes.size(), out.bytes.begin());
    out.zero_point = tensor.zero_point;
    return out;
  }

  // The reference's output of one image as bytes (four an element if float32); scale: instead of m.
  std::vector<std::uint8_t> expected_image(int image, std::optional<float> scale) const {
    const reference::QuantTensor in = images_of(src, image, 1);
    const reference::QuantTensor r = has_residual ? images_of(residual, image, 1) : residual;
    const std::vector<float> dynamic(m.size(), scale.value_or(0));
    reference::ConvParams params{.desc = desc,
                                 .weights = weights,
                                 .m = scale ? dynamic : m,
                                 .b = b,
                                 .lo = lo,
                                 .hi = hi,
                                 .residual = has_residual ? &r : nullptr,
                                 .residual_scale = kResidualScale};
    params.desc.n = 1;
    if (dst != DType::kF32) return reference::conv(in, params, dst).bytes;
    const std::vector<float> values = reference::conv_f32(in, params);
    std::vector<std::uint8_t> bytes(values.size() * sizeof(float));
    std::memcpy(bytes.data(), values.data(), bytes.size());
    return bytes;
  }

  // The first `pixels` pixels, each moved to a pixel of `pitch` channels behind `offset` bytes, and everything around
  // filled with bytes that would show in the sums. Ends `last_read` bytes behind the last pixel's start: a sanitizer
  // sees reads beyond.
  static std::vector<std::uint8_t> spread(const reference::QuantTensor& tensor, std::int64_t pixels, int offset,
                                          int pitch, int last_read) {
    const auto channels = static_cast<std::size_t>(tensor.shape.c), step = static_cast<std::size_t>(pitch);
    const auto begin = static_cast<std::size_t>(offset), count = static_cast<std::size_t>(pixels);
    std::vector<std::uint8_t> out((count - 1) * step + begin + static_cast<std::size_t>(last_read), 0x77);
    for (std::size_t i = 0; i < count; ++i) {
      std::memcpy(out.data() + begin + i * step, tensor.bytes.data() + i * channels, channels);
    }
    return out;
  }

  int element_bytes() const { return dst == DType::kF32 ? 4 : 1; }

  // Empty, or the first difference with its coordinates.
  std::string compare(const std::vector<std::uint8_t>& actual, const std::vector<std::uint8_t>& want) const {
    if (actual.size() != want.size()) return "sizes differ";
    const auto difference = std::mismatch(actual.begin(), actual.end(), want.begin());
    if (difference.first == actual.end()) return "";
    const auto index = static_cast<std::int64_t>(difference.first - actual.begin()) / element_bytes();
    const std::int64_t pixel = index / desc.k, image = std::int64_t{out_h} * out_w, in_image = pixel % image;
    return "first difference at n " + std::to_string(pixel / image) + " p " + std::to_string(in_image / out_w) + " q " +
           std::to_string(in_image % out_w) + " k " + std::to_string(index % desc.k) + ": expected " +
           value_text(want, index) + ", found " + value_text(actual, index);
  }

  // An element of the output as a number; floats with all their digits.
  std::string value_text(const std::vector<std::uint8_t>& bytes, std::int64_t index) const {
    const auto at = static_cast<std::size_t>(index);
    if (dst == DType::kU8) return std::to_string(bytes[at]);
    if (dst == DType::kS8) return std::to_string(static_cast<std::int8_t>(bytes[at]));
    float value = 0;
    std::memcpy(&value, &bytes[at * sizeof value], sizeof value);
    return fmt::format("{:.9g}", value);
  }
};

}  // namespace gpueval
