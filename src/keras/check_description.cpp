// SPDX-License-Identifier: Apache-2.0
// What a weight file says about its own network, against the built-in one.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "gpueval/error.h"
#include "gpueval/keras.h"
#include "io/weights/layer_names.h"
#include "io/weights/match_layers.h"
#include "keras/comparison.h"
#include "keras/importer.h"
#include "keras/settings.h"

namespace gpueval {
namespace keras {
namespace {

constexpr const char* kAdvice = "the file describes another network, whose accuracy the built-in one would not show";

class Check {
 public:
  Check(const Graph& graph, const WeightFile& file, bool other_size)
      : graph_(graph),
        file_(file),
        other_size_(other_size),
        model_(parse_model(file.config, file.path)),
        network_(import()),
        imported_(canonical(network_.graph)),
        built_(canonical(graph)),
        comparison_(imported_, built_, layers()) {}

  std::vector<std::string> run() {
    const std::string missing = unread_.empty() ? compare_outputs() : compare_layers();
    refuse_differences();
    if (!unread_.unsupported.empty()) fail_unread(unread_, file_.path);
    if (unread_.unknown.empty()) return {};
    const std::string unknown = text_of(unread_.unknown);
    if (!missing.empty()) {
      fail("{}: what layer '{}' computes depends on what is not known: {}; it cannot be compared with {}", file_.path,
           missing, unknown, graph_.name);
    }
    return {fmt::format(
        "Of the network that {} describes, only what stands in front of these layers was compared with {}, for they "
        "are not known: {}.",
        file_.path, graph_.name, unknown)};
  }

 private:
  void check_input() const {
    const auto [layer, shape] = recorded_input(model_);
    const Shape& built = graph_.input_node().shape;
    const std::vector<int> wanted{built.h, built.w, built.c};
    if (!shape) return;
    bool same = shape->size() == wanted.size();
    for (std::size_t i = 0; same && i < wanted.size(); ++i) {
      same = (*shape)[i] < 0 || (*shape)[i] == wanted[i] || (other_size_ && i < 2);
    }
    if (same) return;
    std::vector<std::string> texts;
    for (const int extent : *shape) texts.push_back(extent < 0 ? "?" : std::to_string(extent));
    fail("{}: layer '{}' has input shape {}, {} has {}; {}", file_.path, layer, fmt::join(texts, "x"), graph_.name,
         fmt::join(wanted, "x"), kAdvice);
  }

  // Of the built-in network's size, whichever the file has.
  KerasNetwork import() {
    check_input();
    const Shape& input = graph_.input_node().shape;
    KerasFile described;
    described.path = file_.path;
    described.keras_version = file_.keras_version;
    described.archive = file_.format == "keras3-archive";
    try {
      return import_model(described, model_, {.input = InputSize{input.h, input.w}, .weights = false}, &unread_);
    } catch (const Error& error) {
      const std::string message = error.what();
      if (message.starts_with(file_.path)) throw;
      fail("{}: {}", file_.path, message);  // what a network says of itself
    }
  }

  // The layer of the file whose weights each node of the built-in network has.
  std::map<std::string, std::string> layers() const {
    const std::vector<int> matched = match_layers(graph_, file_);
    std::map<std::string, std::string> names;
    for (std::size_t i = 0; i < matched.size(); ++i) {
      if (matched[i] < 0) continue;
      names[graph_.nodes[i].name] = file_.layers[static_cast<std::size_t>(matched[i])].name;
    }
    return names;
  }

  // Each output by its name, or whichever is that output.
  std::string compare_outputs() {
    const std::vector<GraphOutput>&outputs = imported_.outputs, &wanted = built_.outputs;
    if (outputs.size() != wanted.size()) {
      fail("{}: the model has {} outputs, {} has {}; {}", file_.path, outputs.size(), graph_.name, wanted.size(),
           kAdvice);
    }
    for (const GraphOutput& output : wanted) {
      std::vector<std::size_t> likely(outputs.size());
      for (std::size_t i = 0; i < likely.size(); ++i) likely[i] = i;
      std::stable_partition(likely.begin(), likely.end(),
                            [&](std::size_t i) { return outputs[i].name == output.name; });
      const auto found = std::find_if(likely.begin(), likely.end(),
                                      [&](std::size_t i) { return comparison_.alike(outputs[i].node, output.node); });
      if (found == likely.end()) fail("{}: the model has {}; {}", file_.path, comparison_.other(), kAdvice);
      check_head(*found, output);
      comparison_.collect(outputs[*found].node, output.node);
    }
    return "";
  }

  // Of several classes a sigmoid judges each by itself.
  void check_head(std::size_t i, const GraphOutput& wanted) const {
    if (network_.heads[i] != Head::kSigmoid || built_.node(wanted.node).shape.c == 1) return;
    fail("{}: the model has a sigmoid behind {} where {} has a softmax; {}", file_.path,
         described(imported_.node(imported_.outputs[i].node)), graph_.name, kAdvice);
  }

  // All that has weights, for what is behind it is not known. The first that is not there; empty: all are.
  std::string compare_layers() {
    std::string missing;
    std::map<std::string, int> places;
    for (std::size_t i = 0; i < imported_.nodes.size(); ++i) {
      if (imported_.nodes[i].params.empty()) continue;
      places[normalized_name(imported_.nodes[i].name)] = static_cast<int>(i);
    }
    for (std::size_t g = 0; g < built_.nodes.size(); ++g) {
      if (built_.nodes[g].params.empty()) continue;
      const std::string layer = comparison_.layer_of(built_.nodes[g]);
      const auto found = places.find(normalized_name(layer));
      if (found == places.end()) {
        if (missing.empty()) missing = layer.empty() ? built_.nodes[g].name : layer;
        continue;
      }
      if (!comparison_.alike(found->second, static_cast<int>(g))) {
        fail("{}: the model has {}; {}", file_.path, comparison_.other(), kAdvice);
      }
      comparison_.collect(found->second, static_cast<int>(g));
    }
    return missing;
  }

  // The first of each kind: one wrong epsilon is seldom alone.
  void refuse_differences() const {
    const std::vector<Difference>& all = comparison_.differences();
    if (all.empty()) return;
    std::vector<std::string> named, texts;
    for (const Difference& d : all) {
      if (named.size() == 3 || std::find(named.begin(), named.end(), d.setting) != named.end()) continue;
      named.push_back(d.setting);
      texts.push_back(fmt::format("layer '{}' has {} {}, {} has {}", d.layer, d.setting, d.file, graph_.name, d.built));
    }
    if (all.size() > named.size()) texts.push_back(fmt::format("{} differences in all", all.size()));
    fail("{}: {}; {}", file_.path, fmt::join(texts, "; "), kAdvice);
  }

  const Graph& graph_;
  const WeightFile& file_;
  const bool other_size_;
  const Model model_;
  Unread unread_;
  const KerasNetwork network_;
  const Graph imported_, built_;
  Comparison comparison_;
};

}  // namespace
}  // namespace keras

std::vector<std::string> check_description(const Graph& graph, const WeightFile& file, bool other_size) {
  if (file.config.empty() || file.config == "{}") return {};  // it says nothing
  return keras::Check(graph, file, other_size).run();
}

}  // namespace gpueval
