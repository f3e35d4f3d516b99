// SPDX-License-Identifier: Apache-2.0
#include "keras/layer_call.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "graph/op_row.h"

namespace gpueval::keras {
namespace {

std::vector<float> expanded(const std::vector<double>& values, int channels) {
  std::vector<float> result;
  for (int c = 0; c < channels; ++c) {
    result.push_back(static_cast<float>(values[values.size() == 1 ? 0 : static_cast<std::size_t>(c)]));
  }
  return result;
}

}  // namespace

std::int64_t count_of(const std::vector<int>& shape) {
  std::int64_t count = 1;
  for (const int extent : shape) count *= extent;
  return count;
}

Shape physical(const std::vector<int>& shape) {
  if (shape.size() == 3) return {1, shape[0], shape[1], shape[2]};
  if (shape.size() == 2) return {1, shape[0], 1, shape[1]};
  if (shape.size() == 1) return {1, 1, 1, shape[0]};
  unsupported("its tensor has {} dimensions beside the batch, expected 1 to 3", shape.size());
}

int physical_axis(int axis, int rank) {
  if (rank == 1) return 2;
  if (rank == 2) return axis == 1 ? 0 : 2;
  return axis - 1;
}

std::string GraphParts::unique(const std::string& name) {
  std::string result = name;
  for (int k = 2; !names_.insert(result).second; ++k) result = fmt::format("{}#{}", name, k);
  return result;
}

int GraphParts::append(const std::string& name, Op op, std::vector<int> inputs, std::vector<Param> params) {
  constexpr std::size_t kMostNodes = 100'000;
  constexpr int kMostExtent = 1 << 20, kMostChannels = 1 << 26;
  constexpr std::int64_t kMostElements = std::int64_t{1} << 30, kMostMade = std::int64_t{1} << 28;
  if (graph.nodes.size() >= kMostNodes) fail("{}: more than {} operations", graph.name, kMostNodes);
  Node node{.name = unique(name), .op = std::move(op), .inputs = std::move(inputs), .params = std::move(params)};
  for (const Param& p : node.params) {
    // What the file does not hold as well was made of its settings.
    if (p.array.data != nullptr && p.array.data.use_count() == 1) made_ += p.array.elements();
  }
  if (made_ > kMostMade) fail("{}: its settings make more than {} numbers", graph.name, kMostMade);
  node.shape = output_shape(graph, node);
  const auto [n, h, w, c] = node.shape;
  if (h < 1 || w < 1 || c < 1) {
    const Shape& input = graph.input_node().shape;
    fail_usage("{} takes no input of {}x{}: of so few pixels none is left in its layer '{}'", graph.name, input.h,
               input.w, node.name);
  }
  if (h > kMostExtent || w > kMostExtent || c > kMostChannels || node.shape.elements() > kMostElements) {
    unsupported("its tensor of {} is beyond what is supported", to_string(node.shape));
  }
  graph.nodes.push_back(std::move(node));
  return static_cast<int>(graph.nodes.size()) - 1;
}

const Value& LayerCall::input() const {
  if (inputs.size() != 1) unsupported("it is called with {} tensors, expected one", inputs.size());
  return inputs.front();
}

const Value& LayerCall::input_of_rank(int rank) const {
  const Value& value = input();
  if (value.rank() != rank)
    unsupported("its input has {} dimensions beside the batch, expected {}", value.rank(), rank);
  return value;
}

const Json* LayerCall::setting(std::initializer_list<const char*> keys) const {
  if (!layer.config.is_object()) return nullptr;
  for (const char* key : keys) {
    const auto found = layer.config.find(key);
    if (found != layer.config.end() && !found->is_null()) return &*found;
  }
  return nullptr;
}

namespace {

// A number, or a list of one.
const Json& single(const Json& value) { return value.is_array() && value.size() == 1 ? value[0] : value; }

constexpr int kMostInWindow = 1 << 10;  // kernel, stride, dilation, block

// A setting whose products with extents stay far from the end of int.
int whole(const Json& value, int most) {
  const std::int64_t number = value.get<std::int64_t>();
  if (number < -most || number > most) unsupported("its setting {} is beyond what is supported", value.dump());
  return static_cast<int>(number);
}

std::array<int, 2> two(const Json& value, int most) {
  if (!value.is_array()) return {whole(value, most), whole(value, most)};
  return {whole(value.at(0), most), whole(value.at(1), most)};
}

}  // namespace

int LayerCall::integer(std::initializer_list<const char*> keys, int otherwise) const {
  constexpr int kMost = 1 << 20;
  const Json* value = setting(keys);
  return value != nullptr ? whole(single(*value), kMost) : otherwise;
}

double LayerCall::number(std::initializer_list<const char*> keys, double otherwise) const {
  const Json* value = setting(keys);
  return value != nullptr ? single(*value).get<double>() : otherwise;
}

bool LayerCall::flag(std::initializer_list<const char*> keys, bool otherwise) const {
  const Json* value = setting(keys);
  return value != nullptr ? value->get<bool>() : otherwise;
}

std::string LayerCall::text(std::initializer_list<const char*> keys, const std::string& otherwise) const {
  const Json* value = setting(keys);
  return value != nullptr ? value->get<std::string>() : otherwise;
}

std::array<int, 2> LayerCall::pair(std::initializer_list<const char*> keys, std::array<int, 2> otherwise) const {
  const Json* value = setting(keys);
  return value != nullptr ? two(single(*value), kMostInWindow) : otherwise;
}

Padding LayerCall::borders(std::initializer_list<const char*> keys, int otherwise) const {
  constexpr int kMost = 1 << 20;
  const Json* value = setting(keys);
  if (value == nullptr) return {otherwise, otherwise, otherwise, otherwise};
  if (!value->is_array()) {
    const int all = whole(*value, kMost);
    return {all, all, all, all};
  }
  if (value->size() == 4) {  // Keras 1: top, bottom, left, right
    return {whole(value->at(0), kMost), whole(value->at(1), kMost), whole(value->at(2), kMost),
            whole(value->at(3), kMost)};
  }
  const auto [top, bottom] = two(value->at(0), kMost);
  const auto [left, right] = two(value->at(1), kMost);
  return {top, bottom, left, right};
}

const Json* LayerCall::argument(std::size_t position, std::initializer_list<const char*> names) const {
  if (const Json* found = setting(names)) return found;
  const Argument* given = call.find(position, names);
  return given != nullptr && !given->constant.is_null() ? &given->constant : nullptr;
}

bool LayerCall::flag_argument(std::size_t position, std::initializer_list<const char*> names) const {
  const Json* json = argument(position, names);
  return json != nullptr && json->is_boolean() && json->get<bool>();
}

std::optional<std::vector<int>> LayerCall::whole_numbers(std::size_t position,
                                                         std::initializer_list<const char*> names) const {
  std::vector<int> found;
  bool known = true;
  const auto add_constant = [&](const Json& json) {
    const bool number = json.is_null() || json.is_number_integer();
    known &= number;
    if (number) found.push_back(json.is_null() ? -1 : whole(json, 1 << 28));
  };
  const auto add_constants = [&](const Json& json) {
    if (!json.is_array()) return add_constant(json);
    for (const Json& item : json) add_constant(item);
  };
  std::size_t next = 1;  // of the tensors: the first is what the function is of
  const auto add = [&](const Argument& item) {
    if (!item.tensor) return add_constants(item.constant);
    known &= next < inputs.size() && inputs[next].numbers.has_value();
    if (known) found.insert(found.end(), inputs[next].numbers->begin(), inputs[next].numbers->end());
    ++next;
  };
  if (const Json* json = setting(names)) {
    add_constants(*json);
  } else if (const Argument* given = call.find(position, names)) {
    if (given->list.empty()) add(*given);
    for (const Argument& item : given->list) add(item);
  }
  if (!known || found.empty()) return std::nullopt;
  return found;
}

std::vector<int> LayerCall::axes(const Json& value, int rank) const {
  std::vector<int> result;
  const Json list = value.is_array() ? value : Json::array({value});
  if (list.empty()) unsupported("it names no axis");
  for (const Json& item : list) {
    const int given = whole(item, kMostInWindow), axis = given < 0 ? given + rank + 1 : given;
    if (axis < 1 || axis > rank) unsupported("its axis is {} of a tensor of {} dimensions and the batch", given, rank);
    result.push_back(axis);
  }
  return result;
}

Value LayerCall::append(Op op, const std::vector<Value>& sources, std::vector<int> shape, std::vector<Param> params,
                        const std::string& suffix) {
  std::vector<int> nodes;
  for (const Value& source : sources) nodes.push_back(source.node);
  const int node = parts.append(name + suffix, std::move(op), std::move(nodes), std::move(params));
  const Shape& computed = parts.graph.node(node).shape;
  GPUEVAL_CHECK(computed == physical(shape), "'{}' is {}, expected {}", name, to_string(computed),
                to_string(physical(shape)));
  return {node, std::move(shape)};
}

Value LayerCall::reshaped(const Value& value, std::vector<int> shape) {
  if (count_of(shape) != count_of(value.shape)) {
    unsupported("it makes {} elements of {}", count_of(shape), count_of(value.shape));
  }
  const Shape to = physical(shape);
  if (to == physical(value.shape)) return {value.node, std::move(shape)};
  return append(Reshape{{to.h, to.w, to.c}}, {value}, std::move(shape), {}, "/reshape");
}

Value LayerCall::permuted(const Value& value, const std::vector<int>& order, const std::string& suffix) {
  std::vector<int> shape, identity(order.size());
  for (const int axis : order) shape.push_back(value.shape[static_cast<std::size_t>(axis - 1)]);
  std::iota(identity.begin(), identity.end(), 1);
  if (order == identity) return value;
  const int rank = value.rank();
  std::array<int, 3> places{0, 1, 2};
  for (int i = 0; i < rank; ++i) {
    places[static_cast<std::size_t>(physical_axis(i + 1, rank))] =
        physical_axis(order[static_cast<std::size_t>(i)], rank);
  }
  return append(Permute{{places[0], places[1], places[2]}}, {value}, std::move(shape), {}, suffix);
}

Value LayerCall::swapped(const Value& value, int axis, int other, const std::string& suffix) {
  std::vector<int> order(value.shape.size());
  std::iota(order.begin(), order.end(), 1);
  std::swap(order[static_cast<std::size_t>(axis - 1)], order[static_cast<std::size_t>(other - 1)]);
  return permuted(value, order, suffix);
}

Value LayerCall::affine(const Value& value, std::vector<double> gamma, std::vector<double> beta,
                        const std::string& suffix) {
  const auto identity = [](const std::vector<double>& values, double neutral) {
    return std::all_of(values.begin(), values.end(), [neutral](double v) { return v == neutral; });
  };
  if (identity(gamma, 1) && identity(beta, 0)) return value;
  const int channels = value.channels();
  return append(Affine{}, {value}, value.shape,
                {param(Role::kGamma, expanded(gamma, channels)), param(Role::kBeta, expanded(beta, channels))}, suffix);
}

Value LayerCall::function(const Value& value, const Function& f, const std::string& suffix) {
  return append(Activate{f}, {value}, value.shape, {}, suffix);
}

Value LayerCall::activated(const Value& value) {
  const Json* named = setting({"activation"});
  return named != nullptr ? activation(*this, value, *named, "/activation") : value;
}

Param param(Role role, Array array) { return {role, std::move(array)}; }

Param param(Role role, std::vector<float> values) {
  return {role, {{std::ssize(values)}, std::make_shared<const std::vector<float>>(std::move(values))}};
}

}  // namespace gpueval::keras
