// SPDX-License-Identifier: Apache-2.0
#include "task/segmentation/upsample.h"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "core/random.h"
#include "gpueval/error.h"
#include "gpueval/truth.h"
#include "task/segmentation/scorer.h"

namespace gpueval {
namespace {

TEST(LabelPixels, AreThoseOfTensorFlowAndOpenCv) {
  std::ifstream file(GPUEVAL_SOURCE_DIR "/tests/golden/labels/labels.json");
  const nlohmann::json rows = nlohmann::json::parse(file);
  ASSERT_EQ(rows.size(), 12u);
  for (const auto& row : rows) {
    const auto c = row["case"].get<std::vector<int>>();
    const Shape map{1, c[0], c[1], c[2]}, input{1, c[3], c[4], 3};
    Random random(row["seed"].get<std::uint64_t>());
    std::vector<float> logits(static_cast<std::size_t>(map.elements()));
    for (float& value : logits) value = static_cast<float>(random.uniform(-3, 3));
    const Geometry geometry{.top = c[5], .left = c[6], .height = c[7], .width = c[8]};
    const Upsample upsample = row["aligned"].get<bool>() ? Upsample::kAligned : Upsample::kHalfPixel;
    const std::vector<std::uint8_t> found = label_pixels(logits, map, input, upsample, geometry, c[9], c[10]);
    const auto expected = row["classes"].get<std::string>();
    ASSERT_EQ(found.size(), expected.size());
    for (std::size_t i = 0; i < found.size(); ++i) {
      if (expected[i] == ' ') continue;  // rounding decides
      EXPECT_EQ(int{found[i]}, expected[i] - '!') << row["case"] << ' ' << row["aligned"] << ' ' << i;
    }
  }
}

TEST(LabelPixels, NaNIsNoClass) {
  const std::vector<float> logits{1, 2, std::nanf(""), 0};
  const Geometry pixel{.height = 1, .width = 1};
  const auto classes_at = [&](std::size_t first) {
    return label_pixels(std::span(logits).subspan(first, 2), {1, 1, 1, 2}, {1, 1, 1, 3}, Upsample::kHalfPixel, pixel, 1,
                        1);
  };
  EXPECT_EQ(classes_at(0), (std::vector<std::uint8_t>{1}));
  EXPECT_EQ(classes_at(2), (std::vector<std::uint8_t>{LabelMap::kVoid}));
  EXPECT_EQ(label_pixels(std::vector<float>{3, 3}, {1, 1, 1, 2}, {1, 1, 1, 3}, Upsample::kAligned,
                         {.height = 1, .width = 1}, 1, 1),
            (std::vector<std::uint8_t>{0}));  // of equal ones the lower class
}

TEST(LabelMapShape, UndoesAReshape) {
  const Shape input{1, 48, 64, 3};
  const auto shape = [&](const Shape& output) { return label_map_shape(input, {.layer = "out", .shape = output}); };
  EXPECT_EQ(shape({1, 48, 64, 2}), (Shape{1, 48, 64, 2}));
  EXPECT_EQ(shape({1, 48 * 64, 1, 2}), (Shape{1, 48, 64, 2}));
  EXPECT_EQ(shape({1, 12 * 16, 1, 5}), (Shape{1, 12, 16, 5}));
  EXPECT_THROW(shape({1, 100, 1, 2}), Error);
}

}  // namespace
}  // namespace gpueval
