// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <utility>

#include "keras/layer_call.h"

namespace gpueval::keras {
namespace layers {
namespace {

// Only the last extent is supported: what every network of pictures with channels_last has.
void check_axis(const LayerCall& call, const Value& value) {
  const Json* axis = call.setting({"axis"});
  if (axis == nullptr) return;
  const std::vector<int> axes = call.axes(*axis, value.rank());
  if (axes != std::vector<int>{value.rank()}) unsupported("its axis is {}, expected the last", axis->dump());
}

// variance + epsilon is the divisor's square.
void check_variance(const LayerCall& call, const Array& variance, double epsilon) {
  if (variance.data == nullptr) return;
  for (const float v : *variance.data) {
    if (double{v} + epsilon > 0) continue;
    fail("layer '{}': a moving_variance of {} and epsilon {} have no square root; the weights are damaged", call.name,
         v, epsilon);
  }
}

Array constant(int channels, float value) {
  return {{channels}, std::make_shared<const std::vector<float>>(static_cast<std::size_t>(channels), value)};
}

// gamma and beta, each where the layer has it.
std::vector<Param> gain_and_offset(LayerCall& call, int channels) {
  std::vector<Param> params;
  if (call.flag({"scale"}, true)) params.push_back(param(Role::kGamma, call.weights.take({"gamma"}, {channels})));
  if (call.flag({"center"}, true)) params.push_back(param(Role::kBeta, call.weights.take({"beta"}, {channels})));
  return params;
}

// gamma * x + beta
Value scaled(LayerCall& call, Array gamma, Array beta) {
  const Value& src = call.input();
  return call.append(Affine{}, {src}, src.shape,
                     {param(Role::kGamma, std::move(gamma)), param(Role::kBeta, std::move(beta))});
}

// weight * x + bias, each one number
Value scaled_by_one(LayerCall& call, const char* weight, bool bias) {
  const int channels = call.input().channels();
  const auto repeated = [&](const Array& one) {
    return one.data != nullptr ? constant(channels, one.data->front()) : Array{{channels}, nullptr};
  };
  Array gamma = repeated(call.weights.take({weight}, {}));
  return scaled(call, std::move(gamma), bias ? repeated(call.weights.take({"bias"}, {})) : constant(channels, 0));
}

}  // namespace

Value batch_normalization(LayerCall& call) {
  const Value& src = call.input();
  check_axis(call, src);
  if (const int mode = call.integer({"mode"}, 0); mode != 0) {
    unsupported("it normalises by each {} (mode {})", mode == 1 ? "picture" : "batch", mode);
  }
  const int channels = src.channels();
  const double epsilon = call.number({"epsilon"}, 1e-3);
  std::vector<Param> params = gain_and_offset(call, channels);
  if (params.empty() || params.back().role != Role::kBeta) params.push_back(param(Role::kBeta, constant(channels, 0)));
  params.push_back(param(Role::kMean, call.weights.take({"moving_mean", "running_mean"}, {channels})));
  const Array variance = call.weights.take({"moving_variance", "running_std"}, {channels});
  check_variance(call, variance, epsilon);
  params.push_back(param(Role::kVariance, variance));
  return call.append(BatchNorm{static_cast<float>(epsilon)}, {src}, src.shape, std::move(params));
}

Value layer_normalization(LayerCall& call) {
  const Value& src = call.input();
  check_axis(call, src);
  const auto kind = call.flag({"rms_scaling"}, false) ? NormalizeKind::kRms : NormalizeKind::kLayer;
  const auto epsilon = static_cast<float>(call.number({"epsilon"}, 1e-3));
  return call.append(Normalize{kind, epsilon}, {src}, src.shape, gain_and_offset(call, src.channels()));
}

Value group_normalization(LayerCall& call) {
  const Value& src = call.input();
  check_axis(call, src);
  const int groups = call.integer({"groups"}, 32), channels = src.channels();
  const int count = groups == -1 ? channels : groups;
  if (count < 1 || channels % count != 0) unsupported("{} groups of {} channels", groups, channels);
  const auto epsilon = static_cast<float>(call.number({"epsilon"}, 1e-3));
  return call.append(Normalize{NormalizeKind::kGroup, epsilon, count}, {src}, src.shape,
                     gain_and_offset(call, channels));
}

Value rms_normalization(LayerCall& call) {
  const Value& src = call.input();
  check_axis(call, src);
  const auto epsilon = static_cast<float>(call.number({"epsilon"}, 1e-6));
  return call.append(Normalize{NormalizeKind::kRms, epsilon}, {src}, src.shape,
                     {param(Role::kGamma, call.weights.take({"scale", "gamma"}, {src.channels()}))});
}

Value unit_normalization(LayerCall& call) {
  const Value& src = call.input();
  check_axis(call, src);
  return call.append(Normalize{NormalizeKind::kL2, 1e-12f}, {src}, src.shape);
}

Value l2_normalization(LayerCall& call) {
  const Value& src = call.input();
  check_axis(call, src);
  return call.append(Normalize{NormalizeKind::kL2, 1e-12f}, {src}, src.shape,
                     {param(Role::kGamma, call.weights.take({"gamma"}, {src.channels()}))});
}

Value layer_scale(LayerCall& call) {
  const int channels = call.input().channels();
  return scaled(call, call.weights.take({"gamma"}, {channels}), constant(channels, 0));
}

// weight * x + bias
Value channel_affine(LayerCall& call) {
  const Value& src = call.input();
  check_axis(call, src);
  const int channels = src.channels();
  Array gamma = call.weights.take({"weight"}, {channels});
  const bool bias = call.flag({"use_bias"}, true);
  return scaled(call, std::move(gamma), bias ? call.weights.take({"bias"}, {channels}) : constant(channels, 0));
}

// x + bias
Value bias_layer(LayerCall& call) {
  const Value& src = call.input();
  check_axis(call, src);
  const int channels = src.channels();
  return scaled(call, constant(channels, 1), call.weights.take({"bias"}, {channels}));
}

// gain * x + bias, each one number
Value gain(LayerCall& call) { return scaled_by_one(call, "gain", call.flag({"use_bias"}, false)); }

// scale * x + bias, each one number
Value learnable_affine(LayerCall& call) { return scaled_by_one(call, "scale", true); }

// Of tensorflow_addons: a group for each channel, as its settings say, too.
Value instance_normalization(LayerCall& call) {
  const int groups = call.integer({"groups"}, 0);
  if (groups != -1 && groups != call.input().channels()) {
    unsupported("its settings name no groups, as those of tensorflow_addons do; other packages divide otherwise");
  }
  return group_normalization(call);
}

}  // namespace layers

namespace functions {

std::vector<Value> l2_normalize(LayerCall& call) {
  const Value& src = call.input();
  const Json* axis = call.argument(1, {"axis"});
  if (axis == nullptr || call.axes(*axis, src.rank()) != std::vector<int>{src.rank()}) {
    unsupported("its axis is {}, expected the last", axis != nullptr ? axis->dump() : "none");
  }
  const Json* epsilon = call.argument(2, {"epsilon"});
  const double least = epsilon != nullptr && epsilon->is_number() ? epsilon->get<double>() : 1e-12;
  return {call.append(Normalize{NormalizeKind::kL2, static_cast<float>(least)}, {src}, src.shape)};
}

// Of Keras 3: x / max(|x|, epsilon)
std::vector<Value> normalize(LayerCall& call) {
  const Value& src = call.input();
  if (call.integer({"order"}, 2) != 2) unsupported("its order is not 2");
  const Json* axis = call.argument(1, {"axis"});
  if (axis != nullptr && call.axes(*axis, src.rank()) != std::vector<int>{src.rank()}) {
    unsupported("its axis is {}, expected the last", axis->dump());
  }
  const double epsilon = call.number({"epsilon"}, 1e-12);
  return {call.append(Normalize{NormalizeKind::kL2, static_cast<float>(epsilon * epsilon)}, {src}, src.shape)};
}

}  // namespace functions
}  // namespace gpueval::keras
