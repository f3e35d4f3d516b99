// SPDX-License-Identifier: Apache-2.0
// MobileNet v1: Howard et al., "MobileNets: Efficient Convolutional Neural Networks for Mobile Vision Applications",
// 2017.
#include <fmt/format.h>

#include <array>
#include <cmath>

#include "gpueval/error.h"
#include "gpueval/models.h"

namespace gpueval {
namespace {

struct Width {
  double alpha;
  const char* file;  // as in the published file's name
};
constexpr std::array<Width, 4> kWidths{{{1.0, "1_0"}, {0.75, "7_5"}, {0.5, "5_0"}, {0.25, "2_5"}}};

const Width& find_width(double alpha) {
  for (const Width& width : kWidths) {
    if (std::abs(width.alpha - alpha) < 1e-9) return width;
  }
  fail_usage("alpha {} is unknown: mobilenet has 1, 0.75, 0.5 and 0.25", alpha);
}

struct Block {
  int filters, stride;
};
constexpr std::array<Block, 13> kBlocks{{{64, 1},
                                         {128, 2},
                                         {128, 1},
                                         {256, 2},
                                         {256, 1},
                                         {512, 2},
                                         {512, 1},
                                         {512, 1},
                                         {512, 1},
                                         {512, 1},
                                         {512, 1},
                                         {1024, 2},
                                         {1024, 1}}};

Graph build(const ModelOptions& options) {
  const double alpha = find_width(options.alpha).alpha;
  const auto width = [&](int filters) { return static_cast<int>(filters * alpha); };
  GraphBuilder g(fmt::format("mobilenet_{}", alpha));
  const auto bn_relu6 = [&](const std::string& name, int x) {
    return g.relu6(name + "_relu", g.batch_norm(name + "_bn", x));
  };
  int x = g.input(options.height_or(224), options.width_or(224), 3);
  x = g.conv2d("conv1", x, width(32), 3, 3, {.stride = 2, .pad = Pad::kSame, .bias = false});
  x = bn_relu6("conv1", x);
  int id = 0;
  for (const auto [filters, stride] : kBlocks) {
    const std::string dw = fmt::format("conv_dw_{}", ++id), pw = fmt::format("conv_pw_{}", id);
    x = bn_relu6(dw, g.depthwise_conv2d(dw, x, 3, {.stride = stride, .pad = Pad::kSame, .bias = false}));
    x = bn_relu6(pw, g.conv2d(pw, x, width(filters), 1, 1, {.pad = Pad::kSame, .bias = false}));
  }
  x = g.global_avg_pool("global_average_pooling2d", x);
  return g.finish(g.conv2d("conv_preds", x, 1000, 1, 1, {.pad = Pad::kSame}));
}

}  // namespace

ModelSpec mobilenet_model() {
  ModelSpec spec{.name = "mobilenet",
                 .description = "MobileNet v1, ReLU6 (Howard et al. 2017)",
                 .build = build,
                 .input = {224, 224, Normalization::kTf},
                 .detect_variant = {},
                 .weight_files = [](const ModelOptions& options) -> std::vector<std::string> {
                   return {fmt::format("mobilenet_{}_224_tf.h5", find_width(options.alpha).file)};
                 },
                 .published_at =
                     "release v0.6 of deep-learning-models, https://github.com/fchollet/deep-learning-models/releases, "
                     "or keras.applications.MobileNet(alpha=..., weights='imagenet')"};
  spec.alphas.clear();
  for (const Width& width : kWidths) spec.alphas.push_back(width.alpha);
  return spec;
}

}  // namespace gpueval
