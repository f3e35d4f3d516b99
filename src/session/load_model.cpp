// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

#include "core/stop_signal.h"
#include "gpueval/error.h"
#include "gpueval/session.h"
#include "gpueval/weights.h"
#include "models/demo.h"

namespace gpueval {
namespace {

double choose_alpha(const ModelPlan& plan, const ModelName& named) {
  const ModelSpec& spec = *named.spec;
  if (named.alpha) {
    if (plan.alpha && *plan.alpha != *named.alpha)
      fail_usage("alpha {:g} contradicts the network {}", *plan.alpha, plan.name);
    return *named.alpha;
  }
  if (!plan.alpha) return 1.0;
  if (spec.alphas.size() == 1) fail_usage("alpha contradicts the network {}, which has one width only", spec.name);
  if (std::find(spec.alphas.begin(), spec.alphas.end(), *plan.alpha) == spec.alphas.end()) {
    fail_usage("alpha {:g}: {} has {}", *plan.alpha, spec.name, fmt::join(spec.alphas, ", "));
  }
  return *plan.alpha;
}

std::string find_weights(const ModelSpec& spec, const ModelOptions& build) {
  const std::vector<std::string> names = spec.weight_files(build);
  if (const auto path = find_file(names)) return *path;
  fail(
      "{}, the weights of {}, is not in {}; it is published at {}: put it into one of these folders or name it (random "
      "weights and the network demo need no file)",
      fmt::join(names, " or "), spec.name, searched_places(), spec.published_at);
}

// A file that is another network's, or the same one's of another width: says which.
void check_network(const ModelSpec& spec, const ModelOptions& build, const WeightFile& file) {
  const Graph graph = spec.build(build);
  if (fits(graph, file) || classes_of_other_head(graph, file) > 0) return;
  for (const ModelSpec& other : models()) {
    for (const double alpha : other.alphas) {
      ModelOptions options{.alpha = alpha, .variant = {}};
      if (other.detect_variant) options.variant = other.detect_variant(file);
      const Graph candidate = other.build(options);
      const std::int64_t classes = classes_of_other_head(candidate, file);
      if (!fits(candidate, file) && classes == 0) continue;
      fail("{}: this file is of {}{}, not of {}", file.path, candidate.name,
           classes > 0 ? fmt::format(" with {} classes", classes) : "", graph.name);
    }
  }
}

}  // namespace

LoadedModel load_model(const ModelPlan& plan) {
  const ModelName named = parse_model_name(plan.name);
  const ModelSpec& spec = *named.spec;
  ModelOptions build;
  build.alpha = choose_alpha(plan, named);
  if (plan.input) build.height = plan.input->height, build.width = plan.input->width;
  LoadedModel model;
  model.spec = &spec;
  ModelReport& report = model.report;
  if (plan.weights == "random") {
    model.graph = random_weights(spec.build(build), plan.seed);
    report.weights = "random";
    report.seed = plan.seed;
    model.weights_id = fmt::format("random-{}", plan.seed);
  } else {
    const bool embedded = plan.weights.empty() && spec.name == "demo";
    const WeightFile file = embedded
                                ? read_demo_weights()
                                : read_weight_file(plan.weights.empty() ? find_weights(spec, build) : plan.weights);
    if (spec.detect_variant) build.variant = spec.detect_variant(file);
    check_network(spec, build, file);
    model.graph = bind_weights(spec.build(build), file, plan.input.has_value());
    report.weights = file.path;
    report.weights_sha256 = file.sha256;
    report.variant = build.variant;
    model.weights_id = file.sha256;
  }
  stop_point();
  model.input = input_spec(spec, model.graph);
  report.name = spec.name;
  report.alpha = build.alpha;
  report.has_alpha = spec.alphas.size() > 1;
  report.input = model.graph.input_node().shape;
  report.classes = static_cast<int>(model.graph.output_node().shape.elements());
  for (const auto& [name, node] : model.graph.outputs) {
    report.outputs.push_back({name, model.graph.node(node).name, model.graph.node(node).shape});
  }
  report.parameters = model.graph.parameter_count();
  report.multiply_adds = model.graph.multiply_adds();
  return model;
}

}  // namespace gpueval
