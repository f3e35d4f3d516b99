// SPDX-License-Identifier: Apache-2.0
#include "keras/config.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <set>
#include <string_view>

#include "core/json_text.h"
#include "gpueval/error.h"
#include "io/weights/keras_file.h"
#include "keras/layer_kind.h"
#include "keras/tables.h"

namespace gpueval::keras {
namespace {

const Json& member(const Json& object, const char* key) {
  static const Json nothing;
  if (!object.is_object()) return nothing;
  const auto found = object.find(key);
  return found == object.end() ? nothing : *found;
}

std::string text_of(const Json& object, const char* key) {
  const Json& value = member(object, key);
  return value.is_string() ? value.get<std::string>() : "";
}

// [null, 8, 8, 3] -> {8, 8, 3}; what is unknown is -1.
std::optional<std::vector<int>> shape_of(const Json& shape) {
  if (!shape.is_array() || shape.empty() || shape[0].is_array()) return std::nullopt;
  std::vector<int> extents;
  for (std::size_t i = 1; i < shape.size(); ++i) {
    if (!shape[i].is_null() && !shape[i].is_number_integer()) return std::nullopt;
    extents.push_back(shape[i].is_null() ? -1 : shape[i].get<int>());
  }
  return extents;
}

// {"layers": [...]}, or a bare list (Sequential of Keras 1 and early 2); nullptr: none.
const Json* layers_of(const Json& config) {
  const Json& layers = config.is_array() ? config : member(config, "layers");
  return layers.is_array() ? &layers : nullptr;
}

// ---- calls

// ["conv", 0, 0] or ["conv", 0, 0, {...}]
bool is_reference(const Json& value) {
  return value.is_array() && (value.size() == 3 || value.size() == 4) && value[0].is_string() &&
         value[1].is_number_integer() && value[2].is_number_integer() && (value.size() == 3 || value[3].is_object());
}

TensorRef read_reference(const Json& value) {
  return {value[0].get<std::string>(), value[1].get<int>(), value[2].get<int>(), std::nullopt};
}

bool has_tensor(const Argument& argument) { return argument.tensor || !argument.list.empty(); }

// List nodes: a value of the keyword arguments, of which some are references.
Argument read_list_argument(const Json& value) {
  Argument argument;
  if (is_reference(value)) {
    argument.tensor = read_reference(value);
    return argument;
  }
  if (value.is_array()) {
    for (const Json& inner : value) argument.list.push_back(read_list_argument(inner));
    if (std::any_of(argument.list.begin(), argument.list.end(), has_tensor)) return argument;
    argument.list.clear();
  }
  argument.constant = value;
  return argument;
}

// Dictionary nodes: a tensor is {"class_name": "__keras_tensor__", ...}.
Argument read_dict_argument(const Json& value) {
  Argument argument;
  if (value.is_object() && text_of(value, "class_name") == "__keras_tensor__") {
    const Json& config = value.at("config");
    const Json& history = config.at("keras_history");
    argument.tensor = TensorRef{history.at(0).get<std::string>(), history.at(1).get<int>(), history.at(2).get<int>(),
                                shape_of(member(config, "shape"))};
    return argument;
  }
  if (value.is_array()) {
    for (const Json& inner : value) argument.list.push_back(read_dict_argument(inner));
    if (std::any_of(argument.list.begin(), argument.list.end(), has_tensor)) return argument;
    argument.list.clear();
  }
  argument.constant = value;
  return argument;
}

void read_training(const Json& options, Call& call) {
  const Json& training = member(options, "training");
  call.training |=
      (training.is_boolean() && training.get<bool>()) || (training.is_number_integer() && training.get<int>() != 0);
}

Call read_dict_call(const Json& node) {
  Call call;
  for (const Json& value : member(node, "args")) call.args.push_back(read_dict_argument(value));
  for (const auto& [name, value] : member(node, "kwargs").items()) {
    call.named.emplace_back(name, read_dict_argument(value));
  }
  read_training(member(node, "kwargs"), call);
  return call;
}

// One reference of a list call; its keyword arguments are the call's.
Argument read_position(const Json& reference, Call& call) {
  Argument argument;
  const std::string name = reference.at(0).get<std::string>();
  if (name == "_CONSTANT_VALUE") {
    argument.constant = reference.at(2);
  } else {
    argument.tensor = TensorRef{name, reference.at(1).get<int>(), reference.at(2).get<int>(), std::nullopt};
  }
  if (reference.size() > 3 && call.named.empty()) {
    for (const auto& [key, value] : reference[3].items()) call.named.emplace_back(key, read_list_argument(value));
    read_training(reference[3], call);
  }
  return argument;
}

Call read_list_call(const Json& node) {
  Call call;
  if (node.is_array() && !node.empty() && node[0].is_string()) {  // of a function: one bare reference
    call.args.push_back(read_position(node, call));
    return call;
  }
  Argument all;
  for (const Json& reference : node) all.list.push_back(read_position(reference, call));
  if (all.list.size() == 1) {
    call.args = std::move(all.list);
  } else {
    call.args.push_back(std::move(all));
  }
  return call;
}

// ---- input_layers and output_layers: ["img", 0, 0], [["img", 0, 0], ...], or a dictionary of them
void read_ends(const Json& value, const std::string& key, std::vector<TensorRef>& ends,
               std::vector<std::string>* names) {
  if (is_reference(value)) {
    ends.push_back(read_reference(value));
    if (names != nullptr && !key.empty()) names->push_back(key);
  } else if (value.is_array()) {
    for (const Json& inner : value) read_ends(inner, key, ends, names);
  } else if (value.is_object()) {
    for (const auto& [name, inner] : value.items()) read_ends(inner, name, ends, names);
  }
}

class Parser {
 public:
  explicit Parser(const std::string& file) : file_(file) {}

