// SPDX-License-Identifier: Apache-2.0
#include "io/weights/match_layers.h"

#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "gpueval/error.h"
#include "io/weights/layer_names.h"

namespace gpueval {
namespace {

class Matcher {
 public:
  Matcher(const Graph& graph, const WeightFile& file)
      : graph_(graph),
        file_(file),
        order_(keras_layer_order(graph)),
        layer_of_(graph.nodes.size(), -1),
        taken_(file.layers.size(), false) {}

  std::vector<int> run() {
    by_name();
    by_rank();
    by_order();
    return std::move(layer_of_);
  }

 private:
  const Node& node(int index) const { return graph_.node(index); }
  const WeightLayer& layer(int index) const { return file_.layers[static_cast<std::size_t>(index)]; }
  void pair(int node_index, int layer_index) {
    layer_of_[static_cast<std::size_t>(node_index)] = layer_index;
    taken_[static_cast<std::size_t>(layer_index)] = true;
  }
  std::vector<int> open_nodes() const {  // in model.layers order
    std::vector<int> result;
    for (const int i : order_) {
      if (layer_of_[static_cast<std::size_t>(i)] < 0) result.push_back(i);
    }
    return result;
  }
  std::vector<int> open_layers() const {  // in the file's order
    std::vector<int> result;
    for (std::size_t i = 0; i < taken_.size(); ++i) {
      if (!taken_[i]) result.push_back(static_cast<int>(i));
    }
    return result;
  }

  void by_name();
  void by_rank();
  void by_order();
  [[noreturn]] void fail_unmatched() const;

  const Graph& graph_;
  const WeightFile& file_;
  const std::vector<int> order_;
  std::vector<int> layer_of_;
  std::vector<bool> taken_;
};

void Matcher::by_name() {
  std::map<std::string, int> named;
  for (const int i : open_layers()) {
    const std::string& name = layer(i).name;
    if (name.empty() || parse_auto_name(name)) continue;
    if (!named.emplace(normalized_name(name), i).second) fail("{}: two layers are named '{}'", file_.path, name);
  }
  for (const int i : order_) {
    if (parse_auto_name(node(i).name)) continue;
    if (const auto found = named.find(normalized_name(node(i).name)); found != named.end()) pair(i, found->second);
  }
}

// Automatic names count the layers of a class in the order in which they were built, and so do our node indices; a file
// written by another session starts at another number. Keras 3 groups count in model.layers order instead.
void Matcher::by_rank() {
  std::map<std::pair<std::string, bool>, std::vector<std::pair<int, int>>>
      numbered;  // {op, by group} -> {number, layer}
  for (const int i : open_layers()) {
    const bool by_group = layer(i).name.empty();
    if (const auto name = parse_auto_name(by_group ? layer(i).group : layer(i).name)) {
      numbered[{name->op, by_group}].emplace_back(name->number, i);
    }
  }
  for (auto& [key, layers] : numbered) {
    const auto& [op, by_group] = key;
    std::vector<int> nodes;
    for (const int i : open_nodes()) {
      if (op_name(node(i).op) == op) nodes.push_back(i);
    }
    if (nodes.size() != layers.size()) continue;
    if (!by_group) std::sort(nodes.begin(), nodes.end());
    std::sort(layers.begin(), layers.end());
    for (std::size_t i = 0; i < nodes.size(); ++i) pair(nodes[i], layers[i].second);
  }
}

// Names of somebody's own: model.layers order. Keras 3 files keep it within each class only.
void Matcher::by_order() {
  std::vector<int> nodes = open_nodes(), layers = open_layers();
  if (nodes.size() != layers.size()) fail_unmatched();
  const auto node_class = [&](int i) { return op_name(node(i).op); };
  const auto layer_class = [&](int i) {
    const auto group = parse_auto_name(layer(i).group);
    return group ? group->op : std::string();
  };
  if (std::any_of(layers.begin(), layers.end(), [&](int i) { return !layer(i).group.empty(); })) {
    std::stable_sort(nodes.begin(), nodes.end(), [&](int a, int b) { return node_class(a) < node_class(b); });
    std::stable_sort(layers.begin(), layers.end(), [&](int a, int b) { return layer_class(a) < layer_class(b); });
    for (std::size_t i = 0; i < nodes.size(); ++i) {
      if (node_class(nodes[i]) != layer_class(layers[i])) fail_unmatched();
    }
  }
  for (std::size_t i = 0; i < nodes.size(); ++i) pair(nodes[i], layers[i]);
}

void Matcher::fail_unmatched() const {
  const std::vector<int> nodes = open_nodes(), layers = open_layers();
  const auto found = [&](int i) { return layer(i).name.empty() ? layer(i).group : layer(i).name; };
  std::string detail;
  if (!nodes.empty()) detail += fmt::format("; no weights for layer '{}'", node(nodes.front()).name);
  if (!layers.empty()) detail += fmt::format("; no layer for the weights of '{}'", found(layers.front()));
  fail("{}: {} expects weights of {} layers, the file has {}{}; is it the file of another network?", file_.path,
       graph_.name, order_.size(), file_.layers.size(), detail);
}

}  // namespace

std::vector<int> match_layers(const Graph& graph, const WeightFile& file) { return Matcher(graph, file).run(); }

}  // namespace gpueval
