// SPDX-License-Identifier: Apache-2.0
#include "io/weights/keras_file.h"

#include <algorithm>

#include "gpueval/error.h"
#include "io/weights/hdf5_file.h"
#include "io/weights/layer_names.h"

namespace gpueval {
namespace {

constexpr int kMostLevels = 32;  // of models in models
constexpr std::size_t kMaxGroups = 100'000;

WeightArray read_array(Hdf5File& file, const H5Handle& group, const std::string& path, std::string name,
                       const std::string& label) {
  return {std::move(name), file.read_numbers(group, path, label)};
}

// Keras 1, Keras 2, tf-keras and Keras 3 ".h5": weight_names on each top-level layer's group.
void read_named(Hdf5File& file, const H5Handle& top, const std::vector<std::string>& layers, KerasFile& out) {
  for (const std::string& layer : layers) {
    const H5Handle group = file.open_group(top, layer);
    const auto names = file.string_list(group, "weight_names");
    if (!names) fail("{}: layer '{}' has no list of weight_names; the file is damaged", file.name(), layer);
    WeightGroup weights{.path = layer, .name = layer, .arrays = {}};
    for (const std::string& name : *names) {
      weights.arrays.push_back(read_array(file, group, name, name, fmt::format("'{}' of layer '{}'", name, layer)));
    }
    if (!weights.arrays.empty()) out.groups.push_back(std::move(weights));
  }
}

void read_vars(Hdf5File& file, const H5Handle& group, const std::string& path, KerasFile& out) {
  const H5Handle vars = file.open_group(group, "vars");
  std::vector<std::string> numbers = file.children(vars);
  if (numbers.empty()) return;
  if (out.groups.size() >= kMaxGroups) fail("{}: more than {} groups of weights", file.name(), kMaxGroups);
  if (!std::all_of(numbers.begin(), numbers.end(), is_number)) {
    out.groups.push_back({.path = path, .name = "", .arrays = {}, .own_names = true});
    return;
  }
  std::sort(numbers.begin(), numbers.end(),
            [](const std::string& a, const std::string& b) { return std::stoi(a) < std::stoi(b); });
  WeightGroup weights{.path = path, .name = file.string_attribute(vars, "name").value_or(""), .arrays = {}};
  for (const std::string& number : numbers) {
    weights.arrays.push_back(read_array(file, vars, number, number, fmt::format("'{}/vars/{}'", path, number)));
  }
  out.groups.push_back(std::move(weights));
}

// Keras 3: <container>/<class>_<rank>/vars/0, 1, ..., models in models.
void read_groups(Hdf5File& file, const H5Handle& group, const std::string& path, int levels, KerasFile& out) {
  for (const std::string& child : file.children(group)) {
    if (!file.is_group(group, child) || (path.empty() && child == "optimizer")) continue;
    if (child == "vars") {
      read_vars(file, group, path, out);
      continue;
    }
    if (levels == 0) fail("{}: more than {} models one in another", file.name(), kMostLevels);
    // What the first releases of the format (2.12) called it.
    const std::string name = child == "_layer_checkpoint_dependencies" ? "layers" : child;
    read_groups(file, file.open_group(group, child), path.empty() ? name : path + "/" + name, levels - 1, out);
  }
}

}  // namespace

void read_weight_tree(Hdf5File& file, KerasFile& out) {
  if (const auto version = file.string_attribute(file.root(), "keras_version")) out.keras_version = *version;
  if (const auto config = file.string_attribute(file.root(), "model_config")) out.config = *config;
  if (const auto names = file.string_list(file.root(), "layer_names")) {
    read_named(file, file.root(), *names, out);
  } else if (file.has_child(file.root(), "model_weights")) {
    const H5Handle top = file.open_group(file.root(), "model_weights");
    const auto inner = file.string_list(top, "layer_names");
    if (!inner) fail("{}: '/model_weights' has no list of layer_names; the file is damaged", file.name());
    read_named(file, top, *inner, out);
  } else {
    read_groups(file, file.root(), "", kMostLevels, out);
  }
}

}  // namespace gpueval
