// SPDX-License-Identifier: Apache-2.0
#include "keras/arithmetic.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace gpueval::keras {
namespace {

std::vector<int> broadcast(const std::vector<int>& a, const std::vector<int>& b) {
  if (a.size() != b.size()) unsupported("it combines tensors of {} and {} dimensions", a.size(), b.size());
  std::vector<int> shape;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (a[i] != b[i] && a[i] != 1 && b[i] != 1) unsupported("it combines extents of {} and {}", a[i], b[i]);
    shape.push_back(std::max(a[i], b[i]));
  }
  return shape;
}

void flatten_numbers(const Json& json, std::vector<double>& numbers) {
  if (!json.is_array()) {
    numbers.push_back(json.get<double>());
    return;
  }
  for (const Json& inner : json) flatten_numbers(inner, numbers);
}

}  // namespace

Value combined(LayerCall& call, BinaryKind kind, const Value& a, const Value& b, const std::string& suffix) {
  std::vector<int> shape = broadcast(a.shape, b.shape);
  if (kind == BinaryKind::kAdd && a.shape == b.shape) return call.append(Add{}, {a, b}, std::move(shape), {}, suffix);
  return call.append(Binary{kind}, {a, b}, std::move(shape), {}, suffix);
}

Value folded(LayerCall& call, BinaryKind kind, const std::vector<Value>& values, const std::string& suffix) {
  Value result = values.front();
  for (std::size_t i = 1; i < values.size(); ++i) {
    const bool last = i + 1 == values.size();
    result = combined(call, kind, result, values[i], last ? suffix : fmt::format("/{}", i));
  }
  return result;
}

std::optional<std::vector<double>> constant_for(const Json& json, const Value& value) {
  if (json.is_object()) {  // "__tensor__", "__numpy__", a variable's value
    const auto config = json.find("config");
    if (config == json.end() || !config->is_object() || !config->contains("value")) return std::nullopt;
    return constant_for((*config)["value"], value);
  }
  if (!json.is_number() && !json.is_array()) return std::nullopt;
  std::vector<double> numbers;
  flatten_numbers(json, numbers);
  const Json* inner = &json;
  while (inner->is_array() && inner->size() == 1) inner = &(*inner)[0];
  const bool last_extent = inner->is_number() || (inner->is_array() && !(*inner)[0].is_array());
  if (!last_extent || (numbers.size() != 1 && std::ssize(numbers) != value.channels())) {
    unsupported("it combines a tensor of {} channels with a constant of {} numbers", value.channels(), numbers.size());
  }
  return numbers;
}

namespace layers {
namespace {

Value all(LayerCall& call, BinaryKind kind) {
  if (call.inputs.empty()) unsupported("it merges nothing");
  return folded(call, kind, call.inputs);
}

}  // namespace

Value add_layer(LayerCall& call) { return all(call, BinaryKind::kAdd); }
Value multiply_layer(LayerCall& call) { return all(call, BinaryKind::kMultiply); }
Value maximum_layer(LayerCall& call) { return all(call, BinaryKind::kMaximum); }
Value minimum_layer(LayerCall& call) { return all(call, BinaryKind::kMinimum); }

Value subtract_layer(LayerCall& call) {
  if (call.inputs.size() != 2) unsupported("it subtracts {} tensors", call.inputs.size());
  return combined(call, BinaryKind::kSubtract, call.inputs[0], call.inputs[1]);
}

Value average_layer(LayerCall& call) {
  const std::string name = call.name;
  call.name += "/sum";
  const Value sum = all(call, BinaryKind::kAdd);
  call.name = name;
  return call.affine(sum, {1.0 / static_cast<double>(call.inputs.size())}, {0});
}

// x0 + scale * x1
Value custom_scale(LayerCall& call) {
  if (call.inputs.size() != 2) unsupported("it adds {} tensors, expected two", call.inputs.size());
  const Value scaled = call.affine(call.inputs[1], {call.number({"scale"}, 1)}, {0}, "/scaled");
  return combined(call, BinaryKind::kAdd, call.inputs[0], scaled);
}

// The mean of n tensors, weighted by n numbers. One below zero counts nothing: its tensor is left out.
Value relu_weighted_sum(LayerCall& call) {
  if (call.inputs.empty()) unsupported("it adds nothing");
  const auto count = static_cast<std::int64_t>(call.inputs.size());
  const Array gain = call.weights.take({"gain"}, {count});
  std::vector<float> weights(call.inputs.size(), 1);
  if (gain.data != nullptr) weights = *gain.data;
  double all = 0;
  for (const float weight : weights) all += std::max(weight, 0.0f);
  if (!(all > 0)) fail("layer '{}': none of its weights is above zero", call.name);
  std::vector<Value> scaled;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    if (weights[i] <= 0) continue;
    scaled.push_back(call.affine(call.inputs[i], {weights[i] / all}, {0}, fmt::format("/scaled_{}", i + 1)));
  }
  return folded(call, BinaryKind::kAdd, scaled);
}

}  // namespace layers

namespace functions {
namespace {

// Both operands, each a tensor or a constant.
struct Operands {
  const Argument *first, *second;
  std::size_t tensors = 0;

