// SPDX-License-Identifier: Apache-2.0
// InceptionV3: Szegedy, Vanhoucke, Ioffe, Shlens, Wojna, "Rethinking the Inception Architecture for Computer Vision",
// 2015. Keras numbers the convolutions and batch norms in the order in which they are built: keep that order.
#include <fmt/format.h>

#include "gpueval/models.h"

namespace gpueval {
namespace {

// "conv2d", "conv2d_1", ... as Keras names layers in a fresh session.
std::string numbered(const std::string& stem, int index) {
  return index == 0 ? stem : fmt::format("{}_{}", stem, index);
}

class Inception {
 public:
  Graph build(const ModelOptions& options);

 private:
  int conv_bn(int x, int filters, int rows, int columns, int stride = 1, Pad pad = Pad::kSame) {
    const int index = convolutions_++;
    x = g_.conv2d(numbered("conv2d", index), x, filters, rows, columns, {.stride = stride, .pad = pad, .bias = false});
    x = g_.batch_norm(numbered("batch_normalization", index), x, 1e-3f, /*gamma=*/false);
    return g_.relu(numbered("activation", index), x);
  }
  int max_pool(int x) { return g_.max_pool(numbered("max_pooling2d", max_pools_++), x, 3, 2); }
  int avg_pool(int x) { return g_.avg_pool(numbered("average_pooling2d", avg_pools_++), x, 3, 1, Pad::kSame); }

  int mixed_35(const std::string& name, int x, int pool_filters);  // mixed0 to mixed2
  int mixed_35_to_17(const std::string& name, int x);              // mixed3
  int mixed_17(const std::string& name, int x, int filters);       // mixed4 to mixed7
  int mixed_17_to_8(const std::string& name, int x);               // mixed8
  int mixed_8(const std::string& name, int x, const std::string& concat_a, const std::string& concat_b);  // 9, 10

