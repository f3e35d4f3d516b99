// SPDX-License-Identifier: Apache-2.0
// scripts/make_model_goldens.py has the same formulas: change both or neither.
#include <algorithm>
#include <cmath>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/random.h"
#include "core/threads.h"
#include "gpueval/weights.h"

namespace gpueval {
namespace {

std::uint64_t fnv1a(std::string_view text) {
  std::uint64_t value = 0xcbf29ce484222325u;
  for (const char c : text) value = (value ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  return value;
}

struct Range {
  float lo, hi;
};

Range range_of(const Param& param) {
  switch (param.role) {
    case Role::kBias:
      return {-0.1f, 0.1f};
    case Role::kGamma:
      return {0.8f, 1.2f};
    case Role::kBeta:
    case Role::kMean:
      return {-0.2f, 0.2f};
    case Role::kVariance:
      return {0.5f, 1.5f};
    case Role::kAlpha:
      return {0.1f, 0.4f};
    case Role::kKernel:
    case Role::kDepthwiseKernel:
    case Role::kPointwiseKernel:
      break;
  }
  // He et al. 2015, uniform: every output element sums fan_in products.
  const std::vector<std::int64_t>& shape = param.array.shape;
  const std::size_t summed = param.role == Role::kDepthwiseKernel ? 2 : shape.size() - 1;
  double fan_in = 1;
  for (std::size_t i = 0; i < summed; ++i) fan_in *= static_cast<double>(shape[i]);
  const auto limit = static_cast<float>(std::sqrt(6.0 / fan_in));
  return {-limit, limit};
}

// 24 random bits a number, so that every step is exact or rounded once. SplitMix64's state is a counter: blocks start
// anywhere.
std::vector<float> uniform(std::uint64_t seed, std::int64_t count, Range range, float factor) {
  constexpr std::int64_t kBlock = 1 << 16;
  constexpr std::uint64_t kStep = 0x9e3779b97f4a7c15u;
  std::vector<float> values(static_cast<std::size_t>(count));
  const float span = range.hi - range.lo;
  parallel_for((count + kBlock - 1) / kBlock, [&](std::int64_t block) {
    const std::int64_t first = block * kBlock, last = std::min(count, first + kBlock);
    Random random(seed + static_cast<std::uint64_t>(first) * kStep);
    for (std::int64_t i = first; i < last; ++i) {
      const float unit = static_cast<float>(random.next() >> 40) * 0x1p-24f;
      values[static_cast<std::size_t>(i)] = (range.lo + span * unit) * factor;
    }
  });
  return values;
}

// Batch norms whose result reaches an addition directly or through a max pool.
std::vector<bool> before_add(const Graph& graph) {
  std::vector<bool> result(graph.nodes.size(), false);
  for (const Node& node : graph.nodes) {
    if (!std::holds_alternative<Add>(node.op)) continue;
    for (int input : node.inputs) {
      while (std::holds_alternative<MaxPool>(graph.node(input).op)) {
        input = graph.node(input).inputs[0];
      }
      result[static_cast<std::size_t>(input)] = true;
    }
  }
  return result;
}

}  // namespace

Graph random_weights(Graph graph, std::uint64_t seed) {
  const std::vector<bool> damped = before_add(graph);
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    Node& node = graph.nodes[i];
    for (Param& param : node.params) {
      const std::uint64_t stream = fnv1a(std::to_string(seed) + "/" + node.name + "/" + to_string(param.role));
      // Without the small gamma the logits of ResNet50 and Xception reach 1e4 to 1e7.
      const float factor = param.role == Role::kGamma && damped[i] ? 0.2f : 1.0f;
      param.array.data =
          std::make_shared<const std::vector<float>>(uniform(stream, param.array.elements(), range_of(param), factor));
    }
  }
  return graph;
}

}  // namespace gpueval
