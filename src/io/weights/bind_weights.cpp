// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "gpueval/error.h"
#include "gpueval/weights.h"
#include "io/weights/layer_names.h"
#include "io/weights/match_layers.h"

namespace gpueval {
namespace {

std::string file_layer_name(const WeightLayer& layer) { return layer.name.empty() ? layer.group : layer.name; }

std::string role_list(const Node& node) {
  std::string list;
  for (const Param& param : node.params) list += (list.empty() ? "" : ", ") + to_string(param.role);
  return list;
}

// Keras 3 calls a depthwise layer's weights "kernel".
bool same_role(Role wanted, Role found, const Node& node) {
  return wanted == found || (wanted == Role::kDepthwiseKernel && found == Role::kKernel &&
                             std::holds_alternative<DepthwiseConv2D>(node.op));
}

// Index of the array for each parameter: by the arrays' names, or in Keras's order where no name tells anything.
std::vector<std::size_t> array_order(const Node& node, const WeightLayer& layer, const std::string& path) {
  const std::size_t count = node.params.size();
  if (layer.arrays.size() != count) {
    fail("{}: layer '{}' has {} weights, expected {} for '{}' ({})", path, file_layer_name(layer), layer.arrays.size(),
         count, node.name, role_list(node));
  }
  std::vector<std::optional<Role>> roles;
  bool any = false;
  for (const WeightArray& array : layer.arrays) {
    roles.push_back(parse_role(array.name));
    any |= roles.back().has_value();
  }
  std::vector<std::size_t> order;
  for (std::size_t p = 0; p < count; ++p) {
    std::size_t a = any ? 0 : p;
    while (any && a < count && !(roles[a] && same_role(node.params[p].role, *roles[a], node))) ++a;
    if (a == count) {
      fail("{}: layer '{}' has no weight '{}', expected {} for '{}'", path, file_layer_name(layer),
           to_string(node.params[p].role), role_list(node), node.name);
    }
    order.push_back(a);
  }
  return order;
}

// The node with weights that is nearest to the output; nullptr: of several outputs none is the head.
const Node* head_of(const Graph& graph) {
  if (graph.outputs.size() != 1) return nullptr;
  const Node* node = &graph.output_node();
  while (node->params.empty() && !node->inputs.empty()) node = &graph.node(node->inputs[0]);
  return node;
}

// Calls visit(node, parameter's index, array of the file) for all weights.
template <typename Visit>
void for_each_weight(const Graph& graph, const WeightFile& file, const std::vector<int>& matched, const Visit& visit) {
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    if (matched[i] < 0) continue;
    const WeightLayer& layer = file.layers[static_cast<std::size_t>(matched[i])];
    const std::vector<std::size_t> order = array_order(graph.nodes[i], layer, file.path);
    for (std::size_t p = 0; p < order.size(); ++p) visit(i, p, layer, layer.arrays[order[p]]);
  }
}

// Whether two shapes differ in the last extent alone: the number of classes, for the head.
bool differ_in_last(const std::vector<std::int64_t>& a, const std::vector<std::int64_t>& b) {
  return a.size() == b.size() && !a.empty() && std::equal(a.begin(), a.end() - 1, b.begin()) && a.back() != b.back();
}

struct Shapes {
  bool fit = true;
  std::int64_t other_classes = 0;  // where the head alone does not fit
};

Shapes compare_shapes(const Graph& graph, const WeightFile& file, const std::vector<int>& matched) {
  Shapes shapes;
  bool other = false;
  for_each_weight(
      graph, file, matched, [&](std::size_t i, std::size_t p, const WeightLayer&, const WeightArray& found) {
        const Array& wanted = graph.nodes[i].params[p].array;
        if (found.array.shape == wanted.shape) return;
        shapes.fit = false;
        const bool head = &graph.nodes[i] == head_of(graph) && differ_in_last(found.array.shape, wanted.shape);
        if (head) shapes.other_classes = found.array.shape.back();
        other |= !head;
      });
  if (other) shapes.other_classes = 0;
  return shapes;
}

Shapes try_shapes(const Graph& graph, const WeightFile& file) {
  try {
    return compare_shapes(graph, file, match_layers(graph, file));
  } catch (const Error&) {  // other layers
    return {.fit = false};
  }
}

// Theano's convolutions turn their kernels by 180 degrees; every other backend of Keras stores what it multiplies.
void check_backend(const WeightFile& file) {
  if (file.backend != "theano") return;
  fail(
      "{}: the file says backend theano, whose convolution kernels are turned by 180 degrees; expected those of "
      "tensorflow: load the file in Keras with that backend and save it again",
      file.path);
}

void check_variances(const Graph& graph, const WeightFile& file, const std::vector<int>& matched) {
  for_each_weight(graph, file, matched,
                  [&](std::size_t i, std::size_t p, const WeightLayer& layer, const WeightArray& found) {
                    const auto* norm = std::get_if<BatchNorm>(&graph.nodes[i].op);
                    if (norm == nullptr || graph.nodes[i].params[p].role != Role::kVariance || !found.array.data)
                      return;
                    for (std::size_t k = 0; k < found.array.data->size(); ++k) {
                      const float variance = (*found.array.data)[k];
                      if (double{variance} + double{norm->eps} > 0) continue;
                      fail(
                          "{}: '{}' of layer '{}' is {:g} in channel {}: variance + epsilon ({:g}) must be positive, "
                          "or the layer gives NaN; the file is damaged or its training went wrong",
                          file.path, found.name, file_layer_name(layer), variance, k, norm->eps);
                    }
                  });
}

}  // namespace

bool fits(const Graph& graph, const WeightFile& file) { return try_shapes(graph, file).fit; }

std::int64_t classes_of_other_head(const Graph& graph, const WeightFile& file) {
  return try_shapes(graph, file).other_classes;
}

Graph bind_weights(Graph graph, const WeightFile& file) {
  check_backend(file);
  const std::vector<int> matched = match_layers(graph, file);
  if (const std::int64_t classes = compare_shapes(graph, file, matched).other_classes; classes > 0) {
    fail(
        "{}: the last layer ('{}') gives {} classes, the built-in network ({}) has {}: a network with another head, a "
        "fine-tuned one perhaps, cannot be judged with it",
        file.path, head_of(graph)->name, classes, graph.name, graph.output_node().shape.c);
  }
  for_each_weight(
      graph, file, matched, [&](std::size_t i, std::size_t p, const WeightLayer& layer, const WeightArray& found) {
        Array& wanted = graph.nodes[i].params[p].array;
        if (found.array.shape != wanted.shape) {
          fail("{}: '{}' of layer '{}' has the shape {}, {} expects {} for '{}'; is it the file of another network?",
               file.path, found.name, file_layer_name(layer), shape_string(found.array.shape), graph.name,
               shape_string(wanted.shape), graph.nodes[i].name);
        }
        wanted.data = found.array.data;
      });
  check_variances(graph, file, matched);
  return graph;
}

}  // namespace gpueval
