// SPDX-License-Identifier: Apache-2.0
// VGG16: Simonyan, Zisserman, "Very Deep Convolutional Networks for Large-Scale Image Recognition", 2014.
#include <fmt/format.h>

#include "gpueval/error.h"
#include "gpueval/models.h"

namespace gpueval {
namespace {

int block(GraphBuilder& g, int x, int index, int filters, int convolutions) {
  for (int i = 1; i <= convolutions; ++i) {
    const std::string name = fmt::format("block{}_conv{}", index, i);
    x = g.conv2d(name, x, filters, 3, 3, {.pad = Pad::kSame});
    x = g.relu(name + "_relu", x);
  }
  return g.max_pool(fmt::format("block{}_pool", index), x, 2, 2);
}

Graph build(const ModelOptions& options) {
  GraphBuilder g("vgg16");
  const int height = options.height_or(224), width = options.width_or(224);
  if (height / 32 != 7 || width / 32 != 7) {  // five pools, each halves
    fail_usage(
        "vgg16 takes no input of {}x{}: its dense layers have weights for 7x7 pixels, so both sides must be 224 to "
        "255; "
        "the other networks end in a global pooling and take other sizes",
        height, width);
  }
  int x = g.input(height, width, 3);
  x = block(g, x, 1, 64, 2);
  x = block(g, x, 2, 128, 2);
  x = block(g, x, 3, 256, 3);
  x = block(g, x, 4, 512, 3);
  x = block(g, x, 5, 512, 3);
  x = g.flatten("flatten", x);
  x = g.relu("fc1_relu", g.dense("fc1", x, 4096));
  x = g.relu("fc2_relu", g.dense("fc2", x, 4096));
  return g.finish(g.dense("predictions", x, 1000));
}

}  // namespace

ModelSpec vgg16_model() {
  return {.name = "vgg16",
          .description = "VGG16 (Simonyan, Zisserman 2014)",
          .build = build,
          .input = {224, 224, Normalization::kCaffe},
          .detect_variant = {},
          .weight_files = [](const ModelOptions&) -> std::vector<std::string> {
            return {"vgg16_weights_tf_dim_ordering_tf_kernels.h5"};
          },
          .published_at =
              "release v0.1 of deep-learning-models, https://github.com/fchollet/deep-learning-models/releases, or "
              "keras.applications.VGG16(weights='imagenet')"};
}

}  // namespace gpueval
