// SPDX-License-Identifier: Apache-2.0
// A toy in MobileNet's form, for a first look without downloads: ten classes of drawn shapes, 96 x 96.
// scripts/train_demo.py trains it; models/demo/README.md has its accuracy.
#include <fmt/format.h>

#include <array>

#include "gpueval/models.h"

namespace gpueval {
namespace {

struct Block {
  int filters, stride;
};
constexpr std::array<Block, 6> kBlocks{{{32, 1}, {64, 2}, {64, 1}, {128, 2}, {128, 1}, {256, 2}}};

Graph build(const ModelOptions& options) {
  GraphBuilder g("demo");
  const auto bn_relu6 = [&](const std::string& name, int x) {
    return g.relu6(name + "_relu", g.batch_norm(name + "_bn", x));
  };
  int x = g.input(options.height_or(96), options.width_or(96), 3);
  x = bn_relu6("conv1", g.conv2d("conv1", x, 16, 3, 3, {.stride = 2, .pad = Pad::kSame, .bias = false}));
  int id = 0;
  for (const auto [filters, stride] : kBlocks) {
    const std::string dw = fmt::format("conv_dw_{}", ++id), pw = fmt::format("conv_pw_{}", id);
    x = bn_relu6(dw, g.depthwise_conv2d(dw, x, 3, {.stride = stride, .pad = Pad::kSame, .bias = false}));
    x = bn_relu6(pw, g.conv2d(pw, x, filters, 1, 1, {.pad = Pad::kSame, .bias = false}));
  }
  x = g.global_avg_pool("global_average_pooling2d", x);
  return g.finish(g.conv2d("conv_preds", x, 10, 1, 1, {.pad = Pad::kSame}));
}

}  // namespace

ModelSpec demo_model() {
  return {.name = "demo",
          .description = "toy MobileNet, ReLU6: 10 drawn shapes (part of the program)",
          .alphas = {1.0},
          .build = build,
          .input = {96, 96, Normalization::kTf},
          .labels = {10, false},
          .detect_variant = {},
          .weight_files = [](const ModelOptions&) { return std::vector<std::string>{}; },
          .published_at = "embedded in the program: models/demo/"};
}

}  // namespace gpueval
