// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "core/json_text.h"
#include "gpueval/report.h"
#include "report/text_table.h"

namespace gpueval {

std::string to_text(const SelftestResult& result) {
  TextTable table;
  table.column("kernel", TextTable::Align::kLeft);
  table.column("shapes");
  table.column("result", TextTable::Align::kLeft);
  table.column("ms");
  std::string text;
  for (const SelftestRow& row : result.rows) {
    table.row({row.name, std::to_string(row.shapes), row.failure.empty() ? "equal" : "FAILED",
               fmt::format("{:.1f}", row.ms)});
    if (!row.failure.empty()) text += fmt::format("FAILED: {}: {}.\n", row.name, row.failure);
  }
  const std::size_t count = result.rows.size(), failed = result.failed();
  text += failed == 0
              ? fmt::format("All {} equal the reference on {}.\n", count, result.device)
              : fmt::format("{} of {} failed on {}: they are not chosen there.\n", failed, count, result.device);
  return table.text() + '\n' + text;
}

std::string to_json(const SelftestResult& result) {
  nlohmann::ordered_json rows = nlohmann::ordered_json::array();
  for (const SelftestRow& row : result.rows) {
    rows.push_back({{"name", row.name},
                    {"equal", row.failure.empty()},
                    {"failure", row.failure.empty() ? nlohmann::ordered_json() : nlohmann::ordered_json(row.failure)},
                    {"shapes", row.shapes},
                    {"ms", row.ms}});
  }
  const ToolInfo tool = tool_info();
  return json_text(nlohmann::ordered_json{{"selftest", 1},
                                          {"device", result.device},
                                          {"driver", result.driver},
                                          {"revision", tool.revision},
                                          {"failed", result.failed()},
                                          {"kernels", std::move(rows)}},
                   2) +
         '\n';
}

}  // namespace gpueval