  GraphBuilder g_{"inceptionv3"};
  int convolutions_ = 0, max_pools_ = 0, avg_pools_ = 0;
};

int Inception::mixed_35(const std::string& name, int x, int pool_filters) {
  const int b1x1 = conv_bn(x, 64, 1, 1);
  int b5x5 = conv_bn(x, 48, 1, 1);
  b5x5 = conv_bn(b5x5, 64, 5, 5);
  int b3x3dbl = conv_bn(x, 64, 1, 1);
  b3x3dbl = conv_bn(b3x3dbl, 96, 3, 3);
  b3x3dbl = conv_bn(b3x3dbl, 96, 3, 3);
  const int pool = conv_bn(avg_pool(x), pool_filters, 1, 1);
  return g_.concat(name, {b1x1, b5x5, b3x3dbl, pool});
}

int Inception::mixed_35_to_17(const std::string& name, int x) {
  const int b3x3 = conv_bn(x, 384, 3, 3, 2, Pad::kValid);
  int b3x3dbl = conv_bn(x, 64, 1, 1);
  b3x3dbl = conv_bn(b3x3dbl, 96, 3, 3);
  b3x3dbl = conv_bn(b3x3dbl, 96, 3, 3, 2, Pad::kValid);
  return g_.concat(name, {b3x3, b3x3dbl, max_pool(x)});
}

int Inception::mixed_17(const std::string& name, int x, int filters) {
  const int b1x1 = conv_bn(x, 192, 1, 1);
  int b7x7 = conv_bn(x, filters, 1, 1);
  b7x7 = conv_bn(b7x7, filters, 1, 7);
  b7x7 = conv_bn(b7x7, 192, 7, 1);
  int b7x7dbl = conv_bn(x, filters, 1, 1);
  b7x7dbl = conv_bn(b7x7dbl, filters, 7, 1);
  b7x7dbl = conv_bn(b7x7dbl, filters, 1, 7);
  b7x7dbl = conv_bn(b7x7dbl, filters, 7, 1);
  b7x7dbl = conv_bn(b7x7dbl, 192, 1, 7);
  const int pool = conv_bn(avg_pool(x), 192, 1, 1);
  return g_.concat(name, {b1x1, b7x7, b7x7dbl, pool});
}

int Inception::mixed_17_to_8(const std::string& name, int x) {
  int b3x3 = conv_bn(x, 192, 1, 1);
  b3x3 = conv_bn(b3x3, 320, 3, 3, 2, Pad::kValid);
  int b7x7x3 = conv_bn(x, 192, 1, 1);
  b7x7x3 = conv_bn(b7x7x3, 192, 1, 7);
  b7x7x3 = conv_bn(b7x7x3, 192, 7, 1);
  b7x7x3 = conv_bn(b7x7x3, 192, 3, 3, 2, Pad::kValid);
  return g_.concat(name, {b3x3, b7x7x3, max_pool(x)});
}

int Inception::mixed_8(const std::string& name, int x, const std::string& concat_a, const std::string& concat_b) {
  const int b1x1 = conv_bn(x, 320, 1, 1);
  int b3x3 = conv_bn(x, 384, 1, 1);
  const int b3x3_1 = conv_bn(b3x3, 384, 1, 3);
  const int b3x3_2 = conv_bn(b3x3, 384, 3, 1);
  b3x3 = g_.concat(concat_a, {b3x3_1, b3x3_2});
  int b3x3dbl = conv_bn(x, 448, 1, 1);
  b3x3dbl = conv_bn(b3x3dbl, 384, 3, 3);
  const int b3x3dbl_1 = conv_bn(b3x3dbl, 384, 1, 3);
  const int b3x3dbl_2 = conv_bn(b3x3dbl, 384, 3, 1);
  b3x3dbl = g_.concat(concat_b, {b3x3dbl_1, b3x3dbl_2});
  const int pool = conv_bn(avg_pool(x), 192, 1, 1);
  return g_.concat(name, {b1x1, b3x3, b3x3dbl, pool});
}

Graph Inception::build(const ModelOptions& options) {
  int x = g_.input(options.height_or(299), options.width_or(299), 3);
  x = conv_bn(x, 32, 3, 3, 2, Pad::kValid);
  x = conv_bn(x, 32, 3, 3, 1, Pad::kValid);
  x = conv_bn(x, 64, 3, 3);
  x = max_pool(x);
  x = conv_bn(x, 80, 1, 1, 1, Pad::kValid);
  x = conv_bn(x, 192, 3, 3, 1, Pad::kValid);
  x = max_pool(x);
  x = mixed_35("mixed0", x, 32);
  x = mixed_35("mixed1", x, 64);
  x = mixed_35("mixed2", x, 64);
  x = mixed_35_to_17("mixed3", x);
  x = mixed_17("mixed4", x, 128);
  x = mixed_17("mixed5", x, 160);
  x = mixed_17("mixed6", x, 160);
  x = mixed_17("mixed7", x, 192);
  x = mixed_17_to_8("mixed8", x);
  x = mixed_8("mixed9", x, "mixed9_0", "concatenate");
  x = mixed_8("mixed10", x, "mixed9_1", "concatenate_1");
  x = g_.global_avg_pool("avg_pool", x);
  return g_.finish(g_.dense("predictions", x, 1000));
}

}  // namespace

ModelSpec inceptionv3_model() {
  return {.name = "inceptionv3",
          .description = "Inception v3 (Szegedy, Vanhoucke, Ioffe, Shlens, Wojna 2015)",
          .build = [](const ModelOptions& options) { return Inception().build(options); },
          .input = {299, 299, Normalization::kTf},
          .detect_variant = {},
          .weight_files = [](const ModelOptions&) -> std::vector<std::string> {
            return {"inception_v3_weights_tf_dim_ordering_tf_kernels.h5"};
          },
          .published_at =
              "release v0.5 of deep-learning-models, https://github.com/fchollet/deep-learning-models/releases, or "
              "keras.applications.InceptionV3(weights='imagenet')"};
}

}  // namespace gpueval
