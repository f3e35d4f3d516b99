// SPDX-License-Identifier: Apache-2.0
// DeepLabV3+ on MobileNetV2: Chen et al., "Encoder-Decoder with Atrous Separable Convolution for Semantic Image
// Segmentation", 2018, as bonlime/keras-deeplab-v3-plus has it (which leaves the decoder out). Its output is the map of
// logits at an eighth of the input, in front of the last resize: bilinear to the input's size, corners aligned.
#include <fmt/format.h>

#include <array>

#include "models/class_count.h"

namespace gpueval {
namespace {

constexpr int kClasses = 21;
constexpr const char* kLogits = "logits_semantic";
constexpr const char* kOtherLogits = "custom_logits_semantic";  // of files with other classes than VOC and Cityscapes

struct Block {
  int filters, stride, rate;
  bool add;
};
constexpr std::array<Block, 17> kBlocks{{{16, 1, 1, false},
                                         {24, 2, 1, false},
                                         {24, 1, 1, true},
                                         {32, 2, 1, false},
                                         {32, 1, 1, true},
                                         {32, 1, 1, true},
                                         {64, 1, 1, false},
                                         {64, 1, 2, true},
                                         {64, 1, 2, true},
                                         {64, 1, 2, true},
                                         {96, 1, 2, false},
                                         {96, 1, 2, true},
                                         {96, 1, 2, true},
                                         {160, 1, 2, false},
                                         {160, 1, 4, true},
                                         {160, 1, 4, true},
                                         {320, 1, 4, false}}};

class DeepLab {
 public:
  explicit DeepLab(const ModelOptions& options) : options_(options), g_("deeplabv3plus_mobilenetv2") {}

  Graph build() {
    int x = g_.input(options_.height_or(512), options_.width_or(512), 3);
    x = g_.conv2d("Conv", x, 32, 3, 3, {.stride = 2, .pad = Pad::kSame, .bias = false});
    x = g_.relu6("Conv_Relu6", g_.batch_norm("Conv_BN", x));
    for (std::size_t i = 0; i < kBlocks.size(); ++i) x = inverted_residual(x, i);
    x = pointwise("concat_projection", g_.concat("concatenate", {pooled(x), pointwise("aspp0", x)}));
    return g_.finish(g_.conv2d(kLogits, x, class_count("deeplabv3plus_mobilenetv2", options_.variant, kClasses), 1, 1,
                               {.pad = Pad::kSame}));
  }

 private:
  int plain_pointwise(const std::string& name, int x, int filters, float eps) {
    x = g_.conv2d(name, x, filters, 1, 1, {.pad = Pad::kSame, .bias = false});
    return g_.batch_norm(name + "_BN", x, eps);
  }
  int pointwise(const std::string& name, int x) {
    return g_.relu(name + "_activation", plain_pointwise(name, x, 256, 1e-5f));
  }

  int inverted_residual(int x, std::size_t index) {
    const auto [filters, stride, rate, add] = kBlocks[index];
    const std::string prefix = index == 0 ? "expanded_conv_" : fmt::format("expanded_conv_{}_", index);
    int y = x;
    if (index > 0) {
      y = g_.relu6(prefix + "expand_relu", plain_pointwise(prefix + "expand", y, 6 * g_.shape(y).c, 1e-3f));
    }
    y = g_.depthwise_conv2d(prefix + "depthwise", y, 3,
                            {.stride = stride, .pad = Pad::kSame, .bias = false, .dilation = rate});
    y = g_.relu6(prefix + "depthwise_relu", g_.batch_norm(prefix + "depthwise_BN", y));
    y = plain_pointwise(prefix + "project", y, filters, 1e-3f);
    return add ? g_.add(prefix + "add", {x, y}) : y;
  }

  // The mean of the map at every pixel: interpolating one pixel repeats it.
  int pooled(int x) {
    const Shape shape = g_.shape(x);
    const int mean = pointwise("image_pooling", g_.global_avg_pool("global_average_pooling2d", x));
    return g_.resize_nearest("image_pooling_resize", mean, shape.h, shape.w);
  }

  const ModelOptions& options_;
  GraphBuilder g_;
};

std::string detect(const WeightFile& file) {
  const std::int64_t usual = filters_of(file, kLogits);
  return class_variant(usual > 0 ? usual : filters_of(file, kOtherLogits), kClasses);
}

}  // namespace

ModelSpec deeplabv3plus_mobilenetv2_model() {
  return {.name = "deeplabv3plus_mobilenetv2",
          .description = "DeepLabV3+, MobileNetV2, output stride 8 (Chen et al. 2018): VOC, Cityscapes or own classes",
          .build = [](const ModelOptions& options) { return DeepLab(options).build(); },
          .input = {512, 512, Normalization::kTf},
          .labels = {kClasses, false},
          .truth = TruthKind::kLabelMap,
          .fit = Fit::kPad,
          .detect_variant = detect,
          .weight_files = [](const ModelOptions&) -> std::vector<std::string> {
            return {"deeplabv3_mobilenetv2_tf_dim_ordering_tf_kernels.h5",
                    "deeplabv3_mobilenetv2_tf_dim_ordering_tf_kernels_cityscapes.h5"};
          },
          .published_at =
              "releases 1.1 and 1.2 of keras-deeplab-v3-plus, "
              "https://github.com/bonlime/keras-deeplab-v3-plus/releases"};
}

}  // namespace gpueval
