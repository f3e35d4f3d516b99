// SPDX-License-Identifier: Apache-2.0
// SqueezeNet 1.1: Iandola et al., "SqueezeNet: AlexNet-level accuracy with 50x fewer parameters", 2016.
// The logits are the averages of conv10 after its ReLU.
#include <fmt/format.h>

#include "gpueval/models.h"

namespace gpueval {
namespace {

int fire(GraphBuilder& g, int x, int id, int squeeze, int expand) {
  const std::string block = fmt::format("fire{}/", id);
  x = g.conv2d(block + "squeeze1x1", x, squeeze, 1, 1, {});
  x = g.relu(block + "relu_squeeze1x1", x);
  int left = g.conv2d(block + "expand1x1", x, expand, 1, 1, {});
  left = g.relu(block + "relu_expand1x1", left);
  int right = g.conv2d(block + "expand3x3", x, expand, 3, 3, {.pad = Pad::kSame});
  right = g.relu(block + "relu_expand3x3", right);
  return g.concat(block + "concat", {left, right});
}

Graph build(const ModelOptions& options) {
  GraphBuilder g("squeezenet");
  int x = g.input(options.height_or(227), options.width_or(227), 3);
  x = g.relu("relu_conv1", g.conv2d("conv1", x, 64, 3, 3, {.stride = 2}));
  x = g.max_pool("pool1", x, 3, 2);
  x = fire(g, x, 2, 16, 64);
  x = fire(g, x, 3, 16, 64);
  x = g.max_pool("pool3", x, 3, 2);
  x = fire(g, x, 4, 32, 128);
  x = fire(g, x, 5, 32, 128);
  x = g.max_pool("pool5", x, 3, 2);
  x = fire(g, x, 6, 48, 192);
  x = fire(g, x, 7, 48, 192);
  x = fire(g, x, 8, 64, 256);
  x = fire(g, x, 9, 64, 256);
  x = g.relu("relu_conv10", g.conv2d("conv10", x, 1000, 1, 1, {}));
  return g.finish(g.global_avg_pool("global_average_pooling2d", x));
}

}  // namespace

ModelSpec squeezenet_model() {
  return {.name = "squeezenet",
          .description = "SqueezeNet 1.1 (Iandola et al. 2016)",
          .build = build,
          .input = {227, 227, Normalization::kCaffe},
          .detect_variant = {},
          .weight_files = [](const ModelOptions&) -> std::vector<std::string> {
            return {"squeezenet_weights_tf_dim_ordering_tf_kernels.h5"};
          },
          .published_at = "release v0.1 of keras-squeezenet, https://github.com/rcmalli/keras-squeezenet/releases"};
}

}  // namespace gpueval
