// SPDX-License-Identifier: Apache-2.0
// U-Net: Ronneberger et al., "U-Net: Convolutional Networks for Biomedical Image Segmentation", 2015, as
// zhixuhao/unet has it in Keras, which most others copied. The sigmoid behind its last layer is left to whoever judges.
#include <fmt/format.h>

#include <array>
#include <vector>

#include "models/class_count.h"

namespace gpueval {
namespace {

constexpr int kClasses = 1;  // a logit of what is not background
constexpr std::array<int, 4> kLevels = {64, 128, 256, 512};
constexpr int kBottom = 1024, kLast = 2;

class UNet {
 public:
  explicit UNet(const ModelOptions& options) : options_(options), g_("unet_standard") {}

  Graph build() {
    const int height = options_.height_or(256), width = options_.width_or(256);
    check_multiple("unet_standard", height, width, 1 << kLevels.size());
    int x = g_.input(height, width, 1);
    std::vector<int> skips;
    for (const int filters : kLevels) {
      skips.push_back(x = two(x, filters));
      x = g_.max_pool(numbered("max_pooling2d", skips.size()), x, 2, 2);
    }
    x = two(x, kBottom);
    for (auto filters = kLevels.rbegin(); filters != kLevels.rend(); ++filters) {
      const std::size_t level = 1 + kLevels.size() - skips.size();
      const Shape shape = g_.shape(x);
      x = g_.resize_nearest(numbered("up_sampling2d", level), x, 2 * shape.h, 2 * shape.w);
      x = conv(x, thinned(*filters, options_), 2);
      x = two(g_.concat(numbered("concatenate", level), {skips.back(), x}), *filters);
      skips.pop_back();
    }
    x = conv(x, kLast, 3);
    return g_.finish(plain_conv(x, class_count("unet_standard", options_.variant, kClasses), 1));
  }

 private:
  static std::string numbered(const char* name, std::size_t i) { return fmt::format("{}_{}", name, i); }
  int plain_conv(int x, int filters, int kernel) {
    return g_.conv2d(fmt::format("conv2d_{}", ++convolutions_), x, filters, kernel, kernel, {.pad = Pad::kSame});
  }
  int conv(int x, int filters, int kernel) {
    const int map = plain_conv(x, filters, kernel);
    return g_.relu(fmt::format("conv2d_{}_relu", convolutions_), map);
  }
  int two(int x, int filters) {
    const int width = thinned(filters, options_);
    return conv(conv(x, width, 3), width, 3);
  }

  const ModelOptions& options_;
  GraphBuilder g_;
  int convolutions_ = 0;
};

}  // namespace

ModelSpec unet_standard_model() {
  return {.name = "unet_standard",
          .description = "U-Net (Ronneberger et al. 2015) of grey pictures, as zhixuhao/unet has it in Keras",
          .build = [](const ModelOptions& options) { return UNet(options).build(); },
          .input = {256, 256, Normalization::kUnit, 1},
          .labels = {2, false},
          .truth = TruthKind::kLabelMap,
          .fit = Fit::kSquash,
          .detect_variant =
              [](const WeightFile& file) { return class_variant(filters_of_pointwise(file, kLast), kClasses); },
          .weight_files = [](const ModelOptions&) -> std::vector<std::string> { return {"unet_membrane.hdf5"}; },
          .published_at = "nowhere: trained by its users, https://github.com/zhixuhao/unet"};
}

}  // namespace gpueval
