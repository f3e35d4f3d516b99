// SPDX-License-Identifier: Apache-2.0
// Xception: Chollet, "Xception: Deep Learning with Depthwise Separable Convolutions", 2016.
#include <fmt/format.h>

#include "gpueval/models.h"

namespace gpueval {
namespace {

class Xception {
 public:
  Graph build(const ModelOptions& options);

 private:
  std::string numbered(const std::string& stem, int index) {
    return index == 0 ? stem : fmt::format("{}_{}", stem, index);
  }
  int relu(const std::string& name, int x) { return g_.relu(name + "_act", x); }
  int sepconv_bn(const std::string& name, int x, int filters) {
    x = g_.separable_conv2d(name, x, filters, 3, {.pad = Pad::kSame, .bias = false});
    return g_.batch_norm(name + "_bn", x);
  }
  int add(int x, int residual) { return g_.add(numbered("add", adds_++), {x, residual}); }

  // Blocks 2, 3, 4 and 13: two separable convolutions, pooled, beside a strided 1x1 shortcut (built first).
  int reduction(int index, int x, int filters_1, int filters_2, bool relu_first) {
    const std::string block = fmt::format("block{}", index);
    int residual =
        g_.conv2d(numbered("conv2d", shortcuts_), x, filters_2, 1, 1, {.stride = 2, .pad = Pad::kSame, .bias = false});
    residual = g_.batch_norm(numbered("batch_normalization", shortcuts_++), residual);
    if (relu_first) x = relu(block + "_sepconv1", x);
    x = sepconv_bn(block + "_sepconv1", x, filters_1);
    x = relu(block + "_sepconv2", x);
    x = sepconv_bn(block + "_sepconv2", x, filters_2);
    x = g_.max_pool(block + "_pool", x, 3, 2, Pad::kSame);
    return add(x, residual);
  }

  GraphBuilder g_{"xception"};
  int shortcuts_ = 0, adds_ = 0;
};

Graph Xception::build(const ModelOptions& options) {
  int x = g_.input(options.height_or(299), options.width_or(299), 3);
  x = g_.conv2d("block1_conv1", x, 32, 3, 3, {.stride = 2, .bias = false});
  x = relu("block1_conv1", g_.batch_norm("block1_conv1_bn", x));
  x = g_.conv2d("block1_conv2", x, 64, 3, 3, {.bias = false});
  x = relu("block1_conv2", g_.batch_norm("block1_conv2_bn", x));

  x = reduction(2, x, 128, 128, /*relu_first=*/false);
  x = reduction(3, x, 256, 256, true);
  x = reduction(4, x, 728, 728, true);
  for (int index = 5; index <= 12; ++index) {
    const int residual = x;
    for (int i = 1; i <= 3; ++i) {
      const std::string name = fmt::format("block{}_sepconv{}", index, i);
      x = sepconv_bn(name, relu(name, x), 728);
    }
    x = add(x, residual);
  }
  x = reduction(13, x, 728, 1024, true);

  x = relu("block14_sepconv1", sepconv_bn("block14_sepconv1", x, 1536));
  x = relu("block14_sepconv2", sepconv_bn("block14_sepconv2", x, 2048));
  x = g_.global_avg_pool("avg_pool", x);
  return g_.finish(g_.dense("predictions", x, 1000));
}

}  // namespace

ModelSpec xception_model() {
  return {.name = "xception",
          .description = "Xception (Chollet 2016)",
          .build = [](const ModelOptions& options) { return Xception().build(options); },
          .input = {299, 299, Normalization::kTf},
          .detect_variant = {},
          .weight_files = [](const ModelOptions&) -> std::vector<std::string> {
            return {"xception_weights_tf_dim_ordering_tf_kernels.h5"};
          },
          .published_at =
              "release v0.4 of deep-learning-models, https://github.com/fchollet/deep-learning-models/releases, or "
              "keras.applications.Xception(weights='imagenet')"};
}

}  // namespace gpueval
