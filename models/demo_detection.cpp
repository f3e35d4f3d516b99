// SPDX-License-Identifier: Apache-2.0
// A toy that finds drawn shapes, 96 x 96: three maps of 12, 6 and 3 cells, two square anchors in each. Outputs: "boxes"
// (anchors x 1 x 4: offsets) and "classes" (anchors x 1 x 5: logits of a sigmoid each, without a background).
// models/demo/README.md has its anchors and its accuracy.
#include <array>
#include <vector>

#include "gpueval/models.h"
#include "models/demo_trunk.h"

namespace gpueval {
namespace {

constexpr int kClasses = 5, kAnchors = 2;

Graph build(const ModelOptions& options) {
  GraphBuilder g("demo-detection");
  DemoTrunk trunk(g);
  int x = trunk.block(trunk.first(g.input(options.height_or(96), options.width_or(96), 3)), 24);
  x = trunk.block(trunk.block(x, 48, 2), 64, 2);
  std::vector<int> boxes, classes;
  const auto head = [&](const char* name, const char* kind, int map, int each) {
    const std::string layer = fmt::format("{}_{}", name, kind);
    const int cells = g.conv2d(layer, map, kAnchors * each, 3, 3, {.pad = Pad::kSame});
    const Shape shape = g.shape(cells);
    return g.reshape(layer + "_reshape", cells, {shape.h * shape.w * kAnchors, 1, each});
  };
  const auto heads = [&](const char* name, int map) {
    boxes.push_back(head(name, "boxes", map, 4));
    classes.push_back(head(name, "classes", map, kClasses));
  };
  heads("map12", x = trunk.block(x, 96));
  x = trunk.block(x, 128, 2);
  heads("map6", x = trunk.block(x, 128));
  heads("map3", trunk.block(x, 128, 2));
  return g.finish({{"boxes", g.concat("boxes", boxes, Axis::kH)}, {"classes", g.concat("classes", classes, Axis::kH)}});
}

}  // namespace

ModelSpec demo_detection_model() {
  return {.name = "demo-detection",
          .description = "toy MobileNet SSD: boxes of 5 drawn shapes (part of the program)",
          .build = build,
          .input = {96, 96, Normalization::kTf},
          .labels = {kClasses, false},
          .truth = TruthKind::kBoxes,
          .fit = Fit::kSquash,
          .priors = "demo_detection",
          .detect_variant = {},
          .weight_files = [](const ModelOptions&) { return std::vector<std::string>{}; },
          .published_at = "embedded in the program: models/demo/"};
}

}  // namespace gpueval
