// SPDX-License-Identifier: Apache-2.0
#include "graph/op_row.h"

#include <gtest/gtest.h>

#include <set>

#include "graph/passes.h"

namespace gpueval {
namespace {

TEST(OpRows, AreTheAlternativesOfOpInTheirOrder) {
  ASSERT_EQ(op_rows().size(), std::variant_size_v<Op>);
  EXPECT_EQ(op_name(Input{}), "Input");
  EXPECT_EQ(op_name(Relu{}), "ReLU");
  EXPECT_EQ(op_name(Affine{}), "Affine");
  EXPECT_EQ(op_name(Dequantize{}), "Dequantize");
  std::set<std::string> names, classes;
  for (const OpRow& row : op_rows()) {
    EXPECT_TRUE(names.insert(row.name).second) << row.name;
    const std::string keras = row.keras_class;
    EXPECT_TRUE(keras.empty() || classes.insert(keras).second) << keras;
  }
}

TEST(OpRows, HaveTheRightRules) {
  EXPECT_EQ(op_row(BatchNorm{}).form, OpForm::kFloat);
  EXPECT_EQ(op_row(Affine{}).form, OpForm::kInt8Logits);
  EXPECT_EQ(op_row(SeparableConv2D{}).form, OpForm::kNone);
  EXPECT_EQ(op_row(MaxPool{}).scale, OpScale::kSource);
  EXPECT_EQ(op_row(ZeroPad{}).scale, OpScale::kCopy);
  EXPECT_STREQ(op_row(GlobalAvgPool{}).keras_class, "GlobalAveragePooling2D");
}

// Signs: of an affine of ReLU, of a sum of two, and of a sum with what may be negative.
TEST(OpRows, SignsFollowTheSources) {
  GraphBuilder g("signs");
  const int relu = g.relu("relu", g.input(4, 4, 2));
  const int norm = g.batch_norm("norm", relu);
  const int cut = g.relu6("cut", norm);
  const int sum = g.add("sum", {relu, cut});
  const int mixed = g.concat("mixed", {sum, norm});
  const Graph graph = g.finish(mixed);
  const std::vector<bool> positive = non_negative(graph);
  EXPECT_EQ(positive, (std::vector<bool>{false, true, false, true, true, false}));
}

// Pixels that are never negative make what only moves or sums them so.
TEST(OpRows, SignsOfTheInputAreItsOwn) {
  GraphBuilder g("pixels");
  Graph graph = g.finish(g.max_pool("pool", g.input(4, 4, 2), 2, 2));
  EXPECT_EQ(non_negative(graph), (std::vector<bool>{false, false}));
  graph.nodes[0].op = Input{.non_negative = true};
  EXPECT_EQ(non_negative(graph), (std::vector<bool>{true, true}));
}

TEST(OpRows, ShapesAreInferredFromSourcesAndWeights) {
  GraphBuilder g("shapes");
  int x = g.input(19, 17, 3);
  EXPECT_EQ(g.shape(x = g.conv2d("conv", x, 12, 3, 3, {.stride = 2, .pad = Pad::kSame})), (Shape{1, 10, 9, 12}));
  EXPECT_EQ(g.shape(g.depthwise_conv2d("dw", x, 3, {})), (Shape{1, 8, 7, 12}));
  EXPECT_EQ(g.shape(g.separable_conv2d("sep", x, 5, 3, {.pad = Pad::kSame})), (Shape{1, 10, 9, 5}));
  EXPECT_EQ(g.shape(g.max_pool("max", x, 2, 2)), (Shape{1, 5, 4, 12}));
  EXPECT_EQ(g.shape(g.avg_pool("avg", x, 3, 1, Pad::kSame)), (Shape{1, 10, 9, 12}));
  EXPECT_EQ(g.shape(g.concat("join", {x, x})), (Shape{1, 10, 9, 24}));
  EXPECT_EQ(g.shape(g.zero_pad("pad", x, {1, 2, 3, 4})), (Shape{1, 13, 16, 12}));
  EXPECT_EQ(g.shape(g.flatten("flat", x)), (Shape{1, 1, 1, 1080}));
  EXPECT_EQ(g.shape(g.dense("dense", x, 7)), (Shape{1, 1, 1, 7}));
  EXPECT_EQ(g.shape(g.global_avg_pool("mean", x)), (Shape{1, 1, 1, 12}));
  EXPECT_THROW(g.add("sum", {x, 0}), Error);
  EXPECT_THROW(g.concat("bad", {x, 0}), Error);
  EXPECT_THROW(g.relu("nothing", 99), Error);
}

}  // namespace
}  // namespace gpueval
