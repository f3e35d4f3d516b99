// SPDX-License-Identifier: Apache-2.0
// The U-Net of the original research: five levels down and up, 256x256, people or their parts.
#include <fmt/format.h>

#include <array>
#include <vector>

#include "models/class_count.h"

namespace gpueval {
namespace {

constexpr int kClasses = 2;
constexpr std::array<int, 5> kDown = {64, 128, 256, 256, 256}, kUp = {256, 256, 256, 128, 64};

class UNet {
 public:
  explicit UNet(const ModelOptions& options) : options_(options), g_("unet") {}

  Graph build() {
    const int height = options_.height_or(256), width = options_.width_or(256);
    check_multiple("unet", height, width, 1 << kDown.size());
    int x = g_.input(height, width, 3);
    std::vector<int> skips;
    for (const int filters : kDown) {
      skips.push_back(x = two(x, filters));
      x = g_.max_pool(fmt::format("max_pooling2d_{}", skips.size()), x, 2, 2);
    }
    for (const int filters : kUp) {
      const std::size_t level = 1 + kUp.size() - skips.size();
      const Shape shape = g_.shape(skips.back());
      x = g_.resize_nearest(fmt::format("up_sampling2d_{}", level), x, shape.h, shape.w);
      x = two(g_.concat(fmt::format("concatenate_{}", level), {x, skips.back()}), filters);
      skips.pop_back();
    }
    return g_.finish(by_class(conv(x, class_count("unet", options_.variant, kClasses), 1)));
  }

 private:
  int conv(int x, int filters, int kernel) {
    const std::string name = fmt::format("conv2d_{}", ++convolutions_);
    return g_.relu(name + "_relu", g_.conv2d(name, x, filters, kernel, kernel, {.pad = Pad::kSame}));
  }
  int two(int x, int filters) {
    const int width = thinned(filters, options_);
    return conv(conv(x, width, 3), width, 3);
  }

  // Its weights were trained through Reshape((classes, h * w)) of a map that has the classes last, then a Permute:
  // class c of pixel p is element c * h * w + p of that map.
  int by_class(int x) {
    const Shape shape = g_.shape(x);
    return g_.permute("permute_1", g_.reshape("reshape_1", x, {shape.c, shape.h, shape.w}), {1, 2, 0});
  }

  const ModelOptions& options_;
  GraphBuilder g_;
  int convolutions_ = 0;
};

}  // namespace

ModelSpec unet_model() {
  return {.name = "unet",
          .description = "U-Net of the original research (2018): people (2 classes) or their parts (5)",
          .build = [](const ModelOptions& options) { return UNet(options).build(); },
          .input = {256, 256, Normalization(Normalization::kTf).in_bgr()},
          .labels = {kClasses, false},
          .truth = TruthKind::kLabelMap,
          .fit = Fit::kPadCentre,
          .detect_variant =
              [](const WeightFile& file) { return class_variant(filters_of_pointwise(file, kUp.back()), kClasses); },
          .weight_files = [](const ModelOptions&) -> std::vector<std::string> {
            return {"unet_seg_weights.h5", "unet_parse_weights.h5"};
          },
          .published_at = "the original research's own repository"};
}

}  // namespace gpueval
