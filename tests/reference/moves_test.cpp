// SPDX-License-Identifier: Apache-2.0
// Operations that move elements, and resizing, against results worked out by hand; in int8 as in float32.
#include <gtest/gtest.h>

#include <numeric>

#include "reference/op_reference.h"

namespace gpueval::reference {
namespace {

using Values = std::vector<float>;

Graph one_node(const std::vector<Shape>& sources, const Op& op) {
  Graph graph{"one", {}, {}};
  Node node{.name = "node", .op = op};
  for (const Shape& shape : sources) {
    node.inputs.push_back(static_cast<int>(graph.nodes.size()));
    graph.nodes.push_back({.name = "input " + std::to_string(node.inputs.back()), .op = Input{}, .shape = shape});
  }
  node.shape = output_shape(graph, node);
  graph.nodes.push_back(node);
  return graph;
}

Shape shape_of(const Graph& graph) { return graph.nodes.back().shape; }

// Elements 1, 2, ... of every source.
Values run(Graph graph) {
  NetworkResult floats, integers;
  for (NetworkResult* result : {&floats, &integers}) {
    result->floats.resize(graph.nodes.size());
    result->tensors.resize(graph.nodes.size());
  }
  int next = 1;
  for (std::size_t i = 0; i + 1 < graph.nodes.size(); ++i) {
    const Shape& shape = graph.nodes[i].shape;
    floats.floats[i].shape = shape;
    integers.tensors[i] = QuantTensor(DType::kS8, shape);
    for (std::int64_t k = 0; k < shape.elements(); ++k) {
      floats.floats[i].values.push_back(static_cast<float>(next));
      integers.tensors[i].set(k, next++);
    }
  }
  const int last = static_cast<int>(graph.nodes.size()) - 1;
  run_node(graph, last, floats);
  const Values& values = floats.floats.back().values;
  for (Node& node : graph.nodes) node.type = {DType::kS8, {1.0f}};
  if (op_row(graph.nodes.back().op).form == OpForm::kInt8) {
    IntegerOp form;
    form.input_factors.assign(graph.nodes.size() - 1, 1.0f);
    graph.nodes.back().integer = form;
    run_node(graph, last, integers);
    const QuantTensor& bytes = integers.tensors.back();
    for (std::size_t i = 0; i < values.size(); ++i) {
      EXPECT_EQ(static_cast<float>(bytes.at(static_cast<std::int64_t>(i))), values[i]) << i;
    }
  }
  EXPECT_EQ(std::ssize(values), shape_of(graph).elements());
  return values;
}

Values run(const Shape& src, const Op& op) { return run(one_node({src}, op)); }

TEST(MovesReference, SlicesInEveryExtent) {
  // Rows 1 2 3 / 4 5 6 / 7 8 9
  EXPECT_EQ(run({1, 3, 3, 1}, Slice{.begin = {1, 1, 0}, .size = {2, 2, 1}}), (Values{5, 6, 8, 9}));
  EXPECT_EQ(run({1, 3, 3, 1}, Slice{.begin = {2, 0, 0}, .step = {-2, 2, 1}, .size = {2, 2, 1}}), (Values{7, 9, 1, 3}));
  EXPECT_EQ(run({1, 1, 2, 4}, Slice{.begin = {0, 0, 1}, .step = {1, 1, 2}, .size = {1, 2, 2}}), (Values{2, 4, 6, 8}));
  EXPECT_EQ(run({1, 1, 2, 3}, Slice{.begin = {0, 1, 2}, .step = {1, -1, -1}, .size = {1, 2, 3}}),
            (Values{6, 5, 4, 3, 2, 1}));
  EXPECT_THROW(one_node({{1, 3, 3, 1}}, Slice{.begin = {1, 0, 0}, .size = {3, 3, 1}}), Error);
}

TEST(MovesReference, ReshapesAndPermutes) {
  Values in_order(12);
  std::iota(in_order.begin(), in_order.end(), 1.0f);
  EXPECT_EQ(run({1, 2, 3, 2}, Reshape{{1, 4, 3}}), in_order);
  // (h, w, c) = (2, 3, 2); result (c, h, w)
  EXPECT_EQ(run({1, 2, 3, 2}, Permute{{2, 0, 1}}), (Values{1, 3, 5, 7, 9, 11, 2, 4, 6, 8, 10, 12}));
  EXPECT_EQ(run({1, 2, 3, 2}, Permute{{1, 0, 2}}), (Values{1, 2, 7, 8, 3, 4, 9, 10, 5, 6, 11, 12}));
  EXPECT_THROW(one_node({{1, 2, 3, 2}}, Reshape{{1, 4, 2}}), Error);
  EXPECT_THROW(one_node({{1, 2, 3, 2}}, Permute{{1, 1, 2}}), Error);
}

TEST(MovesReference, DepthBecomesSpace) {
  EXPECT_EQ(run({1, 1, 2, 4}, DepthToSpace{2, 2, {}}), (Values{1, 2, 5, 6, 3, 4, 7, 8}));
  EXPECT_EQ(run({1, 1, 1, 4}, DepthToSpace{1, 2, {}}), (Values{1, 2, 3, 4}));
  EXPECT_EQ(run({1, 1, 2, 6}, DepthToSpace{3, 1, {}}), (Values{1, 2, 7, 8, 3, 4, 9, 10, 5, 6, 11, 12}));
  EXPECT_EQ(run({1, 1, 2, 4}, DepthToSpace{2, 2, {.top = 1, .left = 1, .right = 1}}), (Values{4, 7}));
}

// 3 x 3 pixels, rates 2 x 1: rows 1 and 3, then row 2 and a row of zeros; then a gap each.
TEST(MovesReference, SpaceBecomesPicturesAndBack) {
  EXPECT_EQ(run({1, 3, 3, 1}, SpaceToBatch{.rate_h = 2, .gap = 1}),
            (Values{1, 2, 3, 7, 8, 9, 0, 0, 0, 4, 5, 6, 0, 0, 0, 0, 0, 0}));
  // rates 1 x 2 with a column in front: columns 0 and 2 (zero, 2), then 1 and 3 (1, 3)
  EXPECT_EQ(run({1, 1, 3, 1}, SpaceToBatch{.rate_w = 2, .pad = {.left = 1}}), (Values{0, 2, 1, 3}));
  EXPECT_EQ(run({1, 1, 2, 2}, SpaceToBatch{.rate_h = 2, .rate_w = 2}), (Values{1, 2, 3, 4, 0, 0, 0, 0}));
  // Four pictures of 2 x 2, one row apart, of which three rows and columns are there.
  EXPECT_EQ(run({1, 11, 2, 1}, BatchToSpace{.rate_h = 2, .rate_w = 2, .gap = 1, .h = 3, .w = 3}),
            (Values{1, 7, 2, 13, 19, 14, 3, 9, 4}));
  EXPECT_THROW(one_node({{1, 10, 2, 1}}, BatchToSpace{.rate_h = 2, .rate_w = 2, .gap = 1, .h = 3, .w = 3}), Error);
}

TEST(MovesReference, ResizesToTheNearest) {
  const auto row = [](Grid grid, int from, int to) { return run({1, 1, from, 1}, ResizeNearest{1, to, grid}); };
  EXPECT_EQ(row(Grid::kHalfPixel, 3, 6), (Values{1, 1, 2, 2, 3, 3}));
  EXPECT_EQ(row(Grid::kHalfPixel, 6, 3), (Values{2, 4, 6}));
  EXPECT_EQ(row(Grid::kHalfPixel, 2, 5), (Values{1, 1, 2, 2, 2}));  // 1.25 * 2 / 5 = 1: the one behind
  EXPECT_EQ(row(Grid::kAsymmetric, 6, 3), (Values{1, 3, 5}));
  EXPECT_EQ(row(Grid::kAsymmetric, 3, 5), (Values{1, 1, 2, 2, 3}));
  EXPECT_EQ(row(Grid::kAligned, 3, 5), (Values{1, 2, 2, 3, 3}));  // 0, .5, 1, 1.5, 2: halves up
  EXPECT_EQ(row(Grid::kAligned, 3, 1), (Values{1}));
  EXPECT_EQ(run({1, 2, 1, 2}, ResizeNearest{3, 2, Grid::kHalfPixel}), (Values{1, 2, 1, 2, 3, 4, 3, 4, 3, 4, 3, 4}));
}

TEST(MovesReference, ResizesLinearly) {
  const auto row = [](Grid grid, int from, int to) { return run({1, 1, from, 1}, ResizeLinear{1, to, grid}); };
  EXPECT_EQ(row(Grid::kHalfPixel, 2, 4), (Values{1, 1.25f, 1.75f, 2}));
  EXPECT_EQ(row(Grid::kAsymmetric, 2, 4), (Values{1, 1.5f, 2, 2}));
  EXPECT_EQ(row(Grid::kAligned, 3, 5), (Values{1, 1.5f, 2, 2.5f, 3}));
  EXPECT_EQ(row(Grid::kHalfPixel, 4, 2), (Values{1.5f, 3.5f}));
  EXPECT_EQ(run({1, 2, 2, 1}, ResizeLinear{3, 3, Grid::kAligned}), (Values{1, 1.5f, 2, 2, 2.5f, 3, 3, 3.5f, 4}));
}

TEST(MovesReference, JoinsAlongEveryAxis) {
  EXPECT_EQ(run(one_node({{1, 1, 2, 1}, {1, 2, 2, 1}}, Concat{Axis::kH})), (Values{1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(run(one_node({{1, 2, 1, 2}, {1, 2, 2, 2}}, Concat{Axis::kW})),
            (Values{1, 2, 5, 6, 7, 8, 3, 4, 9, 10, 11, 12}));
  EXPECT_EQ(run(one_node({{1, 1, 2, 1}, {1, 1, 2, 2}}, Concat{Axis::kC})), (Values{1, 3, 4, 2, 5, 6}));
}

}  // namespace
}  // namespace gpueval::reference
