// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <utility>

#include "core/stop_signal.h"
#include "gpueval/error.h"
#include "models/demo.h"
#include "session/prepare.h"

namespace gpueval {
namespace {

// Says of which network something is.
class OfNetwork : public Observer {
 public:
  OfNetwork(Observer& observer, std::string name) : observer_(observer), name_(std::move(name)) {}
  void on_step(const std::string& text) override { observer_.on_step(name_ + ", " + text); }
  void on_accuracy(const AccuracyProgress& progress) override { observer_.on_accuracy(progress); }
  void on_speed(const SpeedProgress& progress) override { observer_.on_speed(progress); }
  void on_note(const std::string& sentence) override { observer_.on_note(name_ + ": " + sentence); }

 private:
  Observer& observer_;
  std::string name_;
};

Row int8_row(Scheme scheme, bool depthwise_int8 = true) {
  Row row{.precision = Precision::kInt8};
  row.recipe.scheme = scheme;
  row.recipe.depthwise_int8 = depthwise_int8;
  return row;
}

TableNetwork measure_file(const Plan& plan, Observer& observer) {
  TableNetwork network;
  network.name = std::filesystem::path(plan.model.file).filename().string();
  OfNetwork named_observer(observer, network.name);
  network.report = measure(plan, named_observer);
  return network;
}

TableNetwork measure_network(const Plan& plan, Observer& observer) {
  if (!plan.model.file.empty()) return measure_file(plan, observer);
  const auto [named, alpha] = named_model(plan.model);
  const ModelSpec& spec = *named;
  TableNetwork network;
  network.name = alpha ? fmt::format("{} {:g}", spec.name, *alpha) : spec.name;
  if (spec.weight_files) network.weight_files = spec.weight_files({.alpha = alpha.value_or(1), .variant = ""});
  const bool looked_for = plan.model.weights.empty() && !embeds_weights(spec.name);
  if (looked_for && !find_file(network.weight_files)) {
    network.missing = fmt::format("the weight file {} is not at hand; it is published at {}",
                                  fmt::join(network.weight_files, " or "), spec.published_at);
    return network;
  }
  OfNetwork named_observer(observer, network.name);
  network.report = measure(plan, named_observer);
  return network;
}

bool any_measured(const TableReport& table) {
  return std::any_of(table.networks.begin(), table.networks.end(),
                     [](const TableNetwork& network) { return network.report.has_value(); });
}

}  // namespace

std::vector<Row> research_rows(const Graph& graph, const std::string& kernel) {
  const bool depthwise = std::any_of(graph.nodes.begin(), graph.nodes.end(), [](const Node& node) {
    return std::holds_alternative<DepthwiseConv2D>(node.op) || std::holds_alternative<SeparableConv2D>(node.op);
  });
  std::vector<Row> rows{{Precision::kFloat32}, int8_row(Scheme::kReference)};
  if (depthwise) rows.push_back(int8_row(Scheme::kReference, false));
  rows.push_back(int8_row(Scheme::kMaxAbs));
  rows.push_back(int8_row(Scheme::kBest));
  for (Row& row : rows) row.kernel = kernel;
  return rows;
}

std::vector<Plan> plan_each_network(const Plan& plan) {
  std::vector<Plan> plans;
  if (!plan.model.file.empty()) return {plan};
  const auto add = [&](const ModelSpec& spec, std::optional<double> alpha) {
    Plan& network = plans.emplace_back(plan);
    network.model.name = spec.name;
    network.model.alpha = spec.alphas.size() > 1 || plan.model.alpha ? alpha : std::nullopt;
  };
  if (!plan.model.name.empty()) {
    const auto [spec, alpha] = named_model(plan.model);
    if (alpha || spec->alphas.size() == 1) {
      add(*spec, alpha);
      return plans;
    }
  }
  for (const ModelSpec& spec : models()) {
    const bool compared = spec.truth == TruthKind::kClass && !embeds_weights(spec.name);
    if (plan.model.name.empty() ? !compared : spec.name != plan.model.name) continue;
    for (const double alpha : spec.alphas) {
      if (!plan.model.alpha || *plan.model.alpha == alpha) add(spec, alpha);
    }
  }
  return plans;
}

std::vector<Plan> plan_each_network(Plan plan, const std::vector<std::string>& names) {
  if (names.empty()) return plan_each_network(plan);
  std::vector<Plan> plans;
  for (const std::string& name : names) {
    set_network(plan.model, name);
    for (Plan& network : plan_each_network(plan)) plans.push_back(std::move(network));
  }
  return plans;
}

TableReport measure_networks(const std::vector<Plan>& plans, Observer& observer) {
  TableReport table;
  table.tool = tool_info();
  table.host = host_info();
  for (const Plan& plan : plans) {
    try {
      table.networks.push_back(measure_network(plan, observer));
      table.interrupted = table.networks.back().report && table.networks.back().report->interrupted;
    } catch (const Interrupted&) {
      if (!any_measured(table)) throw;
      table.interrupted = true;
    } catch (const Error& error) {
      if (!any_measured(table)) throw;
      table.failure = error.what();
    }
    if (table.interrupted || !table.failure.empty()) break;
  }
  if (any_measured(table)) return table;
  fail("none of the weight files is in {}; `gpu_eval list models` names them and where they are published",
       searched_places());
}

}  // namespace gpueval
