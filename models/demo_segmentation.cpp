// SPDX-License-Identifier: Apache-2.0
// A toy that says of each pixel which drawn shape it is of, 96 x 96. Its output is the map of logits at half the size.
// models/demo/README.md has its accuracy.
#include "gpueval/models.h"
#include "models/class_count.h"
#include "models/demo_trunk.h"

namespace gpueval {
namespace {

constexpr int kClasses = 6;  // the first is the background

Graph build(const ModelOptions& options) {
  GraphBuilder g("demo-segmentation");
  DemoTrunk trunk(g);
  const int height = options.height_or(96), width = options.width_or(96);
  check_multiple("demo-segmentation", height, width, 8);
  const int skip = trunk.block(trunk.first(g.input(height, width, 3)), 24);
  int x = trunk.block(trunk.block(skip, 48, 2), 64, 2);
  x = trunk.block(trunk.block(x, 96, 1, 2), 96, 1, 4);
  x = g.resize_nearest("up_sampling2d", x, height / 2, width / 2);
  x = trunk.block(g.concat("concatenate", {x, skip}), 48);
  return g.finish(g.conv2d("logits", x, kClasses, 1, 1, {.pad = Pad::kSame}));
}

}  // namespace

ModelSpec demo_segmentation_model() {
  return {.name = "demo-segmentation",
          .description = "toy MobileNet with dilation: label maps of 5 drawn shapes (part of the program)",
          .build = build,
          .input = {96, 96, Normalization::kTf},
          .labels = {kClasses, false},
          .truth = TruthKind::kLabelMap,
          .fit = Fit::kSquash,
          .detect_variant = {},
          .weight_files = [](const ModelOptions&) { return std::vector<std::string>{}; },
          .published_at = "embedded in the program: models/demo/"};
}

}  // namespace gpueval
