// SPDX-License-Identifier: Apache-2.0
#include "quant/recipe/layer_weights.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "core/threads.h"
#include "quant/lowering.h"
#include "quant/recipe/gptq.h"

namespace gpueval {
namespace {

// The asymmetric target's ridge, times H's mean diagonal. Far less lets it chase noise.
constexpr double kRidge = 10.0;
constexpr double kLeastWeight = 1e-12;  // folded dead channels have weights near it

// Weights in units of the source's steps, one row an output channel, [K][R][S][C] (depthwise [C][R][S]).
struct Rows {
  std::size_t count, depth;
  std::vector<double> values;
  std::span<const double> row(std::size_t k) const { return {values.data() + k * depth, depth}; }
};

bool is_depthwise(const Node& node) { return std::holds_alternative<DepthwiseConv2D>(node.op); }

Rows weight_rows(const Node& node, std::span<const float> src_scale) {
  const std::vector<float>& kernel = *node.params[0].array.data;
  Rows rows{.count = static_cast<std::size_t>(node.shape.c), .depth = 0, .values = std::vector<double>(kernel.size())};
  rows.depth = kernel.size() / rows.count;
  for (std::size_t d = 0; d < rows.depth; ++d) {
    for (std::size_t k = 0; k < rows.count; ++k) {
      const double s = src_scale.size() == 1 ? src_scale[0] : src_scale[source_channel(node, k, d, src_scale.size())];
      rows.values[k * rows.depth + d] = s * kernel[d * rows.count + k];
    }
  }
  return rows;
}

std::vector<double> scales_of(const Rows& rows, bool per_channel) {
  std::vector<double> scale(rows.count, kLeastWeight);
  for (std::size_t i = 0; i < rows.values.size(); ++i) {
    double& largest = scale[i / rows.depth];
    largest = std::max(largest, std::abs(rows.values[i]));
  }
  if (!per_channel) scale.assign(rows.count, *std::max_element(scale.begin(), scale.end()));
  // As the table stores them.
  for (double& s : scale) s = static_cast<float>(s / 127.0);
  return scale;
}

IntegerWeights pack(const Node& node, const Rows& rows, const std::vector<double>& scale,
                    std::vector<std::int8_t> values) {
  IntegerWeights result{.values = std::move(values), .scale = {scale.begin(), scale.end()}};
  if (is_depthwise(node)) {  // [C][R][S] -> [R][S][C]
    const std::vector<std::int8_t> by_row = result.values;
    for (std::size_t i = 0; i < by_row.size(); ++i) {
      result.values[i % rows.depth * rows.count + i / rows.depth] = by_row[i];
    }
  }
  return result;
}

// weights + Cov(y - weights x, x) (H + ridge)^-1: ridge regression of y on x around the float weights.
void shift_target(Rows& rows, const SquareMatrix& h, std::span<const double> cross) {
  const std::size_t n = rows.depth;
  SquareMatrix ridged = h;
  double trace = 0;
  for (std::size_t i = 0; i < n; ++i) trace += h.row(i)[i];
  const double ridge = kRidge * std::max(trace / static_cast<double>(n), 1e-6);
  for (std::size_t i = 0; i < n; ++i) ridged.row(i)[i] += ridge;
  const SquareMatrix lower = cholesky(std::move(ridged));
  parallel_for_dynamic(static_cast<std::int64_t>((rows.count + kLanes - 1) / kLanes), [&](std::int64_t block) {
    const std::size_t first = static_cast<std::size_t>(block) * kLanes, count = std::min(kLanes, rows.count - first);
    std::vector<double> x(n * kLanes, 0.0), w(n * kLanes, 0.0);
    for (std::size_t r = 0; r < count; ++r) {
      for (std::size_t i = 0; i < n; ++i) {
        x[i * kLanes + r] = cross[(first + r) * n + i];
        w[i * kLanes + r] = -rows.values[(first + r) * n + i];
      }
    }
    multiply_lanes(h, w.data(), x.data());
    solve_lanes(lower, x.data());
    for (std::size_t r = 0; r < count; ++r) {
      for (std::size_t i = 0; i < n; ++i) rows.values[(first + r) * n + i] += x[i * kLanes + r];
    }
  });
}

IntegerWeights compensated_depthwise(const Node& node, Rows rows, bool per_channel, const Patches& patches,
                                     std::span<const float> y) {
  const std::vector<Covariance> channels = depthwise_covariance(patches, y, rows.count);
  for (std::size_t k = 0; k < rows.count && !y.empty(); ++k) {
    Rows own{.count = 1, .depth = rows.depth, .values = {rows.row(k).begin(), rows.row(k).end()}};
    shift_target(own, channels[k].inputs, channels[k].outputs);
    std::copy(own.values.begin(), own.values.end(), rows.values.begin() + static_cast<std::ptrdiff_t>(k * rows.depth));
  }
  const std::vector<double> scale = scales_of(rows, per_channel);
  std::vector<std::int8_t> values(rows.values.size());
  parallel_for_dynamic(static_cast<std::int64_t>(rows.count), [&](std::int64_t channel) {
    const auto k = static_cast<std::size_t>(channel);
    const auto own = CompensatedRounding(channels[k].inputs, {}).round_row(rows.row(k), scale[k]);
    std::copy(own.begin(), own.end(), values.begin() + static_cast<std::ptrdiff_t>(k * rows.depth));
  });
  return pack(node, rows, scale, std::move(values));
}

std::size_t groups_of(const Node& node) {
  const auto* conv = std::get_if<Conv2D>(&node.op);
  return conv != nullptr ? static_cast<std::size_t>(conv->groups) : 1;
}

Rows part_of(const Rows& rows, std::size_t first, std::size_t count) {
  const auto begin = rows.values.begin() + static_cast<std::ptrdiff_t>(first * rows.depth);
  return {count, rows.depth, {begin, begin + static_cast<std::ptrdiff_t>(count * rows.depth)}};
}

// Columns [first, first + count) of y: [positions][columns].
std::vector<float> columns_of(std::span<const float> y, std::size_t columns, std::size_t first, std::size_t count) {
  std::vector<float> part;
  part.reserve(y.size() / columns * count);
  for (std::size_t i = 0; i < y.size(); i += columns) {
    const auto begin = y.begin() + static_cast<std::ptrdiff_t>(i + first);
    part.insert(part.end(), begin, begin + static_cast<std::ptrdiff_t>(count));
  }
  return part;
}

}  // namespace

IntegerWeights nearest_weights(const Node& node, std::span<const float> src_scale, bool per_channel) {
  const Rows rows = weight_rows(node, src_scale);
  const std::vector<double> scale = scales_of(rows, per_channel);
  std::vector<std::int8_t> values(rows.values.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double q = rows.values[i] / scale[i / rows.depth];
    values[i] = static_cast<std::int8_t>(std::nearbyint(std::clamp(q, -127.0, 127.0)));
  }
  return pack(node, rows, scale, std::move(values));
}

IntegerWeights compensated_weights(const Node& node, std::span<const float> src_scale, bool per_channel,
                                   const Patches& patches, std::span<const float> y) {
  Rows rows = weight_rows(node, src_scale);
  if (is_depthwise(node)) return compensated_depthwise(node, std::move(rows), per_channel, patches, y);
  if (rows.depth > kDeepestCompensated) return nearest_weights(node, src_scale, per_channel);
  const std::size_t groups = groups_of(node), each = rows.count / groups;
  std::vector<SquareMatrix> inputs;
  for (std::size_t g = 0; g < groups; ++g) {
    const std::vector<float> own_y = columns_of(y, rows.count, g * each, each);
    Covariance sums = covariance(patches.group(static_cast<int>(g)), own_y, each);
    if (!y.empty()) {
      Rows own = part_of(rows, g * each, each);
      shift_target(own, sums.inputs, sums.outputs);
      std::ranges::copy(own.values, rows.values.begin() + static_cast<std::ptrdiff_t>(g * each * rows.depth));
    }
    inputs.push_back(std::move(sums.inputs));
  }
  const std::vector<double> scale = scales_of(rows, per_channel);
  std::vector<std::int8_t> values;
  for (std::size_t g = 0; g < groups; ++g) {
    const auto begin = scale.begin() + static_cast<std::ptrdiff_t>(g * each);
    const auto own =
        CompensatedRounding(inputs[g], {})
            .round(part_of(rows, g * each, each).values, {begin, begin + static_cast<std::ptrdiff_t>(each)});
    values.insert(values.end(), own.begin(), own.end());
  }
  return pack(node, rows, scale, std::move(values));
}

}  // namespace gpueval