  Model model(const Json& json, const std::string& name) {
    const Json& config = member(json, "config");
    const std::string class_name(without_package(text_of(json, "class_name")));
    const Json* layers = layers_of(config);
    if (layers == nullptr) {
      fail(
          "{}: model '{}' is subclassed (class '{}'): how its layers are connected is Python code that is not in the "
          "file; save a functional model that is made of them",
          file_, text_of(config, "name").empty() ? name : text_of(config, "name"), class_name);
    }
    Model model;
    model.name = text_of(config, "name").empty() ? name : text_of(config, "name");
    model.sequential = config.is_array() || class_name == "Sequential" || member(config, "output_layers").is_null();
    for (const Json& layer : *layers) {
      if (++layers_ > kMaxLayers) fail("{}: more than {} layers", file_, kMaxLayers);
      model.layers.push_back(read_layer(layer, model));
    }
    if (model.layers.empty()) fail("{}: model '{}' has no layers", file_, model.name);
    check_names(model);
    model.takes_first_call = !model.sequential || model.layers.front().kind == "InputLayer";
    if (model.sequential) {
      connect(model, config, json);
    } else {
      read_ends(member(config, "input_layers"), "", model.inputs, nullptr);
      read_ends(member(config, "output_layers"), "", model.outputs, &model.output_names);
      if (model.output_names.size() != model.outputs.size()) model.output_names.clear();
      if (model.inputs.empty() || model.outputs.empty()) {
        fail("{}: the description of model '{}' names no {}; fetch it again", file_, model.name,
             model.inputs.empty() ? "input" : "output");
      }
    }
    return model;
  }

 private:
  Layer read_layer(const Json& json, Model& owner) {
    Layer layer;
    layer.config = member(json, "config");
    const std::string class_name = json.at("class_name").get<std::string>();
    layer.kind = layer_kind(class_name, layer.config);
    layer.saved_class = without_package(class_name);
    layer.module = text_of(json, "module");
    layer.registered = layer.saved_class != class_name;
    layer.name = text_of(json, "name").empty() ? text_of(layer.config, "name") : text_of(json, "name");
    if (layer.name.empty()) fail("{}: a layer of class {} has no name", file_, class_name);
    // Keras 1's Merge: not an operation, though it has an operation's settings, and no model, though it may hold some.
    const bool merge = layer.saved_class == "Merge";
    if (!merge && layers_of(layer.config) != nullptr) {
      layer.model = std::make_shared<const Model>(model(json, layer.name));
    } else if (member(layer.config, "layer").is_object()) {
      layer.wrapped = std::make_shared<const Layer>(read_layer(layer.config["layer"], owner));
    } else if (!merge) {
      layer.function = function_name(layer.kind, layer.module, layer.config);
    }
    for (const Json& node : member(json, "inbound_nodes")) {
      const bool dict = node.is_object();
      owner.keras3 |= dict;
      layer.calls.push_back(dict ? read_dict_call(node) : read_list_call(node));
    }
    return layer;
  }

