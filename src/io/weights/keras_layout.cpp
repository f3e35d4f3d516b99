// SPDX-License-Identifier: Apache-2.0
#include "io/weights/keras_layout.h"

#include <algorithm>
#include <array>
#include <set>

#include "gpueval/error.h"
#include "io/weights/layer_names.h"

namespace gpueval {
namespace {

// "conv1/kernel:0" -> "conv1"
std::string owner(const std::string& weight) { return weight.substr(0, std::min(weight.rfind('/'), weight.size())); }

// A layer of its own has four weights at most, each of another kind.
void refuse_nested(const std::string& name, const std::string& layer, const std::vector<std::string>& weights) {
  std::set<std::string> owners, kinds;
  for (const std::string& weight : weights) {
    if (weight.find('/') != std::string::npos) owners.insert(owner(weight));
    kinds.insert(weight.substr(weight.rfind('/') + 1));
  }
  if (owners.size() > 1 && (weights.size() > 4 || kinds.size() < weights.size())) {
    fail(
        "{}: '{}' holds the weights of {} layers ('{}', ...): it is a model nested in another, or wraps other layers; "
        "save that inner model by itself, if it is the network",
        name, layer, owners.size(), owner(weights.front()));
  }
}

// Keras 1, Keras 2, tf-keras and Keras 3 legacy: attribute layer_names here, weight_names on each layer's group.
void read_named_layers(Hdf5File& file, const H5Handle& top, const std::vector<std::string>& names, WeightFile& out) {
  for (const std::string& name : names) {
    const H5Handle group = file.open_group(top, name);
    const auto weights = file.string_list(group, "weight_names");
    if (!weights) fail("{}: layer '{}' has no list of weight_names; the file is damaged", file.name(), name);
    refuse_nested(file.name(), name, *weights);
    WeightLayer layer{.name = name, .group = {}, .arrays = {}};
    for (const std::string& weight : *weights) {
      layer.arrays.push_back(
          {weight, file.read_floats(group, weight, fmt::format("'{}' of layer '{}'", weight, name))});
    }
    if (!layer.arrays.empty()) out.layers.push_back(std::move(layer));
  }
}

constexpr std::array kInnerLayers{"layers", "_layer_checkpoint_dependencies", "layer"};

// Whether there are weights somewhere below: augmentation layers have none.
bool has_weights(const Hdf5File& file, const H5Handle& group, int levels) {
  for (const std::string& child : file.children(group)) {
    if (!file.is_group(group, child)) return true;
    if (levels > 0 && has_weights(file, file.open_group(group, child), levels - 1)) return true;
  }
  return false;
}

bool holds_layers(const Hdf5File& file, const H5Handle& group) {
  constexpr int kLevels = 8;
  return std::any_of(kInnerLayers.begin(), kInnerLayers.end(), [&](const char* inner) {
    return file.has_child(group, inner) && has_weights(file, file.open_group(group, inner), kLevels);
  });
}

// A subclassed model's groups are the attributes of its class.
void refuse_subclassed(const Hdf5File& file) {
  for (const std::string& child : file.children(file.root())) {
    if (!file.is_group(file.root(), child) || child == "optimizer") continue;
    const H5Handle group = file.open_group(file.root(), child);
    if (!file.has_child(group, "vars") && !holds_layers(file, group)) continue;
    fail(
        "{}: '{}' is an attribute of a subclassed model, whose layers are in an order that only its Python code knows; "
        "save the functional model that it is made of",
        file.name(), child);
  }
}

enum class Empty { kDrop, kKeep };

// Keras 3 x.weights.h5: groups <class>_<rank in model.layers order>/vars/0, 1, ...; HDF5 lists them as text: sort.
void read_class_groups(Hdf5File& file, const H5Handle& top, Empty empty, WeightFile& out) {
  std::vector<std::string> groups = file.children(top);
  std::sort(groups.begin(), groups.end(),
            [](const std::string& a, const std::string& b) { return split_number(a) < split_number(b); });
  for (const std::string& group_name : groups) {
    const H5Handle group = file.open_group(top, group_name);
    if (holds_layers(file, group)) {
      fail(
          "{}: '{}' is a model nested in another, or wraps other layers; save that inner model by itself, if it is the "
          "network",
          file.name(), group_name);
    }
    if (!file.has_child(group, "vars")) continue;
    const H5Handle vars = file.open_group(group, "vars");
    std::vector<std::string> numbers = file.children(vars);
    if (numbers.empty() && empty == Empty::kDrop) continue;
    if (!std::all_of(numbers.begin(), numbers.end(), is_number)) {
      fail("{}: '{}/vars' should hold weights numbered 0, 1, ...; the file is damaged", file.name(), group_name);
    }
    std::sort(numbers.begin(), numbers.end(),
              [](const std::string& a, const std::string& b) { return std::stoi(a) < std::stoi(b); });
    WeightLayer layer{.name = file.string_attribute(vars, "name").value_or(""), .group = group_name, .arrays = {}};
    for (const std::string& number : numbers) {
      const std::string label = fmt::format("'{}/vars/{}'", group_name, number);
      layer.arrays.push_back({number, file.read_floats(vars, number, label)});
    }
    out.layers.push_back(std::move(layer));
  }
}

void read_description(const Hdf5File& file, WeightFile& out) {
  if (const auto version = file.string_attribute(file.root(), "keras_version")) out.keras_version = *version;
  if (const auto backend = file.string_attribute(file.root(), "backend")) out.backend = *backend;
  const auto config = file.string_attribute(file.root(), "model_config");
  if (config && out.config.empty()) out.config = *config;
}

// Whether there are any. "_layer_checkpoint_dependencies" is what the first releases with this format (2.12) wrote.
bool read_all_class_groups(Hdf5File& file, Empty empty, WeightFile& out) {
  for (const char* top : {"layers", "_layer_checkpoint_dependencies"}) {
    if (!file.has_child(file.root(), top)) continue;
    out.format = "keras3-weights";
    read_class_groups(file, file.open_group(file.root(), top), empty, out);
    return true;
  }
  return false;
}

}  // namespace

void read_keras_layout(Hdf5File& file, WeightFile& out) {
  out.path = file.name();
  read_description(file, out);
  if (const auto names = file.string_list(file.root(), "layer_names")) {
    out.format = "keras-h5";
    read_named_layers(file, file.root(), *names, out);
  } else if (file.has_child(file.root(), "model_weights")) {
    const H5Handle top = file.open_group(file.root(), "model_weights");
    const auto inner = file.string_list(top, "layer_names");
    if (!inner) fail("{}: '/model_weights' has no list of layer_names; the file is damaged", file.name());
    out.format = "keras-h5-model";
    read_named_layers(file, top, *inner, out);
  } else {
    read_all_class_groups(file, Empty::kDrop, out);
  }
  if (out.format.empty()) {
    refuse_subclassed(file);
    fail("{}: expected Keras weights (an attribute layer_names, or a group layers), found an HDF5 file of another kind",
         file.name());
  }
  if (out.layers.empty()) fail("{}: expected Keras weights, found no layer that has any", file.name());
}

void read_keras_shard(Hdf5File& file, WeightFile& out) {
  out.path = file.name();
  read_description(file, out);
  if (read_all_class_groups(file, Empty::kKeep, out)) return;
  refuse_subclassed(file);
  fail("{}: expected a part of the weights that Keras 3 split (a group layers), found an HDF5 file of another kind",
       file.name());
}

}  // namespace gpueval
