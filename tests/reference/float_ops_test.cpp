// SPDX-License-Identifier: Apache-2.0
#include "reference/float_ops.h"

#include <gtest/gtest.h>

#include <cmath>
#include <memory>

#include "gpueval/error.h"

namespace gpueval::reference {
namespace {

using Values = std::vector<float>;

// One node behind an input, with weights.
Graph graph_of(const Shape& in, Op op, const Shape& out, const Values& kernel = {}, const Values& bias = {}) {
  Graph graph{"one",
              {{.name = "input", .op = Input{}, .shape = in}, {.name = "node", .op = op, .inputs = {0}, .shape = out}},
              {{"node", 1}}};
  const auto param = [](Role role, const Values& values) {
    return Param{role, {{std::ssize(values)}, std::make_shared<const Values>(values)}};
  };
  if (!kernel.empty()) graph.nodes[1].params.push_back(param(Role::kKernel, kernel));
  if (!bias.empty()) graph.nodes[1].params.push_back(param(Role::kBias, bias));
  return graph;
}

Values run(const Graph& graph, const Values& values) {
  const FloatTensor src{graph.nodes[0].shape, values};
  const FloatTensor* const inputs[] = {&src};
  return float_node(graph, 1, inputs).values;
}

TEST(FloatReference, ConvHandComputed) {
  // 1 x 3 pixels of 2 channels, 1x2 kernel (s, in, out) = {1, 2}, {3, 4} for one output, one pixel of padding in front.
  const Conv2D op{.window = {.kernel_w = 2, .pad = {.left = 1}}, .act = Activation::kNone};
  const Values x{1, 10, 2, 20, 3, 30};
  EXPECT_EQ(run(graph_of({1, 1, 3, 2}, op, {1, 1, 3, 1}, {1, 2, 3, 4}, {0.5f}), x),
            (Values{3 + 40 + 0.5f, 1 + 20 + 6 + 80 + 0.5f, 2 + 40 + 9 + 120 + 0.5f}));
  Conv2D relu6 = op;
  relu6.act = Activation::kRelu6;
  EXPECT_EQ(run(graph_of({1, 1, 3, 2}, relu6, {1, 1, 3, 1}, {1, 0, -1, 0}), x), (Values{0, 0, 0}));
  EXPECT_EQ(run(graph_of({1, 1, 3, 2}, relu6, {1, 1, 3, 1}, {1, 0, 3, 0}), x), (Values{3, 6, 6}));
}

TEST(FloatReference, ConvAddsItsResidualBeforeTheActivation) {
  Graph graph = graph_of({1, 1, 2, 1}, Conv2D{.window = {}, .act = Activation::kRelu}, {1, 1, 2, 1}, {-1});
  graph.nodes[1].inputs = {0, 0};
  const FloatTensor src{{1, 1, 2, 1}, {1, 2}}, residual{{1, 1, 2, 1}, {3, -5}};
  const FloatTensor* const inputs[] = {&src, &residual};
  EXPECT_EQ(float_node(graph, 1, inputs).values, (Values{2, 0}));
}

TEST(FloatReference, DepthwiseAndDense) {
  const DepthwiseConv2D op{.window = {.kernel_w = 2, .stride_w = 2}, .act = Activation::kNone};
  EXPECT_EQ(run(graph_of({1, 1, 4, 2}, op, {1, 1, 2, 2}, {1, 10, 2, 20}), {1, 2, 3, 4, 5, 6, 7, 8}),
            (Values{1 + 6, 20 + 80, 5 + 14, 60 + 160}));
  EXPECT_EQ(run(graph_of({1, 1, 2, 1}, Dense{}, {1, 1, 1, 2}, {1, 2, 3, 4}, {10, 20}), {1, 2}),
            (Values{1 + 6 + 10, 2 + 8 + 20}));
}

TEST(FloatReference, PoolsIgnorePadding) {
  const Window window{.kernel_w = 3, .pad = {.left = 1, .right = 1}};
  const Values x{-1, -2, -6};
  EXPECT_EQ(run(graph_of({1, 1, 3, 1}, MaxPool{window}, {1, 1, 3, 1}), x), (Values{-1, -1, -2}));
  EXPECT_EQ(run(graph_of({1, 1, 3, 1}, AvgPool{window}, {1, 1, 3, 1}), x), (Values{-1.5f, -3, -4}));
  EXPECT_EQ(run(graph_of({1, 1, 3, 1}, GlobalAvgPool{}, {1, 1, 1, 1}), x), (Values{-3}));
  EXPECT_EQ(run(graph_of({1, 1, 1, 2}, ZeroPad{{.top = 1, .right = 1}}, {1, 2, 2, 2}), {5, 6}),
            (Values{0, 0, 0, 0, 5, 6, 0, 0}));
}

TEST(FloatReference, BetweenIntegersAndFloats) {
  QuantTensor q(DType::kS8, {1, 1, 2, 2});
  for (int i = 0; i < 4; ++i) q.set(i, i - 2);  // -2 -1 0 1
  const Values one{0.5f}, each{0.5f, 2.0f};
  EXPECT_EQ(dequantize(q, one).values, (Values{-1, -0.5f, 0, 0.5f}));
  const FloatTensor x = dequantize(q, each);
  EXPECT_EQ(x.values, (Values{-1, -2, 0, 2}));
  EXPECT_EQ(quantize_channels(x, each, DType::kS8).bytes, q.bytes);
  const QuantTensor u = quantize_channels({{1, 1, 1, 4}, {-1, 0.25f, 0.75f, 1000}}, one, DType::kU8);
  EXPECT_EQ(u.bytes, (std::vector<std::uint8_t>{0, 0, 2, 255}));  // ties to even
}

// Two channels, two pixels.
TEST(FloatReference, BatchNormAndAffine) {
  const auto node_of = [](const Op& op, const std::vector<std::pair<Role, Values>>& params) {
    Graph graph = graph_of({1, 1, 2, 2}, op, {1, 1, 2, 2});
    for (const auto& [role, values] : params) {
      graph.nodes[1].params.push_back({role, {{std::ssize(values)}, std::make_shared<const Values>(values)}});
    }
    return graph;
  };
  const Values x{1, 2, -3, 10};
  // (x - mean) * gamma / sqrt(variance + eps) + beta: variance + eps = 4 and 1
  std::vector<std::pair<Role, Values>> norm{
      {Role::kGamma, {6, 5}}, {Role::kBeta, {10, 20}}, {Role::kMean, {3, 2}}, {Role::kVariance, {3.5f, 0.5f}}};
  EXPECT_EQ(run(node_of(BatchNorm{.eps = 0.5f}, norm), x), (Values{4, 20, -8, 60}));
  norm.erase(norm.begin());  // gamma 1
  EXPECT_EQ(run(node_of(BatchNorm{.eps = 0.5f}, norm), x), (Values{9, 20, 7, 28}));
  EXPECT_EQ(run(node_of(BatchNorm{.eps = 0.5f, .act = Activation::kRelu6}, norm), x), (Values{6, 6, 6, 6}));
  const std::vector<std::pair<Role, Values>> affine{{Role::kGamma, {2, -0.5f}}, {Role::kBeta, {1, 0.25f}}};
  EXPECT_EQ(run(node_of(Affine{}, affine), x), (Values{3, -0.75f, -5, -4.75f}));
  EXPECT_EQ(run(node_of(Affine{Activation::kRelu}, affine), x), (Values{3, 0, 0, 0}));
}

TEST(FloatReference, FunctionsSlopesAndPairs) {
  const Shape one{1, 1, 1, 4}, two{1, 1, 2, 2};
  EXPECT_EQ(run(graph_of(one, Activate{{.kind = FunctionKind::kHardSigmoid, .alpha = 0.25f, .beta = 0.5f}}, one),
                {-3, -1, 0, 3}),
            (Values{0, 0.25f, 0.5f, 1}));
  EXPECT_EQ(run(graph_of(one, Activate{{.kind = FunctionKind::kRelu, .alpha = 0.5f, .beta = 1, .most = 3}}, one),
                {-3, 0, 2, 5}),
            (Values{-2, -0.5f, 2, 3}));
  Graph prelu = graph_of(two, PRelu{}, two);
  prelu.nodes[1].params = {{Role::kAlpha, {{2}, std::make_shared<const Values>(Values{0.5f, 2})}}};
  EXPECT_EQ(run(prelu, {-1, -1, 3, -4}), (Values{-0.5f, -2, 3, -8}));
  prelu.nodes[1].params = {{Role::kAlpha, {{1, 2, 2}, std::make_shared<const Values>(Values{1, 2, 3, 4})}}};
  EXPECT_EQ(run(prelu, {-1, -1, -1, -1}), (Values{-1, -2, -3, -4}));

  // (2, 1, 2) and (1, 2, 1) make (2, 2, 2)
  Graph pair = graph_of({1, 2, 1, 2}, Binary{BinaryKind::kSubtract}, {1, 2, 2, 2});
  pair.nodes[1].inputs = {0, 0};
  const FloatTensor a{{1, 2, 1, 2}, {1, 2, 3, 4}}, b{{1, 1, 2, 1}, {10, 20}};
  const FloatTensor* const sources[] = {&a, &b};
  EXPECT_EQ(float_node(pair, 1, sources).values, (Values{-9, -8, -19, -18, -7, -6, -17, -16}));
}

TEST(FloatReference, SoftmaxNormalizationsAndReductions) {
  const Shape shape{1, 1, 2, 2};
  EXPECT_EQ(run(graph_of(shape, Softmax{}, shape), {7, 7, -1000, 1000}), (Values{0.5f, 0.5f, 0, 1}));
  const auto normalized = [&](const Normalize& op, const Values& x) { return run(graph_of(shape, op, shape), x); };
  EXPECT_EQ(normalized({.kind = NormalizeKind::kLayer, .eps = 3}, {1, 3, 0, 0}), (Values{-0.5f, 0.5f, 0, 0}));
  EXPECT_EQ(normalized({.kind = NormalizeKind::kRms, .eps = 0}, {2, 2, 0, 4}),
            (Values{1, 1, 0, static_cast<float>(std::sqrt(2.0))}));
  EXPECT_EQ(normalized({.kind = NormalizeKind::kL2, .eps = 1}, {3, 4, 0, 0.5f}), (Values{0.6f, 0.8f, 0, 0.5f}));
  // each channel is a group
  EXPECT_EQ(normalized({.kind = NormalizeKind::kGroup, .eps = 0, .groups = 2}, {1, 10, 3, 50}), (Values{-1, -1, 1, 1}));
  Graph scaled = graph_of(shape, Normalize{.kind = NormalizeKind::kLayer, .eps = 0}, shape);
  scaled.nodes[1].params = {{Role::kGamma, {{2}, std::make_shared<const Values>(Values{2, 3})}},
                            {Role::kBeta, {{2}, std::make_shared<const Values>(Values{10, 20})}}};
  EXPECT_EQ(run(scaled, {5, 7, 8, 2}), (Values{8, 23, 12, 17}));

  const Shape cube{1, 2, 2, 2};
  const Values x{1, 2, 3, 4, 5, 6, 7, 8};
  EXPECT_EQ(run(graph_of(cube, Reduce{.kind = ReduceKind::kMean, .h = true, .w = true}, {1, 1, 1, 2}), x),
            (Values{4, 5}));
  EXPECT_EQ(run(graph_of(cube, Reduce{.kind = ReduceKind::kSum, .c = true}, {1, 2, 2, 1}), x), (Values{3, 7, 11, 15}));
  EXPECT_EQ(run(graph_of(cube, Reduce{.kind = ReduceKind::kMaximum, .h = true}, {1, 1, 2, 2}), x),
            (Values{5, 6, 7, 8}));
  EXPECT_EQ(run(graph_of(cube, Reduce{.kind = ReduceKind::kMinimum, .w = true, .c = true}, {1, 2, 1, 1}), x),
            (Values{1, 5}));
}

TEST(FloatReference, OtherNodesAreAnError) {
  EXPECT_THROW(run(graph_of({1, 1, 1, 1}, Flatten{}, {1, 1, 1, 1}), {1}), Error);
}

}  // namespace
}  // namespace gpueval::reference
