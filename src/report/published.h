// SPDX-License-Identifier: Apache-2.0
// The original research's figures beside ours.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "gpueval/report.h"
#include "report/text_table.h"

namespace gpueval {

struct PublishedRow {
  std::string label;          // as RunReport::label(): "float32", "int8 reference", "int8 reference-pw"
  double top1 = 0, top5 = 0;  // fractions
};
constexpr const char* kPublishedSource = "Tensorflow-quantization-test README, val224 images";
constexpr std::size_t kPublishedImages = 50000;

// Rows of the network as table rows name it ("mobilenet 0.25"), float32 first; empty: nothing is published.
std::vector<PublishedRow> published_rows(const std::string& network);

// Published figures of the table's networks and ours of the same rows; nullopt: nothing is published of any of them.
std::optional<TextTable> published_table(const TableReport& report);
// What to know when comparing the two.
std::string published_note(const TableReport& report);

}  // namespace gpueval
