// SPDX-License-Identifier: Apache-2.0
#include "graph/passes.h"

#include <gtest/gtest.h>

#include <cmath>
#include <memory>

#include "gpueval/error.h"

namespace gpueval {
namespace {

using Values = std::vector<float>;

void bind(Graph& graph, const std::string& node, std::vector<Values> values) {
  Node& layer = graph.node(graph.find(node));
  ASSERT_EQ(layer.params.size(), values.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    ASSERT_EQ(layer.params[i].array.elements(), static_cast<std::int64_t>(values[i].size()));
    layer.params[i].array.data = std::make_shared<const Values>(values[i]);
  }
}

const Node& node(const Graph& graph, const std::string& name) {
  const int index = graph.find(name);
  if (index < 0) throw Error("no node " + name);
  return graph.node(index);
}

TEST(FoldBatchNorm, GivesGainAndBias) {
  GraphBuilder g("test");
  int x = g.conv2d("conv", g.input(4, 4, 1), 2, 1, 1, {.bias = true});
  Graph graph = g.finish(g.batch_norm("bn", x, 0.5f));
  bind(graph, "conv", {{2.0f, -3.0f}, {1.0f, 4.0f}});
  // gamma, beta, mean, variance; variance + eps = 4 and 1
  bind(graph, "bn", {{6.0f, 5.0f}, {10.0f, 20.0f}, {3.0f, 2.0f}, {3.5f, 0.5f}});
  const Graph folded = fold_batch_norm(graph);
  ASSERT_EQ(folded.nodes.size(), 2u);
  EXPECT_EQ(*node(folded, "conv").params[0].array.data, (Values{6.0f, -15.0f}));  // w * gamma / 2, w * gamma / 1
  EXPECT_EQ(*node(folded, "conv").params[1].array.data, (Values{4.0f, 30.0f}));   // 10 + (1-3)*3, 20 + (4-2)*5
  EXPECT_EQ(folded.output(), folded.find("conv"));
}

// Of two input channels, the kernels (1, 1, 2, 3) and (1, 1, 2, 1).
struct Normalized {
  Graph graph;
  Normalized(bool beta, bool is_output, bool other_reader) {
    GraphBuilder g("test");
    const int norm = g.normalize("norm", g.input(4, 4, 2), {.kind = NormalizeKind::kL2}, true, beta);
    const int a = g.conv2d("a", norm, 3, 1, 1, {.bias = false}), b = g.conv2d("b", norm, 1, 1, 1, {.bias = false});
    std::vector<GraphOutput> outputs{{"a", a}, {"b", b}};
    if (is_output) outputs.push_back({"norm", norm});
    if (other_reader) outputs.push_back({"relu", g.relu("relu", norm)});
    graph = g.finish(outputs);
    if (beta) bind(graph, "norm", {{2, -5}, {0, 1}});
    if (!beta) bind(graph, "norm", {{2, -5}});
    bind(graph, "a", {{1, 2, 3, 4, 5, 6}});
    bind(graph, "b", {{7, 8}});
  }
};

TEST(FoldGamma, ScalesTheInputsOfTheReaders) {
  const Graph folded = fold_gamma(Normalized(false, false, false).graph);
  EXPECT_EQ(*node(folded, "a").params[0].array.data, (Values{2, 4, 6, -20, -25, -30}));
  EXPECT_EQ(*node(folded, "b").params[0].array.data, (Values{14, -40}));
  EXPECT_TRUE(node(folded, "norm").params.empty());
}

TEST(FoldGamma, LeavesWhatOthersNeed) {
  for (const Normalized& kept :
       {Normalized(true, false, false), Normalized(false, true, false), Normalized(false, false, true)}) {
    const Graph folded = fold_gamma(kept.graph);
    EXPECT_EQ(*node(folded, "b").params[0].array.data, (Values{7, 8}));
    EXPECT_FALSE(node(folded, "norm").params.empty());
  }
}

// What is an output as well as read stays a tensor of its own.
TEST(Passes, NothingIsFusedIntoAnOutput) {
  GraphBuilder g("test");
  const int conv = g.conv2d("conv", g.input(4, 4, 2), 2, 1, 1, {});
  const int norm = g.batch_norm("bn", conv);
  const int relu = g.relu("relu", norm);
  const int other = g.conv2d("other", relu, 2, 1, 1, {});
  Graph graph = g.finish({{"a", conv}, {"b", norm}, {"c", other}, {"d", g.add("sum", {other, relu})}});
  for (Node& each : graph.nodes) {
    for (Param& param : each.params) {
      param.array.data = std::make_shared<const Values>(static_cast<std::size_t>(param.array.elements()), 1.0f);
    }
  }
  const Graph kept = fuse_residual_add(fuse_activation(fold_batch_norm(graph)));
  ASSERT_EQ(kept.nodes.size(), graph.nodes.size());
  for (std::size_t i = 0; i < graph.outputs.size(); ++i) {
    EXPECT_EQ(kept.outputs[i].name, graph.outputs[i].name);
    EXPECT_EQ(kept.node(kept.outputs[i].node).name, graph.node(graph.outputs[i].node).name);
  }
}

// What nothing else reads takes up what is behind it, and the output goes with it.
TEST(Passes, OutputsFollowWhatIsFused) {
  GraphBuilder g("test");
  const int x = g.input(4, 4, 2);
  const int fused = g.relu("fused_relu", g.conv2d("fused", x, 3, 1, 1, {}));
  const int apart = g.separable_conv2d("apart", x, 3, 3, {});
  g.conv2d("unread", x, 3, 1, 1, {});
  const int padded = g.zero_pad("padded", x, {1, 1, 1, 1});
  const int valid = g.conv2d("valid", padded, 3, 3, 3, {});
  const Graph graph = fuse_activation(fold_padding(expand_separable(
      g.finish({{"pixels", x}, {"fused", fused}, {"apart", apart}, {"valid", valid}, {"padded", padded}}))));
  std::string found;
  for (const auto& [name, index] : graph.outputs) found += name + "=" + graph.node(index).name + " ";
  EXPECT_EQ(found, "pixels=input fused=fused apart=apart/pointwise valid=valid padded=padded ");
  EXPECT_EQ(graph.find("unread"), -1);
  EXPECT_EQ(node(graph, "valid").inputs, std::vector<int>{0});
  EXPECT_EQ(graph.uses()[0], 5);  // by fused, apart, valid and padded, and as an output
}

TEST(Builder, OutputsHaveDifferentNames) {
  GraphBuilder g("twice");
  const int x = g.input(1, 1, 2);
  EXPECT_THROW(g.finish({{"a", x}, {"a", x}}), Error);
  EXPECT_THROW(g.finish({{"a", 1}}), Error);
  EXPECT_THROW(g.finish(std::vector<GraphOutput>{}), Error);
}

TEST(FoldGamma, RefusesWhatIsBeyondFloat32) {
  Normalized normalized(false, false, false);
  bind(normalized.graph, "norm", {{2, -1e20f}});
  bind(normalized.graph, "b", {{7, 1e20f}});
  try {
    fold_gamma(normalized.graph);
    ADD_FAILURE() << "it was folded";
  } catch (const Error& error) {
    EXPECT_EQ(std::string(error.what()),
              "the kernel of layer 'b' is -inf in input channel 1 once the gamma of 'norm' (-1e+20) is folded into it; "
              "the weights are damaged or their training went wrong");
  }
}

TEST(FoldBatchNorm, RefusesWhatIsBeyondFloat32) {
  GraphBuilder g("test");
  int x = g.conv2d("conv", g.input(4, 4, 1), 2, 1, 1, {.bias = true});
  Graph graph = g.finish(g.batch_norm("bn", x, 0.5f));
  const auto message = [&](float weight, float gamma, float mean) {
    bind(graph, "conv", {{2.0f, weight}, {1.0f, 4.0f}});
    bind(graph, "bn", {{6.0f, gamma}, {10.0f, 20.0f}, {3.0f, mean}, {3.5f, 0.5f}});
    try {
      fold_batch_norm(graph);
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string("no error");
  };
  EXPECT_EQ(message(3, 5, 2), "no error");
  EXPECT_NE(message(1e20f, 1e20f, 2)
                .find("the kernel of layer 'conv' is inf in channel 1 once batch norm 'bn' is "
                      "folded into it (gamma 1e+20, moving_variance 0.5)"),
            std::string::npos)
      << message(1e20f, 1e20f, 2);
  EXPECT_NE(message(1, 1e20f, 1e30f).find("the bias of layer 'conv' is -inf in channel 1"), std::string::npos)
      << message(1, 1e20f, 1e30f);
}

TEST(FoldBatchNorm, KeepsASharedConvolution) {
  GraphBuilder g("test");
  const int x = g.conv2d("conv", g.input(4, 4, 1), 2, 1, 1, {});
  const int bn = g.batch_norm("bn", x);
  Graph graph = g.finish(g.add("add", {x, bn}));
  EXPECT_GE(fold_batch_norm(graph).find("bn"), 0);
}

TEST(BatchNormToAffine, MultipliesAndAddsPerChannel) {
  GraphBuilder g("test");
  const int x = g.input(4, 4, 2);
  Graph graph = g.finish(g.relu6("relu", g.batch_norm("bn", g.concat("join", {x}), 0.5f)));
  // gamma, beta, mean, variance; variance + eps = 4 and 1
  bind(graph, "bn", {{6.0f, 5.0f}, {10.0f, 20.0f}, {3.0f, 2.0f}, {3.5f, 0.5f}});
  const Graph lowered = fuse_activation(batch_norm_to_affine(graph));
  EXPECT_EQ(std::get<Affine>(node(lowered, "bn").op).act, Activation::kRelu6);
  ASSERT_EQ(node(lowered, "bn").params.size(), 2u);
  EXPECT_EQ(*node(lowered, "bn").find(Role::kGamma)->array.data, (Values{3.0f, 5.0f}));
  EXPECT_EQ(*node(lowered, "bn").find(Role::kBeta)->array.data, (Values{1.0f, 10.0f}));  // 10 - 3 * 3, 20 - 2 * 5
  bind(graph, "bn", {{6.0f, 1e30f}, {10.0f, 20.0f}, {3.0f, 1e30f}, {3.5f, 0.5f}});
  try {
    batch_norm_to_affine(graph);
    FAIL() << "1e30 * 1e30 was taken";
  } catch (const Error& error) {
    EXPECT_EQ(std::string(error.what()).find("batch norm 'bn' multiplies or adds -inf in channel 1"), 0u)
        << error.what();
  }
}

TEST(FuseActivation, OnlyWhereNothingElseReads) {
  GraphBuilder g("test");
  const int conv1 = g.conv2d("conv1", g.input(4, 4, 1), 2, 1, 1, {});
  const int relu1 = g.relu6("relu1", conv1);
  const int conv2 = g.conv2d("conv2", relu1, 2, 1, 1, {});
  const int relu2 = g.relu("relu2", conv2);
  const Graph fused = fuse_activation(g.finish(g.add("add", {conv2, relu2})));
  EXPECT_EQ(std::get<Conv2D>(node(fused, "conv1").op).act, Activation::kRelu6);
  EXPECT_EQ(fused.find("relu1"), -1);
  EXPECT_EQ(std::get<Conv2D>(node(fused, "conv2").op).act, Activation::kNone);
  EXPECT_GE(fused.find("relu2"), 0);
}

TEST(FuseResidualAdd, TakesTheLaterConvolutionAndSortsBehindTheOtherOperand) {
  GraphBuilder g("test");
  const int x = g.input(8, 8, 4);
  const int shortcut = g.conv2d("shortcut", x, 4, 1, 1, {.stride = 2});
  const int pool = g.max_pool("pool", x, 3, 2, Pad::kSame);
  const Graph fused =
      fuse_activation(fuse_residual_add(fuse_activation(g.finish(g.relu("relu", g.add("add", {shortcut, pool}))))));
  ASSERT_EQ(fused.find("add"), -1);
  ASSERT_EQ(fused.find("relu"), -1);
  const Node& conv = node(fused, "shortcut");
  ASSERT_EQ(conv.inputs.size(), 2u);
  EXPECT_EQ(conv.inputs[1], fused.find("pool"));
  EXPECT_GT(fused.find("shortcut"), fused.find("pool"));
  EXPECT_EQ(std::get<Conv2D>(conv.op).act, Activation::kRelu);
}

TEST(FuseResidualAdd, LeavesASharedOperandAlone) {
  GraphBuilder g("test");
  const int x = g.conv2d("stem", g.input(8, 8, 4), 4, 1, 1, {});
  const int conv = g.conv2d("conv", x, 4, 3, 3, {.pad = Pad::kSame});
  const Graph fused = fuse_residual_add(g.finish(g.add("add", {x, conv})));
  EXPECT_EQ(node(fused, "conv").inputs.size(), 2u);
  EXPECT_EQ(node(fused, "stem").inputs.size(), 1u);
}

TEST(FoldPadding, IntoConvolutionsAndPoolsOfNonNegativeTensorsOnly) {
  GraphBuilder g("test");
  int x = g.zero_pad("pad1", g.input(224, 224, 3), {3, 3, 3, 3});
  x = g.conv2d("conv1", x, 8, 7, 7, {.stride = 2});
  x = g.relu("relu", x);
  x = g.max_pool("pool1", g.zero_pad("pad2", x, {1, 1, 1, 1}), 3, 2);
  x = g.conv2d("conv2", x, 8, 1, 1, {});
  x = g.max_pool("pool2", g.zero_pad("pad3", x, {1, 1, 1, 1}), 3, 2);
  const Graph folded = fold_padding(g.finish(x));
  EXPECT_EQ(std::get<Conv2D>(node(folded, "conv1").op).window.pad, (Padding{3, 3, 3, 3}));
  EXPECT_EQ(std::get<MaxPool>(node(folded, "pool1").op).window.pad, (Padding{1, 1, 1, 1}));
  EXPECT_EQ(folded.find("pad1"), -1);
  EXPECT_EQ(folded.find("pad2"), -1);
  EXPECT_GE(folded.find("pad3"), 0) << "a signed tensor's zeros change the maximum";
}

TEST(ExpandSeparable, SplitsTheLayer) {
  GraphBuilder g("test");
  const int x = g.separable_conv2d("sep", g.input(8, 8, 4), 6, 3, {.pad = Pad::kSame, .bias = false});
  const Graph expanded = expand_separable(g.finish(g.relu("relu", x)));
  const Node& pointwise = node(expanded, "sep/pointwise");
  EXPECT_EQ(pointwise.inputs[0], expanded.find("sep/depthwise"));
  EXPECT_EQ(node(expanded, "relu").inputs[0], expanded.find("sep/pointwise"));
  EXPECT_EQ(node(expanded, "sep/depthwise").shape, (Shape{1, 8, 8, 4}));
  EXPECT_EQ(node(expanded, "sep/depthwise").params[0].role, Role::kDepthwiseKernel);
  EXPECT_EQ(pointwise.params[0].role, Role::kKernel);
}

// Several ReLUs of one tensor are one, those of other functions or that leave the network are not.
TEST(MergeActivations, TheSameFunctionOfOneTensorIsComputedOnce) {
  GraphBuilder g("merge");
  const int x = g.input(4, 4, 3);
  const Function silu{.kind = FunctionKind::kSilu}, tanh{.kind = FunctionKind::kTanh};
  const int all =
      g.concat("all", {g.relu("relu", x), g.relu("again", x), g.relu6("six", x), g.activate("silu", x, silu),
                       g.activate("tanh", x, tanh), g.activate("silu2", x, silu)});
  const Graph graph = merge_activations(g.finish({{"all", all}, {"out", g.relu("last", x)}}));
  std::string names;
  for (const Node& node : graph.nodes) names += node.name + ' ';
  EXPECT_EQ(names, "input relu six silu tanh all last ");
  const std::vector<int>& inputs = node(graph, "all").inputs;
  EXPECT_EQ(inputs[1], inputs[0]);
  EXPECT_EQ(inputs[5], inputs[3]);
}

// A batch norm and a ReLU behind what makes a map of a convolution's pictures or channels: the convolution takes both.
TEST(HoistOverMoves, BatchNormAndReluReachTheConvolution) {
  GraphBuilder g("hoist");
  int x = g.depth_to_space("space", g.conv2d("conv", g.input(4, 4, 3), 8, 1, 1, {}), 2, 2);
  x = g.relu("relu", g.batch_norm("norm", x));
  const int shared = g.batch_to_space("map", g.conv2d("shared", x, 2, 1, 1, {}), {.rate_h = 2, .h = 8, .w = 8});
  const int read = g.relu("lone", shared);  // something else reads the map, too
  const Graph graph = hoist_over_moves(g.finish(g.concat("both", {shared, read})));
  std::string order;
  for (const Node& node : graph.nodes) order += node.name + ' ' + to_string(node.shape) + '\n';
  EXPECT_EQ(order,
            "input 1x4x4x3\nconv 1x4x4x8\nnorm 1x4x4x8\nrelu 1x4x4x8\nspace 1x8x8x2\nshared 1x8x8x2\nmap 1x8x8x2\n"
            "lone 1x8x8x2\nboth 1x8x8x4\n");
  for (std::size_t i = 1; i < 5; ++i) EXPECT_EQ(graph.nodes[i].inputs, std::vector<int>{static_cast<int>(i) - 1});
  EXPECT_EQ(graph.nodes[2].params[0].array.shape, std::vector<std::int64_t>{8});
}

TEST(JoinDilations, PutsOneNodeInThePlaceOfThree) {
  GraphBuilder g("test");
  const int x = g.input(9, 8, 4);
  const int a = g.conv2d("a", x, 3, 3, 2, {.pad = Pad::kSame, .dilation = 2}), b = g.conv2d("b", x, 5, 1, 1, {});
  Graph placed = place_concat(g.finish(g.concat("both", {b, a})));
  const auto joined = [](const Graph& graph, bool wanted) {
    return join_dilations(graph, [wanted](const Node&) { return wanted; });
  };
  const Graph graph = joined(placed, true);
  ASSERT_EQ(graph.nodes.size(), 4u);
  const Node& conv = node(graph, "a/batch_to_space");
  EXPECT_EQ(conv.inputs, std::vector<int>{0});
  EXPECT_EQ(to_string(*conv_desc(graph, graph.find(conv.name))), "n1h9w8c4_k3r3s2_st1_dil2_pad2,2,1,1");
  EXPECT_EQ(conv.params.size(), 2u);
  EXPECT_EQ(conv.slice_of, graph.find("both"));
  EXPECT_EQ(conv.slice_offset, 5);
  EXPECT_EQ(joined(placed, false).nodes.size(), 6u);
  std::get<SpaceToBatch>(placed.node(placed.find("a/space_to_batch")).op).gap += 1;  // of no dilation()
  EXPECT_EQ(joined(placed, true).nodes.size(), 6u);
}

TEST(PlaceConcat, NestedConcatsAndSharedInputs) {
  GraphBuilder g("test");
  const int x = g.input(8, 8, 4);
  const int a = g.conv2d("a", x, 3, 1, 1, {}), b = g.conv2d("b", x, 5, 1, 1, {}), c = g.conv2d("c", x, 2, 1, 1, {});
  const int inner = g.concat("inner", {a, b});
  const Graph placed = place_concat(g.finish(g.concat("outer", {c, inner, x})));
  EXPECT_EQ(node(placed, "b").slice_of, placed.find("inner"));
  EXPECT_EQ(node(placed, "b").slice_offset, 3);
  EXPECT_EQ(node(placed, "inner").slice_of, placed.find("outer"));
  EXPECT_EQ(node(placed, "inner").slice_offset, 2);
  EXPECT_EQ(placed.input_node().slice_of, -1) << "nothing writes the input";
}

// A dense layer reads its map as one row, without gaps between the pixels.
TEST(PlaceConcat, AMapOfADenseLayerStaysApart) {
  GraphBuilder g("test");
  const int x = g.input(2, 2, 4);
  const int a = g.conv2d("a", x, 3, 1, 1, {}), b = g.conv2d("b", x, 5, 1, 1, {}), c = g.conv2d("c", x, 2, 1, 1, {});
  const int mean = g.global_avg_pool("mean", g.concat("joined", {a, b, c}));
  const Graph placed = place_concat(g.finish(g.add("sum", {g.dense("classes", b, 10), mean})));
  EXPECT_EQ(node(placed, "b").slice_of, -1);
  EXPECT_EQ(node(placed, "a").slice_of, placed.find("joined"));
  EXPECT_EQ(node(placed, "c").slice_of, placed.find("joined"));
  EXPECT_EQ(node(placed, "c").slice_offset, 8);
}

// So does whoever takes an output.
TEST(PlaceConcat, OutputsStayApart) {
  GraphBuilder g("test");
  const int x = g.input(2, 2, 4);
  const int a = g.conv2d("a", x, 3, 1, 1, {}), b = g.conv2d("b", x, 5, 1, 1, {});
  const Graph placed = place_concat(g.finish({{"a", a}, {"joined", g.concat("joined", {a, b})}}));
  EXPECT_EQ(node(placed, "a").slice_of, -1);
  EXPECT_EQ(node(placed, "b").slice_of, placed.find("joined"));
}

TEST(Builder, RefusesTwoLayersOfOneName) {
  GraphBuilder g("test");
  const int x = g.conv2d("conv", g.input(8, 8, 4), 3, 1, 1, {});
  EXPECT_THROW(g.conv2d("conv", x, 3, 1, 1, {}), Error);
}

}  // namespace
}  // namespace gpueval
