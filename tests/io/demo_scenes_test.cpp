// SPDX-License-Identifier: Apache-2.0
// The demo's pictures of several shapes: the same bytes everywhere, boxes around what the label maps show.
#include <algorithm>
#include <set>

#include "support/data_files.h"

namespace gpueval {
namespace {

TEST(DemoScenes, AreTheSameEverywhere) {
  constexpr std::size_t kCount = 20;
  const auto boxes = open_demo_boxes("test", kCount), maps = open_demo_masks("test", kCount);
  Sha256 sum;
  for (std::size_t i = 0; i < kCount; ++i) {
    const Image image = boxes->decode(i);
    EXPECT_EQ(image.rgb, maps->decode(i).rgb);
    sum.update(std::as_bytes(std::span(image.rgb)));
    const LabelMap map = maps->label_map(i);
    sum.update(std::as_bytes(std::span(map.classes)));
    for (const TruthBox& truth : boxes->boxes(i)) {
      const Box& b = truth.box;
      sum.update(std::string_view(fmt::format("{} {} {} {} {}\n", truth.category, b.x, b.y, b.width, b.height)));
    }
  }
  EXPECT_EQ(sum.hex(), "682f4f97e54d662d48b7e7955dd408923b0cc75406fcd7d6f296b7f8ae95b2b4");
}

TEST(DemoScenes, BoxesSurroundWhatTheMapsShow) {
  constexpr std::size_t kCount = 300;
  const auto boxes = open_demo_boxes("train", kCount), maps = open_demo_masks("train", kCount);
  EXPECT_EQ(boxes->truth(), TruthKind::kBoxes);
  EXPECT_EQ(maps->truth(), TruthKind::kLabelMap);
  const std::vector<std::string> shapes = boxes->class_names();
  EXPECT_EQ(shapes, (std::vector<std::string>{"disc", "ring", "square", "triangle", "cross"}));
  EXPECT_EQ(maps->class_names().size(), shapes.size() + 1);
  std::vector<int> seen(shapes.size());
  std::set<std::size_t> counts;
  for (std::size_t i = 0; i < kCount; ++i) {
    SCOPED_TRACE(i);
    const LabelMap map = maps->label_map(i);
    ASSERT_EQ(map.classes.size(), std::size_t{96} * 96);
    const std::vector<TruthBox> truths = boxes->boxes(i);
    counts.insert(truths.size());
    double area = 0;
    for (const TruthBox& truth : truths) {
      ++seen.at(static_cast<std::size_t>(truth.category));
      area += truth.area;
      const Box& b = truth.box;
      EXPECT_TRUE(b.x >= 0 && b.y >= 0 && b.width > 8 && b.height > 8 && b.x + b.width <= 96 && b.y + b.height <= 96);
      const auto of_class = [&](double x, double y) {
        return map.classes[static_cast<std::size_t>(y) * 96 + static_cast<std::size_t>(x)] == truth.category + 1;
      };
      // Each side touches its shape.
      bool left = false, right = false, top = false, bottom = false;
      for (int k = 0; k < static_cast<int>(b.height); ++k) {
        left |= of_class(b.x, b.y + k);
        right |= of_class(b.x + b.width - 1, b.y + k);
      }
      for (int k = 0; k < static_cast<int>(b.width); ++k) {
        top |= of_class(b.x + k, b.y);
        bottom |= of_class(b.x + k, b.y + b.height - 1);
      }
      EXPECT_TRUE(left && right && top && bottom);
    }
    const auto shown = std::count_if(map.classes.begin(), map.classes.end(), [](std::uint8_t c) { return c > 0; });
    EXPECT_EQ(area, static_cast<double>(shown));
    EXPECT_LE(*std::max_element(map.classes.begin(), map.classes.end()), shapes.size());
  }
  EXPECT_EQ(counts, (std::set<std::size_t>{1, 2, 3, 4}));
  for (const int count : seen) EXPECT_GT(count, 60);
}

TEST(DemoScenes, SplitsDifferAndHaveAnEnd) {
  EXPECT_NE(open_demo_boxes("test", 1)->decode(0).rgb, open_demo_boxes("train", 1)->decode(0).rgb);
  EXPECT_NE(open_demo_boxes("test", 1)->content(0), open_demo("test", 1)->content(0));
  EXPECT_THROW(open_demo_masks("test", 3)->label_map(3), Error);
  EXPECT_THROW(open_demo_boxes("validation", 1), Error);
}

}  // namespace
}  // namespace gpueval
