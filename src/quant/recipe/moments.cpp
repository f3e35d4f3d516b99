// SPDX-License-Identifier: Apache-2.0
#include "quant/recipe/moments.h"

#include <algorithm>
#include <limits>

#include "core/threads.h"
#include "quant/recipe/wide.h"

namespace gpueval {
namespace {

// One pixel's channels onto the three sums.
GPUEVAL_WIDE void add_pixel(const float* x, float lo, float hi, double* sum, double* activated, double* linear,
                            std::size_t channels) {
  for (std::size_t c = 0; c < channels; ++c) {
    sum[c] += x[c];
    const float cut = std::min(std::max(x[c], lo), hi);
    activated[c] += cut;
    linear[c] += (x[c] > lo ? 1.0 : 0.0) * (x[c] < hi ? 1.0 : 0.0);
  }
}

}  // namespace

float activate_value(float y, Activation act) {
  if (act == Activation::kNone) return y;
  const float positive = std::max(y, 0.0f);
  return act == Activation::kRelu6 ? std::min(positive, 6.0f) : positive;
}

ChannelMoments::ChannelMoments(int channels)
    : sum(static_cast<std::size_t>(channels)), activated(sum.size()), linear(sum.size()) {}

void ChannelMoments::add(const TensorView& y, Activation act) {
  const std::size_t channels = sum.size();
  const std::int64_t pixels = y.shape.pixels() / y.shape.n;
  constexpr float kMost = std::numeric_limits<float>::infinity();
  const float lo = act == Activation::kNone ? -kMost : 0.0f, hi = act == Activation::kRelu6 ? 6.0f : kMost;
  std::vector<std::vector<double>> parts(static_cast<std::size_t>(y.shape.n));
  parallel_for(y.shape.n, [&](std::int64_t image) {
    std::vector<double> part(3 * channels, 0.0);
    for (std::int64_t p = image * pixels; p < (image + 1) * pixels; ++p) {
      const float* x = static_cast<const float*>(y.data) + p * y.pitch;
      add_pixel(x, lo, hi, part.data(), part.data() + channels, part.data() + 2 * channels, channels);
    }
    parts[static_cast<std::size_t>(image)] = std::move(part);
  });
  for (const std::vector<double>& part : parts) {
    for (std::size_t c = 0; c < channels; ++c) {
      sum[c] += part[c];
      activated[c] += part[channels + c];
      linear[c] += part[2 * channels + c];
    }
  }
  count += y.shape.pixels();
}

}  // namespace gpueval
