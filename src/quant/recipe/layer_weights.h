// SPDX-License-Identifier: Apache-2.0
// One layer's integer weights.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "gpueval/graph.h"
#include "quant/recipe/covariance.h"

namespace gpueval {

struct IntegerWeights {
  std::vector<std::int8_t> values;  // [K][R][S][C], depthwise [R][S][C]
  std::vector<float> scale;         // per output channel: real = scale * acc + bias
};

// A layer deeper than this keeps weights rounded to the nearest: its covariance would take gigabytes.
constexpr std::size_t kDeepestCompensated = 4608;  // 3 x 3 x 512

// node: of the float32 graph, with its kernel. src_scale: of its integer source, one or one per channel.
// per_channel: a weight scale for each output channel, else one.
IntegerWeights nearest_weights(const Node& node, std::span<const float> src_scale, bool per_channel);

// GPTQ on the integer inputs. y: the float network's output in front of the activation (minus the quantized residual),
// [positions][K], for the asymmetric target; empty: the target is the float weights.
IntegerWeights compensated_weights(const Node& node, std::span<const float> src_scale, bool per_channel,
                                   const Patches& patches, std::span<const float> y);

}  // namespace gpueval
