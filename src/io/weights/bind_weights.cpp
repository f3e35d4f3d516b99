// SPDX-License-Identifier: Apache-2.0
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

}  // namespace

Graph bind_weights(Graph graph, const WeightFile& file) {
  const std::vector<int> matched = match_layers(graph, file);
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    if (matched[i] < 0) continue;
    Node& node = graph.nodes[i];
    const WeightLayer& layer = file.layers[static_cast<std::size_t>(matched[i])];
    const std::vector<std::size_t> order = array_order(node, layer, file.path);
    for (std::size_t p = 0; p < order.size(); ++p) {
      Array& wanted = node.params[p].array;
      const WeightArray& found = layer.arrays[order[p]];
      if (found.array.shape != wanted.shape) {
        fail("{}: '{}' of layer '{}' has the shape {}, {} expects {} for '{}'; is it the file of another network?",
             file.path, found.name, file_layer_name(layer), shape_string(found.array.shape), graph.name,
             shape_string(wanted.shape), node.name);
      }
      wanted.data = found.array.data;
    }
  }
  return graph;
}

}  // namespace gpueval
