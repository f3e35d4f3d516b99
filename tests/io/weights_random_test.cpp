// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "core/random.h"
#include "gpueval/engine.h"
#include "gpueval/weights.h"

namespace gpueval {
namespace {

Graph residual() {
  GraphBuilder g("toy");
  const int x = g.conv2d("conv", g.input(8, 8, 64), 256, 3, 3, {.pad = Pad::kSame});
  const int main = g.max_pool("pool", g.batch_norm("main", x), 3, 1, Pad::kSame);
  const int plain = g.relu("relu", g.batch_norm("plain", x));
  return g.finish(g.add("add", {main, plain}));
}

const std::vector<float>& values(const Graph& graph, const char* node, Role role) {
  return *graph.nodes.at(static_cast<std::size_t>(graph.find(node))).find(role)->array.data;
}

TEST(RandomWeights, DoNotDependOnThreadsAndDoOnTheSeed) {
  set_threads(1);
  const Graph one = random_weights(residual(), 3);
  set_threads(3);
  const Graph three = random_weights(residual(), 3);
  set_threads(0);
  EXPECT_EQ(values(one, "conv", Role::kKernel), values(three, "conv", Role::kKernel));
  EXPECT_NE(values(one, "conv", Role::kKernel), values(random_weights(residual(), 4), "conv", Role::kKernel));
}

// The stream of "1/conv/kernel": FNV-1a of the name, then SplitMix64. Block boundaries (65,536) must not show.
TEST(RandomWeights, AreOneSplitMixStreamAnArray) {
  const Graph graph = random_weights(residual(), 1);
  std::uint64_t hash = 14695981039346656037u;
  for (const char c : std::string("1/conv/kernel")) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211u;
  Random random(hash);
  const float limit = static_cast<float>(std::sqrt(6.0 / (3 * 3 * 64)));
  const std::vector<float>& kernel = values(graph, "conv", Role::kKernel);
  ASSERT_GT(kernel.size(), 2u * 65'536);
  for (std::size_t i = 0; i < kernel.size(); ++i) {
    ASSERT_EQ(kernel[i], -limit + (limit + limit) * (static_cast<float>(random.next() >> 40) / 16'777'216.0f)) << i;
  }
}

TEST(RandomWeights, DampGammaInFrontOfAnAdditionOnly) {
  const Graph graph = random_weights(residual(), 1);
  const auto range = [&](const char* node, Role role) {
    const auto [lo, hi] = std::minmax_element(values(graph, node, role).begin(), values(graph, node, role).end());
    return std::pair{*lo, *hi};
  };
  EXPECT_GE(range("main", Role::kGamma).first, 0.16f);
  EXPECT_LE(range("main", Role::kGamma).second, 0.24f);
  EXPECT_GE(range("plain", Role::kGamma).first, 0.8f);
  EXPECT_LE(range("plain", Role::kGamma).second, 1.2f);
  EXPECT_GE(range("main", Role::kVariance).first, 0.5f);
  EXPECT_LT(range("main", Role::kMean).first, -0.1f);
}

}  // namespace
}  // namespace gpueval