  void check_names(const Model& model) const {
    std::set<std::string> names;
    for (const Layer& layer : model.layers) {
      if (!names.insert(layer.name).second) {
        fail("{}: two layers of model '{}' are named '{}'", file_, model.name, layer.name);
      }
    }
  }

  // A Sequential's layers call each other in order.
  static void connect(Model& model, const Json& config, const Json& json) {
    const bool has_input = model.layers.front().kind == "InputLayer";
    for (std::size_t i = 0; i < model.layers.size(); ++i) {
      Layer& layer = model.layers[i];
      layer.calls.clear();
      if (i == 0 && has_input) continue;
      Call& call = layer.calls.emplace_back();
      Argument& source = call.args.emplace_back();
      source.tensor = TensorRef{i == 0 ? "" : model.layers[i - 1].name, 0, 0, std::nullopt};
    }
    model.inputs = {{has_input ? model.layers.front().name : "", 0, 0, std::nullopt}};
    model.outputs = {{model.layers.back().name, 0, 0, std::nullopt}};
    const Json& first = model.layers.front().config;
    for (const Json* shape :
         {&member(first, "batch_shape"), &member(first, "batch_input_shape"), &member(config, "build_input_shape"),
          &member(member(json, "build_config"), "input_shape")}) {
      if (!model.input_shape) model.input_shape = shape_of(*shape);
    }
  }

  const std::string& file_;
  std::size_t layers_ = 0;
};

// Python writes numbers that JSON has not: Infinity becomes the largest float, NaN null.
std::string with_finite_numbers(const std::string& json) {
  constexpr std::string_view kInfinity = "Infinity", kNan = "NaN";
  if (json.find(kInfinity) == std::string::npos && json.find(kNan) == std::string::npos) return json;
  std::string out;
  bool in_string = false;
  for (std::size_t i = 0; i < json.size(); ++i) {
    const std::string_view rest = std::string_view(json).substr(i);
    if (!in_string && rest.starts_with(kInfinity)) {
      out += fmt::format("{}", double{std::numeric_limits<float>::max()});
      i += kInfinity.size() - 1;
    } else if (!in_string && rest.starts_with(kNan)) {
      out += "null";
      i += kNan.size() - 1;
    } else {
      out += json[i];
      if (json[i] == '"') in_string = !in_string;
      if (in_string && json[i] == '\\' && i + 1 < json.size()) out += json[++i];
    }
  }
  return out;
}

}  // namespace

void Argument::collect(std::vector<TensorRef>& tensors) const {
  if (tensor) tensors.push_back(*tensor);
  for (const Argument& inner : list) inner.collect(tensors);
}

std::vector<TensorRef> Call::tensors() const {
  std::vector<TensorRef> all;
  for (const Argument& argument : args) argument.collect(all);
  for (const auto& [name, argument] : named) argument.collect(all);
  return all;
}

const Argument* Call::find(std::size_t position, std::initializer_list<const char*> names) const {
  if (position < args.size()) return &args[position];
  for (const auto& [given, argument] : named) {
    for (const char* name : names) {
      if (given == name) return &argument;
    }
  }
  return nullptr;
}

int Model::find(const std::string& layer) const {
  for (std::size_t i = 0; i < layers.size(); ++i) {
    if (layers[i].name == layer) return static_cast<int>(i);
  }
  return -1;
}

int Model::call_of(const TensorRef& reference, bool in_outputs) const {
  const int index = find(reference.layer);
  if (index < 0) return -1;
  const Layer& layer = layers[static_cast<std::size_t>(index)];
  // Keras counted a nested model's own input as its first call: Keras 2 in every reference, Keras 3 only in
  // output_layers, and there not of a Sequential.
  const bool shifted = !sequential && layer.model != nullptr && layer.model->takes_first_call &&
                       (!keras3 || (in_outputs && !layer.model->sequential));
  const int count = static_cast<int>(layer.calls.size());
  int call = reference.node - (shifted ? 1 : 0);
  if (call == -1 && count > 0) call = 0;  // an index that can only have been meant otherwise
  return call;
}

Model parse_model(const std::string& json, const std::string& file) {
  if (json.size() > kMaxConfigBytes) {
    fail("{}: the description of the model has {} bytes, expected at most {}", file, json.size(), kMaxConfigBytes);
  }
  try {
    return Parser(file).model(parse_json(with_finite_numbers(json), file + ": the description of the model"), "model");
  } catch (const Json::exception&) {
    fail("{}: the description of the model is no description that Keras writes; fetch it again", file);
  }
}

}  // namespace gpueval::keras
