// SPDX-License-Identifier: Apache-2.0
// All that a run of gpu_bench found, and its forms: text, Markdown, JSON.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "bench_row.h"
#include "gpueval/conditions.h"
#include "report/text_table.h"
#include "roofs.h"

namespace gpueval::bench {

struct Result {
  std::string command;
  std::map<std::string, std::string> devices;      // "cuda" -> "NVIDIA H200, sm_90, driver ..."
  std::map<std::string, std::size_t> cache_bytes;  // last-level cache of each device
  std::string load_before, load_after;             // load averages of the host
  std::vector<RoofValue> roofs;
  std::vector<Row> rows;
  bool interrupted = false;  // rows are missing
  std::optional<Conditions> conditions = {};

  SpeedVerdict verdict(const Row& row) const;  // the row's own, and that of what else happened on the machine
};

std::string disturbance_lines(const Result& result);  // "" if nothing disturbed the times
TextTable roof_table(const Result& result);
TextTable row_table(const Result& result);
// One line a shape, one column a regular expression: the fastest matching kernel, and its speed over the first
// column's.
TextTable compare_table(const Result& result, const std::vector<std::string>& patterns);
std::string markdown(const Result& result, const std::vector<std::string>& compare);
std::string json(const Result& result);

}  // namespace gpueval::bench
