// SPDX-License-Identifier: Apache-2.0
// Boxes that a device finds against the host's, bit for bit; where these are no numbers, neither are those.
#pragma once

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "gpueval/outputs.h"
#include "task/detection/decode.h"

namespace gpueval::test {

inline void expect_number(float got, float want, const std::string& where) {
  if (std::isnan(want)) {
    EXPECT_TRUE(std::isnan(got)) << where;
  } else {
    EXPECT_EQ(std::bit_cast<std::uint32_t>(got), std::bit_cast<std::uint32_t>(want)) << where;
  }
}

inline void expect_equal_boxes(const std::vector<FoundBox>& got, const std::vector<FoundBox>& want,
                               const std::string& of) {
  ASSERT_EQ(got.size(), want.size()) << of;
  for (std::size_t i = 0; i < want.size(); ++i) {
    const std::string where = of + ", box " + std::to_string(i);
    ASSERT_EQ(got[i].category, want[i].category) << where;
    expect_number(got[i].score, want[i].score, where);
    expect_number(got[i].x1, want[i].x1, where);
    expect_number(got[i].y1, want[i].y1, where);
    expect_number(got[i].x2, want[i].x2, where);
    expect_number(got[i].y2, want[i].y2, where);
  }
}

// What the host finds in picture i of a batch's outputs.
template <typename Numbers>
std::vector<FoundBox> found_by_host(const Priors& priors, const Numbers& offsets, const Numbers& scores,
                                    std::size_t i) {
  const std::size_t boxes = 4 * priors.boxes.size();
  const std::size_t channels = priors.boxes.size() * static_cast<std::size_t>(priors.score_channels());
  return detect(priors, thresholds_of(priors), std::span<const float>(offsets).subspan(i * boxes, boxes),
                std::span<const float>(scores).subspan(i * channels, channels));
}

}  // namespace gpueval::test
