// SPDX-License-Identifier: Apache-2.0
#include "cpu/float32/dense.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "core/threads.h"
#include "cpu/float32/dense_tile.h"
#include "cpu/float32/float_plan.h"
#include "cpu/int8/scratch.h"
#include "gpueval/error.h"

namespace gpueval::cpu {

PlainDense::PlainDense(const ConvDesc& desc, Weights weights, std::span<const float> bias, Activation act)
    : desc_(desc),
      lo_(act == Activation::kNone ? -std::numeric_limits<float>::infinity() : 0.0f),
      hi_(act == Activation::kRelu6 ? 6.0f : std::numeric_limits<float>::infinity()),
      weights_(std::move(weights)),
      bias_(static_cast<std::size_t>(desc.k)) {
  GPUEVAL_CHECK(plain_dense_fits(desc) && std::ssize(*weights_) == desc.depth() * desc.k, "{} weights for {}",
                weights_->size(), to_string(desc));
  std::copy(bias.begin(), bias.end(), bias_.begin());
}

// Rows of images are often a power of two apart: side by side their inputs share no line of the cache.
const float* PlainDense::grouped_source(const float* src, int n) const {
  if (n == 1) return src;
  const std::int64_t depth = desc_.c, groups = (depth + kDenseRows - 1) / kDenseRows;
  auto* grouped = reinterpret_cast<float*>(scratch(ScratchSlot::kFloatSource, static_cast<std::size_t>(n * depth * 4)));
  parallel_for(groups, [&](std::int64_t group) {
    const std::int64_t first = group * kDenseRows, count = std::min<std::int64_t>(kDenseRows, depth - first);
    for (int i = 0; i < n; ++i) std::copy_n(src + i * depth + first, count, grouped + first * n + i * count);
  });
  return grouped;
}

void PlainDense::run(const FloatConvArgs& args) const {
  GPUEVAL_CHECK(args.n >= 1 && args.n <= desc_.n && args.residual == nullptr, "{} images for a batch of {}", args.n,
                desc_.n);
  const float* src = grouped_source(reinterpret_cast<const float*>(args.src), args.n);
  const std::int64_t units = desc_.k / kDenseChannels, chunk = dense_chunk(args.n);
  const int shares = threads();
  parallel_for(shares, [&](std::int64_t share) {
    const std::int64_t first = units * share / shares * kDenseChannels;
    const std::int64_t end = units * (share + 1) / shares * kDenseChannels;
    for (std::int64_t k = first; k < end; k += chunk) {
      dense_avx512({.src = src,
                    .images = args.n,
                    .depth = desc_.c,
                    .weights = weights_->data() + k,
                    .weights_stride = desc_.k,
                    .bias = bias_.data() + k,
                    .channels = static_cast<int>(std::min(chunk, end - k)),
                    .dst = reinterpret_cast<float*>(args.dst) + k,
                    .dst_stride = desc_.k,
                    .lo = lo_,
                    .hi = hi_});
    }
  });
}

}  // namespace gpueval::cpu