  explicit Operands(const LayerCall& call)
      : first(call.call.find(0, {"x", "x1"})), second(call.call.find(1, {"y", "x2", "bias", "scalar"})) {
    if (first == nullptr || (second == nullptr && !constant_of(call, 1))) unsupported("it has one operand");
    tensors = call.inputs.size();
  }
  // TensorFlow 2.0 to 2.3 keeps constants by their position.
  static const Json* constant_of(const LayerCall& call, int position) {
    const Json* constants = call.setting({"constants"});
    if (constants == nullptr || !constants->is_object()) return nullptr;
    const auto found = constants->find(std::to_string(position));
    return found == constants->end() ? nullptr : &*found;
  }
};

// The constant beside one tensor; first: it stands in front.
struct Constant {
  std::vector<double> numbers;
  bool first = false;
};

Constant constant_operand(const LayerCall& call) {
  const Value& tensor = call.inputs.front();
  for (const int position : {0, 1}) {
    if (const Json* json = Operands::constant_of(call, position)) {
      if (auto numbers = constant_for(*json, tensor)) return {*numbers, position == 0};
    }
  }
  const Operands operands(call);
  for (const auto& [argument, first] : {std::pair{operands.first, true}, std::pair{operands.second, false}}) {
    if (argument == nullptr || argument->tensor || !argument->list.empty()) continue;
    if (auto numbers = constant_for(argument->constant, tensor)) return {*numbers, first};
  }
  unsupported("one of its operands is neither a tensor nor a constant");
}

std::vector<double> each(std::vector<double> numbers, double (*function)(double)) {
  std::transform(numbers.begin(), numbers.end(), numbers.begin(), function);
  return numbers;
}

std::vector<Value> binary(LayerCall& call, BinaryKind kind) {
  if (call.inputs.size() != 2) unsupported("it has {} tensors, expected one or two", call.inputs.size());
  return {combined(call, kind, call.inputs[0], call.inputs[1])};
}

// max(x, low), min(x, high), between both: x - low, cut at 0 and at high - low, + low.
Value clipped(LayerCall& call, const Value& value, double low, double high) {
  constexpr double kMost = std::numeric_limits<double>::infinity();
  constexpr double kLargest{std::numeric_limits<float>::max()};  // which no float32 exceeds
  if (low <= -kLargest) low = -kMost;
  if (high >= kLargest) high = kMost;
  if (low == -kMost && high == kMost) return value;
  if (low == 0 && (high == kMost || high == 6)) {
    return call.append(Relu{high == 6 ? Activation::kRelu6 : Activation::kRelu}, {value}, value.shape);
  }
  if (low == -kMost) {  // -(max(-x, -high))
    const Value mirrored = clipped(call, call.affine(value, {-1}, {0}, "/mirrored"), -high, kMost);
    return call.affine(mirrored, {-1}, {0}, "/back");
  }
  const Value moved = call.affine(value, {1}, {-low}, "/moved");
  const Function cut{FunctionKind::kRelu, 0, 0, static_cast<float>(high - low)};
  return call.affine(call.function(moved, cut, "/cut"), {1}, {low});
}

Value bounded(LayerCall& call, bool below) {
  const Constant constant = constant_operand(call);
  if (constant.numbers.size() != 1) unsupported("it cuts each channel at another number");
  constexpr double kMost = std::numeric_limits<double>::infinity();
  const double bound = constant.numbers.front();
  return below ? clipped(call, call.inputs.front(), bound, kMost) : clipped(call, call.inputs.front(), -kMost, bound);
}

}  // namespace

std::vector<Value> add(LayerCall& call) {
  if (call.inputs.size() != 1) return binary(call, BinaryKind::kAdd);
  return {call.affine(call.inputs[0], {1}, constant_operand(call).numbers)};
}

std::vector<Value> add_all(LayerCall& call) { return {layers::all(call, BinaryKind::kAdd)}; }

std::vector<Value> subtract(LayerCall& call) {
  if (call.inputs.size() != 1) return binary(call, BinaryKind::kSubtract);
  const Constant constant = constant_operand(call);
  if (constant.first) return {call.affine(call.inputs[0], {-1}, constant.numbers)};
  return {call.affine(call.inputs[0], {1}, each(constant.numbers, [](double x) { return -x; }))};
}

std::vector<Value> multiply(LayerCall& call) {
  if (call.inputs.size() != 1) return binary(call, BinaryKind::kMultiply);
  return {call.affine(call.inputs[0], constant_operand(call).numbers, {0})};
}

std::vector<Value> divide(LayerCall& call) {
  const auto inverse = [](double x) { return 1 / x; };
  if (call.inputs.size() == 2) {
    const Value divisor = call.function(call.inputs[1], {FunctionKind::kPower, -1}, "/reciprocal");
    return {combined(call, BinaryKind::kMultiply, call.inputs[0], divisor)};
  }
  const Constant constant = constant_operand(call);
  if (!constant.first) return {call.affine(call.inputs[0], each(constant.numbers, inverse), {0})};
  const Value divisor = call.function(call.inputs[0], {FunctionKind::kPower, -1}, "/reciprocal");
  return {call.affine(divisor, constant.numbers, {0})};
}

std::vector<Value> negative(LayerCall& call) { return {call.affine(call.input(), {-1}, {0})}; }

std::vector<Value> maximum(LayerCall& call) {
  if (call.inputs.size() != 1) return binary(call, BinaryKind::kMaximum);
  return {bounded(call, true)};
}

std::vector<Value> minimum(LayerCall& call) {
  if (call.inputs.size() != 1) return binary(call, BinaryKind::kMinimum);
  return {bounded(call, false)};
}

std::vector<Value> clip(LayerCall& call) {
  const auto bound = [&](std::size_t position, std::initializer_list<const char*> names) {
    if (const Json* value = call.setting(names)) return value->get<double>();
    const Argument* argument = call.call.find(position, names);
    if (argument == nullptr || !argument->constant.is_number()) unsupported("its bounds are no numbers");
    return argument->constant.get<double>();
  };
  const double low = bound(1, {"x_min", "clip_value_min"}), high = bound(2, {"x_max", "clip_value_max"});
  return {clipped(call, call.input(), low, high)};
}

}  // namespace functions
}  // namespace gpueval::keras
