// SPDX-License-Identifier: Apache-2.0
// Activations: as layers, and as the setting `activation` of others.
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "keras/layer_call.h"
#include "keras/layer_kind.h"

namespace gpueval::keras {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

Value relu(LayerCall& call, const Value& value, double slope, double threshold, double most,
           const std::string& suffix) {
  if (slope == 0 && threshold == 0 && (most == 6 || most == double{kInfinity})) {
    return call.append(Relu{most == 6 ? Activation::kRelu6 : Activation::kRelu}, {value}, value.shape, {}, suffix);
  }
  const Function f{FunctionKind::kRelu, static_cast<float>(slope), static_cast<float>(threshold),
                   static_cast<float>(most)};
  return call.function(value, f, suffix);
}

// A setting that is a number, a list of one, or null.
double number_in(const Json& config, std::initializer_list<const char*> keys, double otherwise) {
  for (const char* key : keys) {
    const auto found = config.is_object() ? config.find(key) : config.end();
    if (found == config.end() || found->is_null()) continue;
    return found->is_array() ? found->at(0).get<double>() : found->get<double>();
  }
  return otherwise;
}

Value relu_of(LayerCall& call, const Value& value, const Json& config, const std::string& suffix) {
  return relu(call, value, number_in(config, {"negative_slope", "alpha"}, 0), number_in(config, {"threshold"}, 0),
              number_in(config, {"max_value"}, double{kInfinity}), suffix);
}

// Over an axis that is not the last: between two permutations.
Value softmax(LayerCall& call, const Value& value, const Json* axis, const std::string& suffix) {
  const int rank = value.rank();
  const std::vector<int> axes = axis != nullptr ? call.axes(*axis, rank) : std::vector<int>{rank};
  if (axes.size() != 1) unsupported("its softmax is over the axes {}, expected one", axis->dump());
  if (axes.front() == rank) return call.append(Softmax{}, {value}, value.shape, {}, suffix);
  const Value last = call.swapped(value, axes.front(), rank, suffix + "/permuted");
  return call.swapped(call.append(Softmax{}, {last}, last.shape, {}, suffix + "/softmax"), axes.front(), rank, suffix);
}

struct NamedFunction {
  std::string_view name;
  Function function;
};
constexpr NamedFunction kFunctions[] = {
    {"sigmoid", {FunctionKind::kSigmoid}},
    {"tanh", {FunctionKind::kTanh}},
    {"silu", {FunctionKind::kSilu}},
    {"swish", {FunctionKind::kSilu}},
    {"gelu", {FunctionKind::kGelu}},
    {"hard_silu", {FunctionKind::kHardSilu}},
    {"hard_swish", {FunctionKind::kHardSilu}},
    {"elu", {FunctionKind::kElu, 1}},
    {"selu", {FunctionKind::kSelu}},
    {"softplus", {FunctionKind::kSoftplus}},
    {"softsign", {FunctionKind::kSoftsign}},
    {"exponential", {FunctionKind::kExp}},
    {"mish", {FunctionKind::kMish}},
    {"leaky_relu", {FunctionKind::kRelu, 0.2f}},
    {"celu", {FunctionKind::kElu, 1}},
    {"sparse_sigmoid", {FunctionKind::kHardSigmoid, 0.5f, 0.5f}},
    {"hard_sigmoid_torch", {FunctionKind::kHardSigmoid, 1.0f / 6, 0.5f}},  // keras_cv_attention_models
};

Function hard_sigmoid(bool keras3) {
  return keras3 ? Function{FunctionKind::kHardSigmoid, 1.0f / 6, 0.5f}
                : Function{FunctionKind::kHardSigmoid, 0.2f, 0.5f};
}

// ln sigmoid(x) = -softplus(-x)
Value log_sigmoid(LayerCall& call, const Value& value, const std::string& suffix) {
  const Value mirrored = call.affine(value, {-1}, {0}, suffix + "/mirrored");
  return call.affine(call.function(mirrored, {FunctionKind::kSoftplus}, suffix + "/softplus"), {-1}, {0}, suffix);
}

// x, cut at -1 and 1
Value hard_tanh(LayerCall& call, const Value& value, const std::string& suffix) {
  const Value half = call.function(value, {FunctionKind::kHardSigmoid, 0.5f, 0.5f}, suffix + "/hard_sigmoid");
  return call.affine(half, {2}, {-1}, suffix);
}

Value named(LayerCall& call, const Value& value, std::string name, const std::string& suffix) {
  name = std::string(without_package(name));
  if (name == "linear") return value;
  if (name == "relu") return relu(call, value, 0, 0, double{kInfinity}, suffix);
  if (name == "relu6") return relu(call, value, 0, 0, 6, suffix);
  if (name == "softmax") return softmax(call, value, nullptr, suffix);
  if (name == "log_sigmoid") return log_sigmoid(call, value, suffix);
  if (name == "hard_tanh") return hard_tanh(call, value, suffix);
  if (name == "hard_sigmoid") return call.function(value, hard_sigmoid(call.parts.keras3), suffix);
  const auto* found = std::find_if(std::begin(kFunctions), std::end(kFunctions),
                                   [&](const NamedFunction& f) { return f.name == name; });
  if (found == std::end(kFunctions)) unsupported("its activation '{}' is not supported", name);
  return call.function(value, found->function, suffix);
}

std::string snake(std::string name) {
  std::transform(name.begin(), name.end(), name.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return name;
}

}  // namespace

// "relu6"; {"class_name": "function", "config": "relu6"}; {"class_name": "ReLU", "config": {...}}
Value activation(LayerCall& call, const Value& value, const Json& activation_json, const std::string& suffix) {
  if (activation_json.is_null()) return value;
  if (activation_json.is_string()) return named(call, value, activation_json.get<std::string>(), suffix);
  if (!activation_json.is_object()) unsupported("its activation is Python code, which is not in the file");
  const std::string kind(without_package(activation_json.value("class_name", "")));
  const auto config = activation_json.find("config");
  if (kind == "__lambda__" || config == activation_json.end()) {
    unsupported("its activation is Python code, which is not run");
  }
  if (config->is_string()) return named(call, value, config->get<std::string>(), suffix);
  if (kind == "ReLU") return relu_of(call, value, *config, suffix);
  if (kind == "LeakyReLU") {
    return relu(call, value, number_in(*config, {"negative_slope", "alpha"}, 0.3), 0, double{kInfinity}, suffix);
  }
  if (kind == "ELU") {
    return call.function(value, {FunctionKind::kElu, static_cast<float>(number_in(*config, {"alpha"}, 1))}, suffix);
  }
  if (kind == "Softmax") {
    const auto axis = config->find("axis");
    return softmax(call, value, axis != config->end() ? &*axis : nullptr, suffix);
  }
  if (kind == "Activation" && config->contains("activation")) {
    return activation(call, value, (*config)["activation"], suffix);
  }
  return named(call, value, snake(kind), suffix);
}

namespace layers {

Value activation_layer(LayerCall& call) {
  const Json* named_function = call.setting({"activation"});
  return named_function != nullptr ? activation(call, call.input(), *named_function, "") : call.input();
}

Value relu_layer(LayerCall& call) { return relu_of(call, call.input(), call.layer.config, ""); }

Value leaky_relu_layer(LayerCall& call) {
  return relu(call, call.input(), call.number({"negative_slope", "alpha"}, 0.3), 0, double{kInfinity}, "");
}

Value elu_layer(LayerCall& call) {
  return call.function(call.input(), {FunctionKind::kElu, static_cast<float>(call.number({"alpha"}, 1))});
}

// x above theta, else 0.
Value thresholded_relu_layer(LayerCall& call) {
  return relu(call, call.input(), 0, call.number({"theta"}, 1), double{kInfinity}, "");
}

// Axes that are shared have one slope for all.
Value prelu_layer(LayerCall& call) {
  const Value& src = call.input();
  std::vector<int> shared;
  const Json* axes = call.setting({"shared_axes"});
  if (axes != nullptr && !axes->empty()) shared = call.axes(*axes, src.rank());
  std::vector<std::int64_t> shape;
  for (int axis = 1; axis <= src.rank(); ++axis) {
    const bool one = std::find(shared.begin(), shared.end(), axis) != shared.end();
    shape.push_back(one ? 1 : src.shape[static_cast<std::size_t>(axis - 1)]);
  }
  const Array alpha = call.weights.take({"alpha", "alphas"}, shape);
  const std::int64_t elements = alpha.elements();
  const Shape in = physical(src.shape);
  if (alpha.data != nullptr && elements != in.c && elements != in.elements()) {
    // Shared over some axes only: written out.
    std::vector<float> all;
    std::vector<std::int64_t> extents = shape;
    while (extents.size() < 3) extents.insert(extents.begin(), 1);
    const std::array<int, 3> full{src.rank() == 3 ? src.shape[0] : 1,
                                  src.rank() >= 2 ? src.shape[static_cast<std::size_t>(src.rank() - 2)] : 1, in.c};
    for (int y = 0; y < full[0]; ++y) {
      for (int x = 0; x < full[1]; ++x) {
        for (int c = 0; c < full[2]; ++c) {
          const std::int64_t i = ((extents[0] == 1 ? 0 : y) * extents[1] + (extents[1] == 1 ? 0 : x)) * extents[2] +
                                 (extents[2] == 1 ? 0 : c);
          all.push_back((*alpha.data)[static_cast<std::size_t>(i)]);
        }
      }
    }
    return call.append(PRelu{}, {src}, src.shape, {param(Role::kAlpha, std::move(all))});
  }
  return call.append(PRelu{}, {src}, src.shape, {param(Role::kAlpha, Array{{elements}, alpha.data})});
}

Value softmax_layer(LayerCall& call) { return softmax(call, call.input(), call.setting({"axis"}), ""); }

Value relu6_layer(LayerCall& call) { return relu(call, call.input(), 0, 0, 6, ""); }
Value swish_layer(LayerCall& call) { return call.function(call.input(), {FunctionKind::kSilu}); }
Value hard_swish_layer(LayerCall& call) { return call.function(call.input(), {FunctionKind::kHardSilu}); }

}  // namespace layers

namespace functions {
namespace {

// The n-th argument, or the one of these names, in the call or the settings, as a number.
double number_argument(const LayerCall& call, std::size_t position, std::initializer_list<const char*> names,
                       double otherwise) {
  if (const Json* value = call.setting(names)) return value->get<double>();
  const Argument* argument = call.call.find(position, names);
  if (argument == nullptr || argument->constant.is_null()) return otherwise;
  if (!argument->constant.is_number()) unsupported("its argument '{}' is no number", *names.begin());
  return argument->constant.get<double>();
}

std::vector<Value> apply_function(LayerCall& call, const Function& f) { return {call.function(call.input(), f)}; }

}  // namespace

std::vector<Value> relu(LayerCall& call) {
  return {keras::relu(call, call.input(), number_argument(call, 9, {"alpha", "negative_slope"}, 0),
                      number_argument(call, 9, {"threshold"}, 0),
                      number_argument(call, 9, {"max_value"}, double{kInfinity}), "")};
}
std::vector<Value> relu6(LayerCall& call) { return {keras::relu(call, call.input(), 0, 0, 6, "")}; }
std::vector<Value> leaky_relu(LayerCall& call) {
  return {keras::relu(call, call.input(), number_argument(call, 1, {"alpha", "negative_slope"}, 0.2), 0,
                      double{kInfinity}, "")};
}
std::vector<Value> elu(LayerCall& call) {
  return apply_function(call, {FunctionKind::kElu, static_cast<float>(number_argument(call, 1, {"alpha"}, 1))});
}
std::vector<Value> selu(LayerCall& call) { return apply_function(call, {FunctionKind::kSelu}); }
std::vector<Value> silu(LayerCall& call) {
  if (number_argument(call, 1, {"beta"}, 1) != 1) unsupported("its beta is not 1");
  return apply_function(call, {FunctionKind::kSilu});
}
// Keras's function is approximate unless told otherwise, TensorFlow's is not.
std::vector<Value> gelu(LayerCall& call) {
  bool approximate = call.layer.kind == "Gelu";
  if (const Json* value = call.setting({"approximate"})) approximate = value->get<bool>();
  if (const Argument* argument = call.call.find(1, {"approximate"}); argument && argument->constant.is_boolean()) {
    approximate = argument->constant.get<bool>();
  }
  return apply_function(call, {approximate ? FunctionKind::kGeluTanh : FunctionKind::kGelu});
}
std::vector<Value> sigmoid(LayerCall& call) { return apply_function(call, {FunctionKind::kSigmoid}); }
std::vector<Value> hard_sigmoid(LayerCall& call) {
  return apply_function(call, keras::hard_sigmoid(call.parts.keras3));
}
std::vector<Value> hard_silu(LayerCall& call) { return apply_function(call, {FunctionKind::kHardSilu}); }
std::vector<Value> tanh(LayerCall& call) { return apply_function(call, {FunctionKind::kTanh}); }
std::vector<Value> softplus(LayerCall& call) { return apply_function(call, {FunctionKind::kSoftplus}); }
std::vector<Value> softsign(LayerCall& call) { return apply_function(call, {FunctionKind::kSoftsign}); }
std::vector<Value> mish(LayerCall& call) { return apply_function(call, {FunctionKind::kMish}); }
std::vector<Value> absolute(LayerCall& call) { return apply_function(call, {FunctionKind::kAbs}); }
std::vector<Value> exponential(LayerCall& call) { return apply_function(call, {FunctionKind::kExp}); }
std::vector<Value> square(LayerCall& call) { return apply_function(call, {FunctionKind::kPower, 2}); }
std::vector<Value> square_root(LayerCall& call) { return apply_function(call, {FunctionKind::kPower, 0.5f}); }
std::vector<Value> reciprocal_square_root(LayerCall& call) {
  return apply_function(call, {FunctionKind::kPower, -0.5f});
}
std::vector<Value> reciprocal(LayerCall& call) { return apply_function(call, {FunctionKind::kPower, -1}); }
std::vector<Value> power(LayerCall& call) {
  if (call.inputs.size() != 1) unsupported("it raises to a power that is computed");
  const double exponent = number_argument(call, 1, {"y", "x2"}, std::nan(""));
  if (std::isnan(exponent)) unsupported("it raises a number to a power that is computed");
  return apply_function(call, {FunctionKind::kPower, static_cast<float>(exponent)});
}
std::vector<Value> softmax(LayerCall& call) {
  const Json* axis = call.setting({"axis"});
  const Argument* argument = call.call.find(1, {"axis"});
  if (axis == nullptr && argument != nullptr && argument->constant.is_number()) axis = &argument->constant;
  return {keras::softmax(call, call.input(), axis, "")};
}

}  // namespace functions
}  // namespace gpueval::keras
