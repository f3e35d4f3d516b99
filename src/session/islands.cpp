// SPDX-License-Identifier: Apache-2.0
#include "session/islands.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>
#include <utility>

#include "graph/op_row.h"

namespace gpueval {
namespace {

constexpr int kRepeats = 5;

bool is_island(const Node& node) { return !node.inputs.empty() && op_row(node.op).form == OpForm::kFloat; }

bool is_conversion(const Node& node) {
  return std::holds_alternative<Quantize>(node.op) || std::holds_alternative<Dequantize>(node.op);
}

std::vector<std::string> names_of(const Graph& graph) {
  std::vector<std::string> names;
  for (const Node& node : graph.nodes) {
    if (is_island(node)) names.push_back(node.name);
  }
  return names;
}

// The islands and the conversions next to them.
std::set<std::string> timed_names(const Graph& graph) {
  std::set<std::string> names;
  for (const Node& node : graph.nodes) {
    if (is_island(node)) names.insert(node.name);
    for (const int input : node.inputs) {
      const Node& source = graph.node(input);
      if (is_island(node) && is_conversion(source)) names.insert(source.name);
      if (is_conversion(node) && is_island(source)) names.insert(node.name);
    }
  }
  return names;
}

std::vector<double> layer_times(Engine& engine, const std::vector<float>& input, const RunReport& run) {
  std::vector<double> ms;
  for (const LayerReport& layer : run.layers) {
    if (layer.ms) ms.push_back(*layer.ms);
  }
  const bool known = !ms.empty() && ms.size() == engine.layers().size();  // --per-layer
  return known ? ms : time_layers(engine, input, run.batch, kRepeats);
}

std::string cost_of(const RunReport& run) {
  const IslandReport& islands = *run.islands;
  if (!islands.ms) return fmt::format("{}: what its float32 layers cost was not measured.", run.label());
  return fmt::format(
      "{}: its float32 layers, with the conversions into and out of them, take {:.1f}% of the time of a batch of {} "
      "({:.3g} of {:.3g} ms), measured one layer after another behind the timed run.",
      run.label(), 100 * *islands.ms / *islands.network_ms, run.batch, *islands.ms, *islands.network_ms);
}

}  // namespace

std::optional<IslandReport> islands_of(const LoweredRow& row) {
  if (!row.row.calibrates()) return std::nullopt;
  std::vector<std::string> names = names_of(row.graph);
  if (names.empty()) return std::nullopt;
  return IslandReport{.layers = std::move(names), .ms = {}, .network_ms = {}};
}

std::optional<std::string> island_note(const Graph& lowered) {
  const std::vector<std::string> names = names_of(lowered);
  if (names.empty()) return std::nullopt;
  constexpr std::size_t kNamed = 6;
  const std::size_t shown = std::min(names.size(), kNamed);
  return fmt::format("{} of int8's layers {} in float32, having no integer form: {}{}.", names.size(),
                     names.size() == 1 ? "computes" : "compute",
                     fmt::join(names.begin(), names.begin() + static_cast<std::ptrdiff_t>(shown), ", "),
                     names.size() > shown ? ", ..." : "");
}

void time_islands(Engine& engine, const std::vector<float>& input, RunReport& run) {
  if (!run.islands || engine.emulated()) return;  // the emulator's times would tell nothing
  const std::vector<double> ms = layer_times(engine, input, run);
  const std::set<std::string> names = timed_names(engine.graph());
  double islands = 0, network = 0;
  for (std::size_t i = 0; i < ms.size(); ++i) {
    network += ms[i];
    if (names.contains(engine.layers()[i].name)) islands += ms[i];
  }
  if (network <= 0) return;
  run.islands->ms = islands;
  run.islands->network_ms = network;
}

std::vector<std::string> island_costs(const Report& report) {
  std::vector<std::string> sentences;
  for (const RunReport& run : report.runs) {
    if (run.islands) sentences.push_back(cost_of(run));
  }
  return sentences;
}

}  // namespace gpueval
