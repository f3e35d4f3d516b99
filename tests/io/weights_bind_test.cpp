// SPDX-License-Identifier: Apache-2.0
// Guards the matching of a file's layers to the network's: a wrong partner of the right shape would load silently.
#include <gtest/gtest.h>

#include <algorithm>

#include "gpueval/error.h"
#include "gpueval/weights.h"
#include "io/weights/layer_names.h"

namespace gpueval {
namespace {

using Roles = std::vector<std::string>;
const Roles kConv{"kernel"}, kNorm{"gamma", "beta", "moving_mean", "moving_variance"};

// Two branches that Keras's order takes the other way round than they were built: main conv-norm-conv-norm, shortcut
// conv. All convolutions have one shape, so only the matching tells them apart.
Graph branchy(const std::vector<std::string>& conv_names, const std::vector<std::string>& norm_names) {
  GraphBuilder g("toy");
  const GraphBuilder::ConvOptions plain{.bias = false};
  const int x = g.conv2d(conv_names[0], g.input(4, 4, 2), 2, 1, 1, plain);
  const int shortcut = g.conv2d(conv_names[1], x, 2, 1, 1, plain);
  int main = g.batch_norm(norm_names[0], g.conv2d(conv_names[2], x, 2, 1, 1, plain));
  main = g.batch_norm(norm_names[1], g.conv2d(conv_names[3], main, 2, 1, 1, plain));
  return g.finish(g.add("add", {shortcut, main}));
}

Array filled(const std::vector<std::int64_t>& shape, float value) {
  Array array{shape, nullptr};
  array.data = std::make_shared<const std::vector<float>>(static_cast<std::size_t>(array.elements()), value);
  return array;
}

// A layer whose arrays are all `mark`: which layer went where is read from one number.
WeightLayer layer(const std::string& name, float mark, const Roles& weights, const std::string& group = "") {
  WeightLayer result{.name = name, .group = group, .arrays = {}};
  for (const std::string& weight : weights) {
    const bool kernel = weight.find("kernel") != std::string::npos || weight.find("_W") != std::string::npos ||
                        (weights.size() == 1 && weight == "0");
    result.arrays.push_back(
        {weight, filled(kernel ? std::vector<std::int64_t>{1, 1, 2, 2} : std::vector<std::int64_t>{2}, mark)});
  }
  return result;
}

WeightFile file_of(std::vector<WeightLayer> layers) {
  return {.path = "toy.h5", .sha256 = {}, .format = "keras-h5", .layers = std::move(layers)};
}

float mark(const Graph& graph, const std::string& node) {
  const Node& found = graph.nodes.at(static_cast<std::size_t>(graph.find(node)));
  return found.params.at(0).array.data->front();
}

std::string bind_error(const Graph& graph, const WeightFile& file) {
  try {
    bind_weights(graph, file);
  } catch (const Error& error) {
    EXPECT_EQ(std::string(error.what()).rfind(file.path, 0), 0u) << error.what();
    return error.what();
  }
  return "no error";
}

const std::vector<std::string> kOwn{"stem", "short/cut", "main1", "main2"}, kOwnNorm{"bn1", "bn2"};
const std::vector<std::string> kAuto{"conv2d", "conv2d_1", "conv2d_2", "conv2d_3"},
    kAutoNorm{"batch_normalization", "batch_normalization_1"};

TEST(BindWeights, TheToyHasTheOrderThatTheTestsRelyOn) {
  const Graph graph = branchy(kOwn, kOwnNorm);
  std::vector<std::string> order;
  for (const int i : keras_layer_order(graph)) order.push_back(graph.node(i).name);
  EXPECT_EQ(order, (std::vector<std::string>{"stem", "main1", "bn1", "main2", "short/cut", "bn2"}));
}

TEST(BindWeights, ByNameInAnyOrderWithSlashEqualToUnderscore) {
  const Graph graph =
      bind_weights(branchy(kOwn, kOwnNorm),
                   file_of({layer("bn2", 6, kNorm), layer("main2", 5, kConv), layer("main1", 4, kConv),
                            layer("short_cut", 3, kConv), layer("bn1", 2, kNorm), layer("stem", 1, kConv)}));
  EXPECT_EQ(mark(graph, "stem"), 1);
  EXPECT_EQ(mark(graph, "short/cut"), 3);
  EXPECT_EQ(mark(graph, "main1"), 4);
  EXPECT_EQ(mark(graph, "main2"), 5);
  EXPECT_EQ(mark(graph, "bn1"), 2);
  EXPECT_EQ(mark(graph, "bn2"), 6);
}

// Numbers from another session, listed in Keras's order, across 9 -> 10 and 99 -> 100: rank of the number, not of the
// place.
TEST(BindWeights, AutomaticNamesByRankWithinTheClass) {
  for (const auto& [conv, norm] :
       {std::pair{"conv2d", "batch_normalization"}, {"convolution2d", "batchnormalization"}}) {
    const std::string c = conv, n = norm;
    const WeightFile file =
        file_of({layer(c + "_8", 8, kConv), layer(c + "_10", 10, kConv), layer(n + "_99", 99, kNorm),
                 layer(c + "_11", 11, kConv), layer(c + "_9", 9, kConv), layer(n + "_100", 100, kNorm)});
    for (const bool own_names : {false, true}) {  // the published Xception file is numbered, the network has names
      const Graph graph = bind_weights(own_names ? branchy(kOwn, kOwnNorm) : branchy(kAuto, kAutoNorm), file);
      const auto& names = own_names ? kOwn : kAuto;
      for (std::size_t i = 0; i < 4; ++i) EXPECT_EQ(mark(graph, names[i]), 8 + static_cast<float>(i)) << names[i];
      EXPECT_EQ(mark(graph, own_names ? "bn1" : "batch_normalization"), 99);
      EXPECT_EQ(mark(graph, own_names ? "bn2" : "batch_normalization_1"), 100);
    }
  }
}

TEST(BindWeights, RankCountsOnlyLayersThatNoNameMatched) {
  const Graph graph =
      bind_weights(branchy({"stem", "conv2d", "conv2d_1", "conv2d_2"}, kAutoNorm),
                   file_of({layer("stem", 1, kConv), layer("conv2d_7", 7, kConv), layer("conv2d_9", 9, kConv),
                            layer("conv2d_8", 8, kConv), layer("batch_normalization", 2, kNorm),
                            layer("batch_normalization_1", 3, kNorm)}));
  EXPECT_EQ(mark(graph, "stem"), 1);
  EXPECT_EQ(mark(graph, "conv2d"), 7);
  EXPECT_EQ(mark(graph, "conv2d_1"), 8);
  EXPECT_EQ(mark(graph, "conv2d_2"), 9);
}

TEST(BindWeights, UnknownNamesInKerassLayerOrder) {
  const Graph graph = bind_weights(branchy(kOwn, kOwnNorm),
                                   file_of({layer("p", 1, kConv), layer("q", 2, kConv), layer("r", 3, kNorm),
                                            layer("s", 4, kConv), layer("t", 5, kConv), layer("u", 6, kNorm)}));
  EXPECT_EQ(mark(graph, "main1"), 2);
  EXPECT_EQ(mark(graph, "bn1"), 3);
  EXPECT_EQ(mark(graph, "main2"), 4);
  EXPECT_EQ(mark(graph, "short/cut"), 5);
}

// Keras 3: groups count in model.layers order; a layer's own name decides where the file has it.
TEST(BindWeights, Keras3Groups) {
  const Roles conv{"0"}, norm{"0", "1", "2", "3"};
  const auto groups = [&](const std::vector<std::string>& names) {
    return file_of({layer(names[0], 1, norm, "batch_normalization"), layer(names[1], 2, norm, "batch_normalization_1"),
                    layer(names[2], 3, conv, "conv2d"), layer(names[3], 4, conv, "conv2d_1"),
                    layer(names[4], 5, conv, "conv2d_2"), layer(names[5], 6, conv, "conv2d_3")});
  };
  const auto check = [&](const std::vector<std::string>& names) {
    const Graph graph = bind_weights(branchy(kOwn, kOwnNorm), groups(names));
    EXPECT_EQ(mark(graph, "stem"), 3);
    EXPECT_EQ(mark(graph, "main1"), 4);
    EXPECT_EQ(mark(graph, "main2"), 5);
    EXPECT_EQ(mark(graph, "short/cut"), 6);
    EXPECT_EQ(mark(graph, "bn1"), 1);
    EXPECT_EQ(mark(graph, "bn2"), 2);
  };
  check({"", "", "", "", "", ""});
  check({"a", "b", "c", "d", "e", "f"});
  check({"bn1", "bn2", "stem", "main1", "main2", "short_cut"});
  const Graph graph = bind_weights(
      branchy(kAuto, kAutoNorm),
      groups({"batch_normalization_5", "batch_normalization_9", "conv2d_20", "conv2d_22", "conv2d_23", "conv2d_21"}));
  EXPECT_EQ(mark(graph, "conv2d_1"), 6);  // conv2d_21: built second
  EXPECT_EQ(mark(graph, "conv2d_3"), 5);
}

TEST(BindWeights, RolesByTheEndOfTheName) {
  GraphBuilder g("toy");
  int x = g.separable_conv2d("sep", g.input(4, 4, 2), 2, 1, {.bias = false});
  x = g.depthwise_conv2d("dw", x, 1, {.bias = true});
  const Graph graph = g.finish(g.batch_norm("bn", x));
  const auto array = [](const std::string& name, const std::vector<std::int64_t>& shape, float value) {
    return WeightArray{name, filled(shape, value)};
  };
  WeightFile file = file_of(
      {{.name = "sep",
        .group = {},
        .arrays = {array("sep/pointwise_kernel:0", {1, 1, 2, 2}, 2), array("sep/depthwise_kernel:0", {1, 1, 2, 1}, 1)}},
       {.name = "dw", .group = {}, .arrays = {array("dw/dw/bias", {2}, 4), array("dw/dw/kernel", {1, 1, 2, 1}, 3)}},
       {.name = "bn",
        .group = {},
        .arrays = {array("bn_running_std:0", {2}, 8), array("bn_running_mean:0", {2}, 7), array("bn_beta:0", {2}, 6),
                   array("bn_gamma:0", {2}, 5)}}});
  const Graph bound = bind_weights(graph, file);
  const auto value = [&](const char* node, Role role) {
    return bound.nodes.at(static_cast<std::size_t>(bound.find(node))).find(role)->array.data->front();
  };
  EXPECT_EQ(value("sep", Role::kDepthwiseKernel), 1);
  EXPECT_EQ(value("sep", Role::kPointwiseKernel), 2);
  EXPECT_EQ(value("dw", Role::kDepthwiseKernel), 3);
  EXPECT_EQ(value("dw", Role::kBias), 4);
  EXPECT_EQ(value("bn", Role::kGamma), 5);
  EXPECT_EQ(value("bn", Role::kBeta), 6);
  EXPECT_EQ(value("bn", Role::kMean), 7);
  EXPECT_EQ(value("bn", Role::kVariance), 8);
  EXPECT_EQ(bound.nodes.back().params[0].array.data.get(), file.layers[2].arrays[3].array.data.get()) << "no copies";
}

TEST(BindWeights, BatchNormWithoutGamma) {
  GraphBuilder g("toy");
  const Graph graph = g.finish(g.batch_norm("bn", g.input(2, 2, 2), 1e-3f, /*gamma=*/false));
  const Roles three{"bn/beta:0", "bn/moving_mean:0", "bn/moving_variance:0"};
  EXPECT_EQ(mark(bind_weights(graph, file_of({layer("bn", 1, three)})), "bn"), 1);
  EXPECT_EQ(bind_error(graph, file_of({layer("bn", 1, kNorm)})),
            "toy.h5: layer 'bn' has 4 weights, expected 3 for 'bn' (beta, moving_mean, moving_variance)");
}

TEST(BindWeights, NamesTheLayerThatIsMissingExtraOrOfAnotherShape) {
  const Graph graph = branchy(kOwn, kOwnNorm);
  std::vector<WeightLayer> all{layer("stem", 1, kConv),  layer("short_cut", 3, kConv), layer("main1", 4, kConv),
                               layer("main2", 5, kConv), layer("bn1", 2, kNorm),       layer("bn2", 6, kNorm)};
  EXPECT_EQ(bind_error(graph, file_of(all)), "no error");

  std::vector<WeightLayer> fewer = all;
  fewer.erase(fewer.begin() + 2);
  EXPECT_EQ(bind_error(graph, file_of(fewer)),
            "toy.h5: toy expects weights of 6 layers, the file has 5; no weights for layer 'main1'; is it the file of "
            "another network?");

  std::vector<WeightLayer> more = all;
  more.push_back(layer("head", 9, kConv));
  EXPECT_EQ(
      bind_error(graph, file_of(more)),
      "toy.h5: toy expects weights of 6 layers, the file has 7; no layer for the weights of 'head'; is it the file "
      "of another network?");

  std::vector<WeightLayer> twice = all;
  twice.push_back(layer("stem", 9, kConv));
  EXPECT_EQ(bind_error(graph, file_of(twice)), "toy.h5: two layers are named 'stem'");

  std::vector<WeightLayer> other = all;
  other[3].arrays[0].array = filled({3, 3, 2, 2}, 1);
  EXPECT_EQ(
      bind_error(graph, file_of(other)),
      "toy.h5: 'kernel' of layer 'main2' has the shape (3, 3, 2, 2), toy expects (1, 1, 2, 2) for 'main2'; is it the "
      "file of another network?");

  std::vector<WeightLayer> renamed = all;
  renamed[4].arrays[0].name = "kernel";
  EXPECT_EQ(bind_error(graph, file_of(renamed)),
            "toy.h5: layer 'bn1' has no weight 'gamma', expected gamma, beta, moving_mean, moving_variance for 'bn1'");
}

TEST(LayerNames, RolesOfEveryGeneration) {
  EXPECT_EQ(parse_role("block1_conv1_W_1:0"), Role::kKernel);
  EXPECT_EQ(parse_role("block1_conv1_b_1:0"), Role::kBias);
  EXPECT_EQ(parse_role("conv1/conv1/kernel:0"), Role::kKernel);
  EXPECT_EQ(parse_role("kernel"), Role::kKernel);
  EXPECT_EQ(parse_role("separableconvolution2d_1_depthwise_kernel:0"), Role::kDepthwiseKernel);
  EXPECT_EQ(parse_role("x/pointwise_kernel"), Role::kPointwiseKernel);
  EXPECT_EQ(parse_role("bn_conv1_running_std:0"), Role::kVariance);
  EXPECT_EQ(parse_role("batch_normalization_1/beta:0"), Role::kBeta);
  EXPECT_EQ(parse_role("conv1/mykernel"), std::nullopt);
  EXPECT_EQ(parse_role("0"), std::nullopt);
  EXPECT_EQ(parse_role(""), std::nullopt);
}

TEST(LayerNames, AutomaticNames) {
  EXPECT_EQ(parse_auto_name("conv2d")->number, 0);
  EXPECT_EQ(parse_auto_name("conv2d_94")->number, 94);
  EXPECT_EQ(parse_auto_name("separableconvolution2d_3")->op, "SeparableConv2D");
  EXPECT_FALSE(parse_auto_name("conv_dw_1"));  // MobileNet's own
  EXPECT_FALSE(parse_auto_name("conv2d_1_bn"));
  EXPECT_FALSE(parse_auto_name("conv2d_99999999999999999999"));
  EXPECT_EQ(split_number("conv2d_10"), (std::pair<std::string, int>{"conv2d", 10}));
  EXPECT_EQ(split_number("fc1"), (std::pair<std::string, int>{"fc1", 0}));
}

}  // namespace
}  // namespace gpueval
