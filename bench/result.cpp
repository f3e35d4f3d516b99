// SPDX-License-Identifier: Apache-2.0
#include "result.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "core/json_text.h"
#include "gpueval/report.h"
#include "patterns.h"

namespace gpueval::bench {
namespace {

using Align = TextTable::Align;

std::string significant(double value) {
  if (value >= 100) return fmt::format("{:.0f}", value);
  return value >= 10    ? fmt::format("{:.1f}", value)
         : value >= 1   ? fmt::format("{:.2f}", value)
         : value >= 0.1 ? fmt::format("{:.3f}", value)
                        : fmt::format("{:.2g}", value);
}

std::string where(const Row& row) {
  return row.threads > 0 ? fmt::format("{} t{}", row.device, row.threads) : row.device;
}

std::size_t cache_of(const Result& result, const Row& row) {
  const auto found = result.cache_bytes.find(row.device);
  return found == result.cache_bytes.end() ? 0 : found->second;
}

// Rows that --compare sets side by side.
std::string group_of(const Row& row) {
  return row.network + "|" + to_string(row.desc) + "|" + where(row) + (row.cold ? "|cold" : "|hot");
}

const Row* fastest(const std::vector<const Row*>& group, const Pattern& pattern) {
  const Row* best = nullptr;
  for (const Row* row : group) {
    if (!row->measured() || row->emulated() || !pattern.matches(row->kernel)) continue;
    if (best == nullptr || row->seconds < best->seconds) best = row;
  }
  return best;
}

std::string environment(const Result& result) {
  const HostInfo host = host_info();
  std::string text = fmt::format("Host: {}, {} cores, {}, {}; load average {} before, {} after. Tool: {} {}.\n",
                                 host.cpu, host.cores, host.os, host.compiler, result.load_before, result.load_after,
                                 tool_info().version, tool_info().revision);
  for (const std::string& note : host.notes) text += note + '\n';
  for (const auto& [name, description] : result.devices) text += fmt::format("Device {}: {}.\n", name, description);
  return text;
}

// What disturbed all rows, and what helps.
std::vector<std::string> disturbances(const Result& result) {
  std::vector<std::string> lines;
  const bool emulated =
      std::any_of(result.rows.begin(), result.rows.end(), [](const Row& row) { return row.emulated(); });
  if (emulated) lines.push_back(fmt::format("{}.", kEmulated));
  if (!result.conditions) return lines;
  for (const std::string& clause : result.conditions->noise()) lines.push_back(fmt::format("NOISY: {}.", clause));
  if (std::string advice = result.conditions->advice(0); !advice.empty()) lines.push_back(std::move(advice));
  return lines;
}

}  // namespace

SpeedVerdict Result::verdict(const Row& row) const {
  return conditions && !conditions->noise().empty() ? SpeedVerdict::kNoisy : row.verdict();
}

std::string disturbance_lines(const Result& result) {
  std::string text;
  for (const std::string& line : disturbances(result)) text += line + '\n';
  return text;
}

TextTable roof_table(const Result& result) {
  TextTable table;
  table.column("device", Align::kLeft);
  table.column("threads");
  table.column("roof", Align::kLeft);
  table.column("measured");
  table.column("unit", Align::kLeft);
  table.column("verdict", Align::kLeft);
  for (const RoofValue& roof : result.roofs) {
    const bool emulated = roof.device == "emu" && roof.missing.empty();
    table.row({roof.device, roof.threads > 0 ? fmt::format("{}", roof.threads) : "", roof.name,
               emulated               ? "emulated"
               : roof.missing.empty() ? significant(roof.value)
                                      : roof.missing,
               roof.unit, roof.remark.empty() ? "" : "NOISY: " + roof.remark});
  }
  return table;
}

TextTable row_table(const Result& result) {
  TextTable table;
  for (const char* title : {"kernel", "device", "network", "shape", "cache"}) table.column(title, Align::kLeft);
  table.column("us");
  table.column("verdict", Align::kLeft);
  for (const char* title : {"TOPS", "GB/s", "% of roof"}) table.column(title);
  table.column("roof", Align::kLeft);
  table.column("note", Align::kLeft);
  for (const Row& row : result.rows) {
    std::vector<std::string> cells = {row.kernel, where(row), row.network, to_string(row.desc),
                                      row.cold ? "cold" : "hot"};
    if (row.measured() && row.emulated()) {
      cells.insert(cells.end(), {"", "emulated", "", "", "", ""});
    } else if (row.measured()) {
      const auto share = share_of_roof(row, result.roofs, cache_of(result, row));
      cells.push_back(significant(row.seconds * 1e6));
      cells.push_back(to_string(result.verdict(row)));
      for (const double value : {row.tops(), row.gbs()}) cells.push_back(significant(value));
      cells.push_back(share ? fmt::format("{:.0f}", 100 * share->fraction) : "");
      cells.push_back(share ? share->roof : "");
    } else {
      cells.resize(cells.size() + 6);
    }
    cells.push_back(row.note);
    table.row(std::move(cells));
  }
  return table;
}

TextTable compare_table(const Result& result, const std::vector<std::string>& patterns) {
  TextTable table;
  for (const char* title : {"network", "shape", "device", "cache"}) table.column(title, Align::kLeft);
  for (std::size_t i = 0; i < patterns.size(); ++i) {
    table.column(patterns[i] + " us");
    table.column("verdict", Align::kLeft);
    table.column("kernel", Align::kLeft);
    if (i > 0) table.column("x " + patterns[0]);
  }
  std::vector<std::string> order;
  std::map<std::string, std::vector<const Row*>> groups;
  for (const Row& row : result.rows) {
    auto& group = groups[group_of(row)];
    if (group.empty()) order.push_back(group_of(row));
    group.push_back(&row);
  }
  for (const std::string& key : order) {
    const auto& group = groups[key];
    const Row& any = *group.front();
    std::vector<std::string> cells = {any.network, to_string(any.desc), where(any), any.cold ? "cold" : "hot"};
    const Row* first = nullptr;
    for (std::size_t i = 0; i < patterns.size(); ++i) {
      const Row* best = fastest(group, Pattern(patterns[i]));
      if (i == 0) first = best;
      cells.push_back(best != nullptr ? significant(best->seconds * 1e6) : "-");
      cells.push_back(best != nullptr ? to_string(result.verdict(*best)) : "");
      cells.push_back(best != nullptr ? best->kernel : "none");
      if (i > 0) cells.push_back(first && best ? fmt::format("{:.2f}", first->seconds / best->seconds) : "-");
    }
    table.row(std::move(cells));
  }
  return table;
}

std::string markdown(const Result& result, const std::vector<std::string>& compare) {
  std::string text = fmt::format("Command: `{}`\n\n{}\n## Roofs\n\n{}\n", result.command, environment(result),
                                 roof_table(result).markdown());
  if (result.interrupted) text += "Interrupted: rows are missing.\n\n";
  for (const std::string& line : disturbances(result)) text += line + "\n\n";
  if (!result.rows.empty()) text += fmt::format("## Kernels\n\n{}\n", row_table(result).markdown());
  if (!compare.empty()) text += fmt::format("## Side by side\n\n{}\n", compare_table(result, compare).markdown());
  return text;
}

std::string json(const Result& result) {
  const HostInfo host = host_info();
  nlohmann::ordered_json out = {
      {"schema", 1},
      {"tool", {{"version", tool_info().version}, {"revision", tool_info().revision}}},
      {"command", result.command},
      {"host", {{"cpu", host.cpu}, {"cores", host.cores}, {"os", host.os}, {"compiler", host.compiler}}},
      {"devices", result.devices},
      {"load_average", {result.load_before, result.load_after}},
      {"interrupted", result.interrupted},
      {"disturbances", disturbances(result)},
      {"roofs", nlohmann::ordered_json::array()},
      {"rows", nlohmann::ordered_json::array()}};
  for (const RoofValue& roof : result.roofs) {
    nlohmann::ordered_json r = {
        {"device", roof.device}, {"threads", roof.threads}, {"name", roof.name}, {"unit", roof.unit}};
    if (!roof.remark.empty()) r["remark"] = roof.remark;
    if (roof.missing.empty()) {
      r["value"] = roof.value;
    } else {
      r["missing"] = roof.missing;
    }
    out["roofs"].push_back(std::move(r));
  }
  for (const Row& row : result.rows) {
    nlohmann::ordered_json r = {{"kernel", row.kernel},         {"device", row.device},
                                {"threads", row.threads},       {"network", row.network},
                                {"shape", to_string(row.desc)}, {"cache", row.cold ? "cold" : "hot"},
                                {"operations", row.operations}, {"bytes", row.bytes}};
    if (row.measured()) {
      r["us"] = row.seconds * 1e6;
      r["samples"] = row.samples;
      r["spread"] = row.spread;
      r["verdict"] = row.emulated() ? nlohmann::ordered_json() : to_string(result.verdict(row));
      r["tops"] = row.tops();
      r["gb_per_s"] = row.gbs();
      if (const auto share = share_of_roof(row, result.roofs, cache_of(result, row))) {
        r["roof"] = share->roof;
        r["fraction_of_roof"] = share->fraction;
      }
    }
    if (!row.note.empty()) r["note"] = row.note;
    r["failed"] = row.failed;
    out["rows"].push_back(std::move(r));
  }
  return json_text(out, 1) + "\n";
}

}  // namespace gpueval::bench
