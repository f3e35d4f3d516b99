// SPDX-License-Identifier: Apache-2.0
// A calibration table against the network that it is for.
#include <algorithm>

#include "gpueval/error.h"
#include "gpueval/quant.h"
#include "graph/passes.h"
#include "quant/lowering.h"
#include "quant/recipe/channel_scales.h"

namespace gpueval {
namespace {

class LayerCheck {
 public:
  LayerCheck(const CalibrationTable& table, const Graph& bound, const QuantOptions& options, const std::string& path)
      : table_(table), graph_(lower_float(bound)), options_(options), path_(path) {}

  void run() const {
    ranges();
    channel_scales();
    zero_points();
    corrections();
  }

 private:
  [[noreturn]] void refuse(const std::string& layer, const std::string& what) const {
    fail("{}: {} of layer '{}' of {}: calibrate again", path_, what, layer, graph_.name);
  }

  const Node& known(const std::string& name, const char* what) const {
    const int index = graph_.find(name);
    if (index < 0)
      fail("{}: it has {} of a layer '{}', which {} does not have: calibrate again", path_, what, name, graph_.name);
    return graph_.node(index);
  }

  void ranges() const {
    for (const auto& [name, range] : table_.range) {
      const Activation* act = fused_activation(known(name, "a range").op);
      if (act != nullptr && *act == Activation::kRelu6 && range > 6.0f * 1.0001f)
        refuse(name, fmt::format("it has the range {}, beyond the 6 of ReLU6,", range));
    }
    for (const Node& node : graph_.nodes) {
      if (!table_.range.contains(node.name)) refuse(node.name, "it has no range");
    }
  }

  void channel_scales() const {
    for (const auto& [name, scales] : table_.channel_scale) known(name, "scales per channel");
    const std::vector<bool> scalable = scalable_nodes(graph_, options_.activations);
    for (std::size_t i = 0; i < scalable.size(); ++i) {
      const std::string& name = graph_.nodes[i].name;
      const bool wanted = options_.corrections.channel_scales && scalable[i],
                 found = table_.channel_scale.contains(name);
      if (found && !wanted) refuse(name, "its recipe gives no scales per channel, but it has those");
      if (wanted && !found) refuse(name, "it lacks the scales per channel");
    }
  }

  // A table of an earlier version has none.
  void zero_points() const {
    const std::vector<bool> takers = zero_point_takers(graph_);
    for (const auto& [name, point] : table_.zero_point) {
      known(name, "a zero point");
      const bool taken = takers[static_cast<std::size_t>(graph_.find(name))];
      if (!taken || options_.activations != DType::kU8 || !options_.corrections.clip_search)
        refuse(name, "its recipe gives no zero point, but it has one");
      if (!(table_.range.at(name) > 0)) refuse(name, "it has a zero point and no range");
    }
  }

  void corrections() const {
    for (const auto& [name, correction] : table_.corrections) known(name, "corrections");
    const Corrections& c = options_.corrections;
    bool any_bias = false;
    for (std::size_t i = 0; i < graph_.nodes.size(); ++i) {
      const Node& node = graph_.nodes[i];
      const auto found = table_.corrections.find(node.name);
      const LayerCorrection none, &correction = found == table_.corrections.end() ? none : found->second;
      any_bias = any_bias || !correction.bias.empty();
      const bool layer = conv_desc(graph_, static_cast<int>(i)).has_value();
      if (!layer && found != table_.corrections.end())
        refuse(node.name, "it has corrections, which there are none for,");
      if (!layer) continue;
      sizes(node, correction);
      const auto& left = options_.float_layers;
      const bool integer = std::find(left.begin(), left.end(), node.name) == left.end();
      if (integer && (c.bias || c.bias_after_activation) && correction.bias.empty())
        refuse(node.name, "it lacks the bias");
      if (integer && c.gptq && correction.weights.empty()) refuse(node.name, "it lacks the weights");
      if (!c.gptq && !correction.weights.empty()) refuse(node.name, "its recipe keeps the weights, but it has others");
      if (!c.bias && !c.bias_after_activation && !c.analytic_bias && !correction.bias.empty())
        refuse(node.name, "its recipe keeps the bias, but it has another");
    }
    if (c.analytic_bias && !any_bias) fail("{}: it lacks every bias of the recipe: calibrate again", path_);
  }

  void sizes(const Node& node, const LayerCorrection& correction) const {
    const auto check = [&](const char* what, std::size_t found, std::size_t wanted) {
      if (found != 0 && found != wanted) refuse(node.name, fmt::format("it has {} {}, not {},", found, what, wanted));
    };
    const auto channels = static_cast<std::size_t>(node.shape.c);
    check("biases", correction.bias.size(), channels);
    check("weights", correction.weights.size(), static_cast<std::size_t>(node.params[0].array.elements()));
    check("weight scales", correction.weight_scale.size(), channels);
    if (correction.weights.empty() != correction.weight_scale.empty())
      refuse(node.name, "it has weights without scales");
  }

  const CalibrationTable& table_;
  const Graph graph_;
  const QuantOptions& options_;
  const std::string& path_;
};

}  // namespace

void check_table_layers(const CalibrationTable& table, const Graph& bound, const QuantOptions& options,
                        const std::string& path) {
  LayerCheck(table, bound, options, path).run();
}

}  // namespace gpueval
