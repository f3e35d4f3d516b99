// SPDX-License-Identifier: Apache-2.0
#include "io/weights/model_config.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

#include "core/json_text.h"
#include "gpueval/error.h"
#include "io/weights/config_settings.h"
#include "io/weights/layer_names.h"

namespace gpueval {
namespace {

using Json = nlohmann::json;

const Json& member(const Json& object, const char* key) {
  static const Json nothing;
  const auto found = object.find(key);
  return found == object.end() ? nothing : *found;
}

// The layers of a model: {"layers": [...]}, or a bare list (Sequential of Keras 1 and early 2); nullptr: none.
const Json* layers_of(const Json& config) {
  const Json& layers = config.is_array() ? config : member(config, "layers");
  return layers.is_array() ? &layers : nullptr;
}

bool is_model(const Json& layer) { return layers_of(member(layer, "config")) != nullptr; }

bool has_only_identities(const Json& model) {
  const Json& layers = *layers_of(member(model, "config"));
  return std::all_of(layers.begin(), layers.end(), [](const Json& layer) {
    const std::string kind(without_package(layer.value("class_name", "")));
    return kind == "InputLayer" || (is_model(layer) ? has_only_identities(layer) : is_identity(kind));
  });
}

// Keras 3: every tensor of the call says which layer it is from.
void collect_history(const Json& value, std::vector<std::string>& names) {
  if (value.is_object() && value.value("class_name", "") == "__keras_tensor__") {
    names.push_back(value.at("config").at("keras_history").at(0).get<std::string>());
  } else if (value.is_structured()) {
    for (const Json& inner : value) collect_history(inner, names);
  }
}

struct Call {
  std::vector<std::string> inputs;
  bool training = false;
};

Call read_call(const Json& node) {
  Call call;
  const auto read_options = [&](const Json& options) {
    const Json& training = member(options, "training");
    call.training |= training.is_boolean() && training.get<bool>();
  };
  if (node.is_object()) {
    collect_history(member(node, "args"), call.inputs);
    collect_history(member(node, "kwargs"), call.inputs);
    read_options(member(node, "kwargs"));
    return call;
  }
  // Keras 2: [["img", 0, 0, {}], ...], and one bare reference for a call of a TensorFlow function.
  const Json bare = node.is_array() && !node.empty() && node[0].is_string() ? Json::array({node}) : node;
  for (const Json& reference : bare) {
    call.inputs.push_back(reference.at(0).get<std::string>());
    if (reference.size() > 3) read_options(reference[3]);
  }
  return call;
}

class Reader {
 public:
  Reader(const Json& model, WeightFile& out) : model_(model), config_(member(model, "config")), out_(out) {}

  void read() {
    const std::string class_name(without_package(model_.value("class_name", "")));
    const Json* layers = layers_of(config_);
    if (layers == nullptr && class_name.empty()) return;  // it says nothing
    if (layers == nullptr) {
      fail(
          "{}: its model is subclassed (class '{}'): the order of its layers is Python code that is not in the file; "
          "save the functional model that it is made of",
          out_.path, class_name);
    }
    // Sequential models name no inputs.
    const bool sequential = config_.is_array() || class_name == "Sequential";
    for (const Json& layer : *layers) read_layer(layer, sequential);
    if (sequential) {
      out_.output = out_.config.empty() ? "" : out_.config.back().name;
    } else {
      read_output(member(config_, "output_layers"));
    }
  }

 private:
  void read_layer(const Json& layer, bool sequential) {
    const Json& config = member(layer, "config");
    const std::string class_name(without_package(layer.at("class_name").get<std::string>()));
    std::string name = layer.value("name", "");
    if (name.empty() && config.is_object()) name = config.value("name", "");
    if (is_model(layer) && !has_only_identities(layer)) {
      fail(
          "{}: '{}' ({}) is a model nested in another; layers of nested models cannot be matched to a built-in "
          "network: save that inner model by itself, model.get_layer('{}').save(...), if it is the network",
          out_.path, name, class_name, name);
    }
    if (member(config, "layer").is_object()) {
      fail(
          "{}: '{}' ({}) wraps another layer; wrapped layers cannot be matched to a built-in network: save the "
          "network without it",
          out_.path, name, class_name);
    }
    LayerConfig out{.name = name, .kind = is_model(layer) ? "Identity" : layer_kind(class_name, config)};
    out.settings = layer_settings(out.kind, config);
    if (sequential) {
      read_place(out);
    } else {
      read_calls(member(layer, "inbound_nodes"), out);
    }
    out_.config.push_back(std::move(out));
  }

  void read_place(LayerConfig& layer) {
    if (!out_.config.empty()) {
      layer.inputs = {out_.config.back().name};
    } else if (layer.kind != "InputLayer" && layer.settings.contains("input shape")) {
      LayerConfig input{.name = layer.name, .kind = "InputLayer"};
      input.settings["input shape"] = layer.settings["input shape"];
      input.name += "_input";
      layer.inputs = {input.name};
      out_.config.push_back(std::move(input));
    }
  }

  void read_calls(const Json& nodes, LayerConfig& layer) const {
    if (!nodes.is_array() || nodes.empty()) return;
    if (nodes.size() > 1) {
      fail("{}: layer '{}' is called {} times; no built-in network shares layers", out_.path, layer.name, nodes.size());
    }
    const Call call = read_call(nodes[0]);
    layer.inputs = call.inputs;
    if (call.training && layer.kind == "BatchNormalization") layer.settings["training"] = "true";
  }

  // [["img", 0, 0]], or flat ["img", 0, 0] in Keras 3 where there is one; a dictionary of them.
  void read_output(const Json& outputs) {
    const Json* first = &outputs;
    std::size_t count = 1;
    while (first->is_structured() && !first->empty()) {
      const bool reference = first->is_array() && first->front().is_string();
      if (!reference) count *= first->size();
      first = &*first->begin();
    }
    if (!first->is_string()) fail("{}: the description of the model names no output; fetch it again", out_.path);
    if (count != 1) fail("{}: its model has {} outputs, a built-in network has one", out_.path, count);
    out_.output = first->get<std::string>();
  }

  const Json& model_;
  const Json& config_;
  WeightFile& out_;
};

}  // namespace

void read_model_config(const std::string& json, WeightFile& out) {
  if (json.size() > kMaxConfigBytes) {
    fail("{}: the description of the model has {} bytes, expected at most {}", out.path, json.size(), kMaxConfigBytes);
  }
  try {
    const Json model = parse_json(json, out.path + ": the description of the model");
    Reader(model, out).read();
  } catch (const Json::exception&) {
    fail("{}: the description of the model is no description that Keras writes; fetch it again", out.path);
  }
}

void name_layers_by_config(WeightFile& file) {
  std::map<std::string, std::string> names;
  std::map<std::string, int> count;
  for (const LayerConfig& layer : file.config) {
    const std::string stem = snake_case(layer.kind);
    const int rank = count[stem]++;
    names[rank == 0 ? stem : fmt::format("{}_{}", stem, rank)] = layer.name;
  }
  for (WeightLayer& layer : file.layers) {
    if (const auto found = names.find(layer.group); layer.name.empty() && found != names.end()) {
      layer.name = found->second;
    }
  }
}

}  // namespace gpueval
