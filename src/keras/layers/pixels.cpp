// SPDX-License-Identifier: Apache-2.0
// What networks do to their pixels first; layers that do nothing at inference.
#include <algorithm>
#include <cmath>

#include "keras/arithmetic.h"

namespace gpueval::keras::layers {
namespace {

std::vector<double> numbers_of(const LayerCall& call, const char* key, double otherwise, const Value& src) {
  const Json* setting = call.setting({key});
  if (setting == nullptr) return {otherwise};
  const auto numbers = constant_for(*setting, src);
  if (!numbers) unsupported("its {} is no number", key);
  return *numbers;
}

std::vector<double> doubles(const Array& array) { return {array.data->begin(), array.data->end()}; }

}  // namespace

Value input_layer(LayerCall& call) { return call.input(); }

Value identity(LayerCall& call) {
  if (call.call.training && call.layer.kind.find("Dropout") != std::string::npos) {
    call.parts.notes.push_back(
        fmt::format("Layer '{}' ({}) is called as in training; it is taken as at inference, where it does nothing.",
                    call.name, call.layer.kind));
  }
  return call.input();
}

Value random_size(LayerCall&) { unsupported("it changes the size of the picture at random"); }

Value rescaling(LayerCall& call) {
  const Value& src = call.input();
  return call.affine(src, numbers_of(call, "scale", 1, src), numbers_of(call, "offset", 0, src));
}

// (x - mean) / max(sqrt(variance), 1e-7); inverted: x * that + mean. Both are settings, or weights of a layer that was
// adapted.
Value normalization(LayerCall& call) {
  const Value& src = call.input();
  if (const Json* axis = call.setting({"axis"}); axis != nullptr && !(axis->is_array() && axis->empty())) {
    if (call.axes(*axis, src.rank()) != std::vector<int>{src.rank()}) {
      unsupported("its axis is {}, expected the last", axis->dump());
    }
  }
  std::vector<double> mean = numbers_of(call, "mean", 0, src), variance = numbers_of(call, "variance", 1, src);
  if (call.setting({"mean"}) == nullptr) {
    const bool one = call.setting({"axis"}) == nullptr || call.setting({"axis"})->empty();
    const std::vector<std::int64_t> shape =
        one ? std::vector<std::int64_t>{} : std::vector<std::int64_t>{src.channels()};
    const Array first = call.weights.take({"mean"}, shape), second = call.weights.take({"variance"}, shape);
    call.weights.take_if_there({"count"});
    if (call.parts.keras3 && !call.parts.archive) {
      call.parts.notes.push_back(
          fmt::format("Layer '{}' was adapted, but Keras 3 leaves its mean and variance aside when it reads an .h5 "
                      "file, and so does "
                      "this; save the network as .keras.",
                      call.name));
      return src;
    }
    if (first.data != nullptr) mean = doubles(first), variance = doubles(second);
  }
  const std::size_t count = std::max(mean.size(), variance.size());
  const auto at = [](const std::vector<double>& values, std::size_t i) { return values[values.size() == 1 ? 0 : i]; };
  const bool inverted = call.flag({"invert"}, false);
  std::vector<double> gamma, beta;
  for (std::size_t i = 0; i < count; ++i) {
    constexpr double kLeast = 1e-7;
    const double deviation = std::max(std::sqrt(at(variance, i)), kLeast);
    gamma.push_back(inverted ? deviation : 1 / deviation);
    beta.push_back(inverted ? at(mean, i) : -at(mean, i) / deviation);
  }
  return call.affine(src, gamma, beta);
}

}  // namespace gpueval::keras::layers
