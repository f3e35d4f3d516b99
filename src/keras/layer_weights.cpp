// SPDX-License-Identifier: Apache-2.0
#include "keras/layer_weights.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <string_view>

#include "gpueval/error.h"
#include "io/weights/layer_names.h"
#include "keras/tables.h"

namespace gpueval::keras {
namespace {

// "block/conv1/kernel:0" -> {"block/conv1", "kernel"}
struct WeightName {
  std::string owner, role;
};

WeightName split(const std::string& name) {
  const std::size_t slash = name.rfind('/');
  std::string role = slash == std::string::npos ? name : name.substr(slash + 1);
  if (const std::size_t colon = role.rfind(':'); colon != std::string::npos) role.resize(colon);
  return {slash == std::string::npos ? "" : name.substr(0, slash), role};
}

// "kernel", "conv1_kernel", "kernel_1"
bool has_role(const std::string& found, std::string_view wanted) {
  const auto ends = [&](const std::string& text) {
    return text == wanted ||
           (text.size() > wanted.size() && text.ends_with(wanted) && text[text.size() - wanted.size() - 1] == '_');
  };
  return ends(found) || ends(split_number(found).first);
}

// Whether `owner` ends with the layer's name as whole components.
bool owns(const std::string& layer, const std::string& owner) {
  if (owner == layer) return true;
  return owner.size() > layer.size() && owner.ends_with(layer) && owner[owner.size() - layer.size() - 1] == '/';
}

struct Candidate {
  std::vector<std::string> path;
  std::vector<std::string> owner;  // whose the arrays are: of a wrapper's, the layer's in it
  bool wrapped = false;
  bool adapted = false;  // a Normalization: tf-keras names its weights "mean:0", without the layer
};

// Every layer of a top-level layer, with those of models in it and those that it wraps.
void collect(const Layer& layer, std::vector<std::string> path, std::vector<Candidate>& out) {
  path.push_back(layer.name);
  if (layer.model != nullptr) {
    for (const Layer& inner : layer.model->layers) collect(inner, path, out);
    return;
  }
  std::vector<std::string> owner = path;
  if (layer.wrapped != nullptr) {
    owner.push_back(layer.wrapped->name);
    out.push_back({owner, owner, true});
  }
  out.push_back({std::move(path), std::move(owner), layer.wrapped != nullptr, layer.kind == "Normalization"});
}

// How many of the outer names stand in front of the layer's own, in order.
std::size_t outer_matches(const std::vector<std::string>& path, const std::string& owner) {
  std::size_t count = 0;
  for (std::size_t i = 0; i + 1 < path.size(); ++i) count += owner.find(path[i] + "/") != std::string::npos;
  return count;
}

// The only one that is adapted; nullptr: there are none, or several.
const Candidate* only_adapted(const std::vector<Candidate>& candidates) {
  const auto adapted = [](const Candidate& candidate) { return candidate.adapted; };
  const auto found = std::find_if(candidates.begin(), candidates.end(), adapted);
  return std::count_if(candidates.begin(), candidates.end(), adapted) == 1 ? &*found : nullptr;
}

const Candidate* owner_of(const std::string& weight, const std::vector<Candidate>& candidates) {
  const WeightName name = split(weight);
  if (name.owner.empty() && (name.role == "mean" || name.role == "variance" || name.role == "count")) {
    return only_adapted(candidates);
  }
  const Candidate* best = nullptr;
  std::pair<std::size_t, std::size_t> best_rank{};
  for (const Candidate& candidate : candidates) {
    const std::string& layer = candidate.path.back();
    if (!owns(layer, name.owner)) continue;
    const std::pair rank{layer.size(), outer_matches(candidate.path, name.owner)};
    if (best == nullptr || rank > best_rank) best = &candidate, best_rank = rank;
  }
  return best;
}

}  // namespace

const WeightArray* LayerWeights::find(std::initializer_list<const char*> names) const {
  for (const char* wanted : names) {
    for (const WeightArray* array : arrays_) {
      if (has_role(split(array->name).role, wanted)) return array;
    }
  }
  return nullptr;
}

const WeightArray* LayerWeights::next(std::initializer_list<const char*> names) {
  if (form_ != Form::kNumbered) return find(names);
  return next_ < arrays_.size() ? arrays_[next_++] : nullptr;
}

Array LayerWeights::take(std::initializer_list<const char*> names, const std::vector<std::int64_t>& shape) {
  if (form_ == Form::kAbsent) {
    Array array{shape, nullptr};
    absent_elements_ += array.elements();
    return array;
  }
  const WeightArray* found = next(names);
  if (found == nullptr) {
    std::vector<std::string> there;
    for (const WeightArray* array : arrays_) there.push_back(array->name);
    fail("{} has no weight '{}' ({}); it has {}", where_, *names.begin(), shape_string(shape),
         there.empty() ? "none" : fmt::format("{}", fmt::join(there, ", ")));
  }
  if (found->array.shape != shape) {
    fail("{}: weight '{}' has the shape {}, expected {}", where_, *names.begin(), shape_string(found->array.shape),
         shape_string(shape));
  }
  if (found->array.data == nullptr) {
    fail("{}: weight '{}' holds integers, expected floating-point numbers; quantized weights are not read", where_,
         *names.begin());
  }
  taken_.insert(found);
  return found->array;
}

bool LayerWeights::has(std::initializer_list<const char*> names) const {
  return form_ == Form::kNumbered ? next_ < arrays_.size() : find(names) != nullptr;
}

std::optional<Array> LayerWeights::take_if_there(std::initializer_list<const char*> names) {
  if (form_ == Form::kAbsent || !has(names)) return std::nullopt;
  const WeightArray* found = next(names);
  taken_.insert(found);
  if (found->array.data == nullptr) return std::nullopt;
  return found->array;
}

void LayerWeights::check_all_taken() const {
  if (form_ == Form::kWrapped) return;
  for (const WeightArray* array : arrays_) {
    if (array->array.data == nullptr || taken_.contains(array)) continue;
    fail("{} has a weight '{}' {} that its description does not explain", where_, array->name,
         shape_string(array->array.shape));
  }
}

std::int64_t LayerWeights::elements() const {
  std::int64_t count = absent_elements_;
  for (const WeightArray* array : taken_) count += array->array.elements();
  return count;
}

WeightIndex::WeightIndex(const KerasFile& file, const Model& model, bool shapes_only)
    : file_(file), shapes_only_(shapes_only) {
  if (shapes_only) return;
  for (const WeightGroup& group : file.groups) groups_[group.path] = &group;
  if (file.archive) {
    add_archive(model, "", {});
  } else {
    add_named(model);
  }
}

// In each container the n-th layer of a class has the group <class>_<n>.
void WeightIndex::add_archive(const Model& model, const std::string& where, const std::vector<std::string>& path) {
  std::map<std::string, int> count;
  for (const Layer& layer : model.layers) {
    const bool in_no_group = !layer.function.empty() && layer.module.find(".ops") != std::string::npos;
    if (in_no_group || (model.sequential && layer.kind == "InputLayer")) continue;
    const std::string stem = snake_case(layer.saved_class);
    const int rank = count[stem]++;
    add_layer(layer, fmt::format("{}layers/{}", where, rank == 0 ? stem : fmt::format("{}_{}", stem, rank)), path);
  }
}

void WeightIndex::add_layer(const Layer& layer, const std::string& where, std::vector<std::string> path) {
  path.push_back(layer.name);
  if (layer.model != nullptr) {
    add_archive(*layer.model, where + "/", path);
    return;
  }
  if (layer.wrapped != nullptr) add_layer(*layer.wrapped, where + "/layer", path);
  const auto group = groups_.find(where);
  if (group == groups_.end()) return;
  if (group->second->own_names) {
    if (find_layer(layer.kind) == nullptr) return;  // it is refused as a whole
    fail("{}: '{}/vars' should hold weights numbered 0, 1, ...; the file is damaged", file_.path, where);
  }
  const std::string& named = group->second->name;
  if (!named.empty() && named != layer.name) {
    fail("{}: the weights at '{}' are of layer '{}', expected '{}'", file_.path, where, named, layer.name);
  }
  std::vector<const WeightArray*> arrays;
  for (const WeightArray& array : group->second->arrays) arrays.push_back(&array);
  layers_.insert_or_assign(path, LayerWeights(fmt::format("{}: layer '{}'", file_.path, fmt::join(path, "/")),
                                              std::move(arrays), LayerWeights::Form::kNumbered));
}

void WeightIndex::add_named(const Model& model) {
  for (const Layer& top : model.layers) {
    const auto group = groups_.find(top.name);
    if (group == groups_.end()) continue;
    std::vector<Candidate> candidates;
    collect(top, {}, candidates);
    std::map<std::vector<std::string>, std::vector<const WeightArray*>> arrays;
    std::set<std::vector<std::string>> wrapped;
    for (const WeightArray& array : group->second->arrays) {
      const Candidate* owner = candidates.size() == 1 ? &candidates.front() : owner_of(array.name, candidates);
      if (owner == nullptr) {
        fail("{}: weight '{}' of '{}' is of no layer that the description of the model names", file_.path, array.name,
             top.name);
      }
      arrays[owner->owner].push_back(&array);
      if (owner->wrapped) wrapped.insert(owner->owner);
    }
    for (auto& [path, list] : arrays) {
      layers_.insert_or_assign(
          path, LayerWeights(fmt::format("{}: layer '{}'", file_.path, fmt::join(path, "/")), std::move(list),
                             wrapped.contains(path) ? LayerWeights::Form::kWrapped : LayerWeights::Form::kNamed));
    }
  }
}

LayerWeights& WeightIndex::of(const std::vector<std::string>& path) {
  const auto found = layers_.find(path);
  if (found != layers_.end()) {
    found->second.rewind();
    return found->second;
  }
  const std::string where = fmt::format("{}: layer '{}'", file_.path, fmt::join(path, "/"));
  return layers_
      .try_emplace(path,
                   LayerWeights(where, {}, shapes_only_ ? LayerWeights::Form::kAbsent : LayerWeights::Form::kNamed))
      .first->second;
}

void WeightIndex::check_all_taken() const {
  for (const auto& [path, weights] : layers_) weights.check_all_taken();
}

std::int64_t WeightIndex::parameters() const {
  std::int64_t count = 0;
  for (const auto& [path, weights] : layers_) count += weights.elements();
  return count;
}

}  // namespace gpueval::keras
