// SPDX-License-Identifier: Apache-2.0
// ResNet50: He, Zhang, Ren, Sun, "Deep Residual Learning for Image Recognition", 2015, with the stride on the first
// 1x1. Two networks of this name have weights of the same shapes (docs/formats.md):
//   published  eps 1e-3, max pool of the stem without padding (55x55), Add([main, shortcut]); layers res2a_branch2a,
//   ... current    eps 1.001e-5, zero padding before that pool (56x56), Add([shortcut, main]); layers
//   conv2_block1_1_conv, ...
#include <fmt/format.h>

#include <array>

#include "gpueval/error.h"
#include "gpueval/models.h"

namespace gpueval {
namespace {

struct Stage {
  int filters, blocks, stride;
};
constexpr std::array<Stage, 4> kStages{{{64, 3, 1}, {128, 4, 2}, {256, 6, 2}, {512, 3, 2}}};

int published_block(GraphBuilder& g, int src, int stage, char letter, int filters, int stride) {
  const std::string id = fmt::format("{}{}", stage, letter);
  const auto conv_bn = [&](int x, const char* branch, int k, int kernel, int s) {
    x = g.conv2d("res" + id + "_branch" + branch, x, k, kernel, kernel, {.stride = s, .pad = Pad::kSame});
    return g.batch_norm("bn" + id + "_branch" + branch, x);
  };
  int x = g.relu("act" + id + "_branch2a", conv_bn(src, "2a", filters, 1, stride));
  x = g.relu("act" + id + "_branch2b", conv_bn(x, "2b", filters, 3, 1));
  x = conv_bn(x, "2c", 4 * filters, 1, 1);
  const int shortcut = letter == 'a' ? conv_bn(src, "1", 4 * filters, 1, stride) : src;
  return g.relu("act" + id, g.add("add" + id, {x, shortcut}));
}

Graph build_published(const ModelOptions& options) {
  GraphBuilder g("resnet50_published");
  int x = g.zero_pad("conv1_pad", g.input(options.height_or(224), options.width_or(224), 3), {3, 3, 3, 3});
  x = g.conv2d("conv1", x, 64, 7, 7, {.stride = 2});
  x = g.relu("act_conv1", g.batch_norm("bn_conv1", x));
  x = g.max_pool("pool1", x, 3, 2);
  for (int stage = 0; stage < 4; ++stage) {
    const auto [filters, blocks, stride] = kStages[static_cast<std::size_t>(stage)];
    for (int i = 0; i < blocks; ++i) {
      x = published_block(g, x, stage + 2, static_cast<char>('a' + i), filters, i == 0 ? stride : 1);
    }
  }
  x = g.global_avg_pool("avg_pool", x);
  return g.finish(g.dense("fc1000", x, 1000));
}

constexpr float kCurrentEps = 1.001e-5f;

int current_block(GraphBuilder& g, int src, const std::string& name, bool first, int filters, int stride) {
  const auto conv_bn = [&](int x, const char* index, int k, int kernel, int s) {
    x = g.conv2d(name + index + "_conv", x, k, kernel, kernel, {.stride = s, .pad = Pad::kSame});
    return g.batch_norm(name + index + "_bn", x, kCurrentEps);
  };
  const int shortcut = first ? conv_bn(src, "_0", 4 * filters, 1, stride) : src;
  int x = g.relu(name + "_1_relu", conv_bn(src, "_1", filters, 1, stride));
  x = g.relu(name + "_2_relu", conv_bn(x, "_2", filters, 3, 1));
  x = conv_bn(x, "_3", 4 * filters, 1, 1);
  return g.relu(name + "_out", g.add(name + "_add", {shortcut, x}));
}

Graph build_current(const ModelOptions& options) {
  GraphBuilder g("resnet50_current");
  int x = g.zero_pad("conv1_pad", g.input(options.height_or(224), options.width_or(224), 3), {3, 3, 3, 3});
  x = g.conv2d("conv1_conv", x, 64, 7, 7, {.stride = 2});
  x = g.relu("conv1_relu", g.batch_norm("conv1_bn", x, kCurrentEps));
  x = g.max_pool("pool1_pool", g.zero_pad("pool1_pad", x, {1, 1, 1, 1}), 3, 2);
  for (int stage = 0; stage < 4; ++stage) {
    const auto [filters, blocks, stride] = kStages[static_cast<std::size_t>(stage)];
    for (int i = 0; i < blocks; ++i) {
      const std::string name = fmt::format("conv{}_block{}", stage + 2, i + 1);
      x = current_block(g, x, name, i == 0, filters, i == 0 ? stride : 1);
    }
  }
  x = g.global_avg_pool("avg_pool", x);
  return g.finish(g.dense("predictions", x, 1000));
}

Graph build(const ModelOptions& options) {
  if (options.variant.empty() || options.variant == "published") return build_published(options);
  if (options.variant == "current") return build_current(options);
  fail_usage("resnet50 has the variants 'published' and 'current', not '{}'", options.variant);
}

std::string detect_variant(const WeightFile& file) {
  if (file.has_layer("res2a_branch2a")) return "published";
  if (file.has_layer("conv2_block1_1_conv")) return "current";
  // Files without layer names are written by Keras 3, which has the current network only.
  return file.format.starts_with("keras3") ? "current" : "published";
}

}  // namespace

ModelSpec resnet50_model() {
  return {.name = "resnet50",
          .description = "ResNet50 (He, Zhang, Ren, Sun 2015)",
          .build = build,
          .input = {224, 224, Normalization::kCaffe},
          .detect_variant = detect_variant,
          // One name for both generations: the layer names in the file tell which it is.
          .weight_files = [](const ModelOptions&) -> std::vector<std::string> {
            return {"resnet50_weights_tf_dim_ordering_tf_kernels.h5"};
          },
          .published_at =
              "release v0.2 of deep-learning-models, https://github.com/fchollet/deep-learning-models/releases "
              "(published variant), or keras.applications.ResNet50(weights='imagenet') (current variant)"};
}

}  // namespace gpueval
