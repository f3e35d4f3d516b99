// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <utility>

#include "core/stop_signal.h"
#include "gpueval/classification.h"
#include "gpueval/error.h"
#include "gpueval/keras.h"
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

void describe(const Graph& graph, ModelReport& report) {
  report.input = graph.input_node().shape;
  report.classes = classes_of(graph);
  for (const auto& [name, node] : graph.outputs) {
    const Shape& shape = graph.node(node).shape;
    const std::vector<int> extents =
        shape.pixels() == 1 ? std::vector<int>{shape.c} : std::vector<int>{shape.h, shape.w, shape.c};
    report.outputs.push_back({name, graph.node(node).name, shape, extents});
  }
  report.multiply_adds = graph.multiply_adds();
}

WeightFile read_file(const ModelPlan& plan, const ModelSpec& spec, const ModelOptions& build) {
  if (plan.weights.empty() && embeds_weights(spec.name)) return read_embedded_weights(spec.name);
  return read_weight_file(plan.weights.empty() ? find_weights(spec, build) : plan.weights);
}

// Fills build.variant, the graph and its notes.
WeightFile bind_file(const ModelPlan& plan, const ModelSpec& spec, ModelOptions& build, LoadedModel& model) {
  try {
    WeightFile file = read_file(plan, spec, build);
    if (spec.detect_variant) build.variant = spec.detect_variant(file);
    check_network(spec, build, file);
    const Graph graph = spec.build(build);
    model.graph = bind_weights(graph, file);
    model.notes = check_description(graph, file, plan.input.has_value());
    return file;
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kData || plan.weights.empty() || !describes_model(plan.weights)) throw;
    fail("{}; `--model {}` measures the network that is in the file", error.what(), plan.weights);
  }
}

LoadedModel load_file(const ModelPlan& plan) {
  if (!plan.weights.empty()) {
    fail_usage("{} is a whole network; weights {} contradicts that", plan.file, plan.weights);
  }
  if (plan.alpha) fail_usage("alpha contradicts {}, which has one width", plan.file);
  KerasNetwork network = import_keras(plan.file, {.input = plan.input});
  LoadedModel model;
  const std::optional<Normalization> usual = usual_normalization(network);
  model.normalization_known = usual.has_value();
  if (usual && !network.prepares_pixels) {
    model.notes.push_back(fmt::format("By the name of a model in it, {} was trained with the normalization {}.",
                                      plan.file, to_string(*usual)));
  }
  model.notes.insert(model.notes.end(), network.notes.begin(), network.notes.end());
  model.graph = std::move(network.graph);
  describe(model.graph, model.report);
  ModelSpec spec{.name = network.name,
                 .description = "a network of Keras",
                 .build = {},
                 .detect_variant = {},
                 .weight_files = {},
                 .published_at = {}};
  constexpr int kImageNet = 1000;
  spec.labels = {model.report.classes, model.report.classes == kImageNet};
  spec.input.normalization = usual.value_or(Normalization::kTf);
  spec.built_in = false;
  model.input = input_spec(spec, model.graph);
  model.spec = std::make_shared<const ModelSpec>(std::move(spec));
  model.weights_id = network.sha256;
  ModelReport& report = model.report;
  report.name = network.name;
  report.weights = network.file;
  report.weights_sha256 = network.sha256;
  report.parameters = network.parameters;
  for (std::size_t i = 0; i < network.heads.size(); ++i) {
    report.outputs[i].head = to_string(network.heads[i]);
    report.outputs[i].extents = network.shapes[i];
  }
  return model;
}

}  // namespace

void set_network(ModelPlan& plan, const std::string& name_or_file) {
  const std::filesystem::path path(name_or_file);
  const std::string ending = path.extension().string();
  std::error_code ignored;
  const bool file = name_or_file.find('/') != std::string::npos || ending == ".keras" || ending == ".h5" ||
                    ending == ".hdf5" || std::filesystem::is_regular_file(path, ignored);
  plan.name = file ? "" : name_or_file;
  plan.file = file ? name_or_file : "";
}

Graph network_shape(const ModelPlan& plan) {
  if (!plan.file.empty()) return import_keras(plan.file, {.input = plan.input, .weights = false}).graph;
  const ModelName named = parse_model_name(plan.name);
  return named.spec->build({.alpha = named.alpha.value_or(plan.alpha.value_or(1)), .variant = ""});
}

LoadedModel load_model(const ModelPlan& plan) {
  if (!plan.file.empty()) return load_file(plan);
  const ModelName named = parse_model_name(plan.name);
  const ModelSpec& spec = *named.spec;
  ModelOptions build;
  build.alpha = choose_alpha(plan, named);
  if (plan.input) build.height = plan.input->height, build.width = plan.input->width;
  LoadedModel model;
  model.spec = {std::shared_ptr<void>(), &spec};  // of models(), which outlive it
  ModelReport& report = model.report;
  if (plan.weights == "random") {
    model.graph = random_weights(spec.build(build), plan.seed);
    report.weights = "random";
    report.seed = plan.seed;
    model.weights_id = fmt::format("random-{}", plan.seed);
  } else {
    const WeightFile file = bind_file(plan, spec, build, model);
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
  describe(model.graph, report);
  report.parameters = model.graph.parameter_count();
  return model;
}

}  // namespace gpueval
