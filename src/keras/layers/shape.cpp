// SPDX-License-Identifier: Apache-2.0
// Layers and functions that arrange elements anew.
#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include "keras/layer_call.h"

namespace gpueval::keras {
namespace {

// -1: what is left of the elements.
std::vector<int> resolved(std::vector<int> shape, const Value& src) {
  std::int64_t known = 1;
  int* open = nullptr;
  for (int& extent : shape) {
    if (extent == -1 && open == nullptr) {
      open = &extent;
      continue;
    }
    if (extent < 1) unsupported("it reshapes to extents of {}", extent);
    if (known > count_of(src.shape) / extent) unsupported("it reshapes {} elements to more", count_of(src.shape));
    known *= extent;
  }
  if (open != nullptr) *open = static_cast<int>(count_of(src.shape) / known);
  if (count_of(shape) != count_of(src.shape)) {
    unsupported("it reshapes {} elements to {}", count_of(src.shape), count_of(shape));
  }
  return shape;
}

Value flattened(LayerCall& call, const Value& src) {
  return call.reshaped(src, {static_cast<int>(count_of(src.shape))});
}

Value joined(LayerCall& call, const std::vector<Value>& values, int axis, const std::string& suffix = "") {
  if (values.empty()) unsupported("it joins nothing");
  if (values.size() == 1) return values.front();
  std::vector<int> shape = values.front().shape;
  int& extent = shape[static_cast<std::size_t>(axis - 1)];
  extent = 0;
  for (const Value& value : values) {
    std::vector<int> rest = value.shape;
    if (rest.size() != shape.size()) unsupported("it joins tensors of {} and {} dimensions", rest.size(), shape.size());
    extent += rest[static_cast<std::size_t>(axis - 1)];
  }
  for (const Value& value : values) {
    for (std::size_t i = 0; i < shape.size(); ++i) {
      if (static_cast<int>(i) != axis - 1 && value.shape[i] != shape[i]) {
        unsupported("it joins extents of {} and {}", value.shape[i], shape[i]);
      }
    }
  }
  constexpr std::array<Axis, 3> kAxes{Axis::kH, Axis::kW, Axis::kC};
  const int place = physical_axis(axis, values.front().rank());
  return call.append(Concat{kAxes[static_cast<std::size_t>(place)]}, values, shape, {}, suffix);
}

}  // namespace

namespace layers {

Value flatten_layer(LayerCall& call) { return flattened(call, call.input()); }

Value reshape_layer(LayerCall& call) {
  const Json* target = call.setting({"target_shape", "dims"});
  if (target == nullptr) unsupported("it does not say to which shape");
  return call.reshaped(call.input(), resolved(target->get<std::vector<int>>(), call.input()));
}

Value permute_layer(LayerCall& call) {
  const Json* dims = call.setting({"dims"});
  if (dims == nullptr || std::ssize(*dims) != call.input().rank()) unsupported("its dims do not fit");
  return call.permuted(call.input(), call.axes(*dims, call.input().rank()));
}

Value concatenate_layer(LayerCall& call) {
  const Json* axis = call.setting({"axis", "concat_axis"});
  const int rank = call.inputs.empty() ? 1 : call.inputs.front().rank();
  return joined(call, call.inputs, axis != nullptr ? call.axes(*axis, rank).front() : rank);
}

Value zero_padding(LayerCall& call) {
  const Value& src = call.picture();
  const Padding pad = call.borders({"padding"}, 1);
  if (std::min({pad.top, pad.bottom, pad.left, pad.right}) < 0) unsupported("its padding is negative");
  return call.append(ZeroPad{pad}, {src},
                     {src.shape[0] + pad.top + pad.bottom, src.shape[1] + pad.left + pad.right, src.channels()});
}

}  // namespace layers

namespace functions {

std::vector<Value> same(LayerCall& call) { return {call.input()}; }

std::vector<Value> shape(LayerCall& call) {
  std::vector<int> numbers{-1};
  numbers.insert(numbers.end(), call.input().shape.begin(), call.input().shape.end());
  return {{.node = call.input().node,
           .shape = {static_cast<int>(numbers.size())},
           .beyond = {},
           .numbers = std::move(numbers)}};
}

std::vector<Value> concatenate(LayerCall& call) {
  const Json* axis = call.argument(1, {"axis"});
  const int rank = call.inputs.front().rank();
  return {joined(call, call.inputs, axis != nullptr ? call.axes(*axis, rank).front() : rank)};
}

std::vector<Value> stack(LayerCall& call) {
  const Json* axis_json = call.argument(1, {"axis"});
  const int rank = call.inputs.front().rank() + 1;
  const int axis = call.axes(axis_json != nullptr ? *axis_json : Json(0), rank).front();
  std::vector<Value> values;
  for (const Value& value : call.inputs) {
    std::vector<int> shape = value.shape;
    shape.insert(shape.begin() + axis - 1, 1);
    values.push_back(call.reshaped(value, shape));
  }
  return {joined(call, values, axis)};
}

std::vector<Value> transpose(LayerCall& call) {
  const Value& src = call.input();
  const Json* axes = call.argument(1, {"axes", "perm"});
  if (axes == nullptr || !axes->is_array() || std::ssize(*axes) != src.rank() + 1 || (*axes)[0] != 0) {
    unsupported("it moves the batch");
  }
  Json inner = Json::array();
  for (std::size_t i = 1; i < axes->size(); ++i) inner.push_back((*axes)[i]);
  return {call.permuted(src, call.axes(inner, src.rank()))};
}

std::vector<Value> swapaxes(LayerCall& call) {
  const Value& src = call.input();
  const Json *first = call.argument(1, {"axis1"}), *second = call.argument(2, {"axis2"});
  if (first == nullptr || second == nullptr) unsupported("it does not say which axes");
  return {call.swapped(src, call.axes(*first, src.rank()).front(), call.axes(*second, src.rank()).front())};
}

std::vector<Value> reshape(LayerCall& call) {
  const std::optional<std::vector<int>> target = call.whole_numbers(1, {"newshape", "shape"});
  if (!target) unsupported("its shape is computed");
  std::vector<int> shape(target->begin() + 1, target->end());
  const bool rest_open = std::count(shape.begin(), shape.end(), -1) > 0;
  if (target->front() != -1 && rest_open) unsupported("it fixes the batch");
  const std::int64_t elements = count_of(call.inputs.front().shape);
  std::int64_t each = 1;
  for (const int extent : shape) each = extent < 1 || each > elements / extent ? elements : each * extent;
  if (target->front() == -1 && each < elements) {
    unsupported("it makes several of the {} elements of each picture, of {} each", elements, each);
  }
  return {call.reshaped(call.inputs.front(), resolved(std::move(shape), call.inputs.front()))};
}

std::vector<Value> expand_dims(LayerCall& call) {
  const Value& src = call.input();
  const Json* axis = call.argument(1, {"axis"});
  std::vector<int> shape = src.shape;
  if (axis == nullptr) unsupported("it does not say where");
  shape.insert(shape.begin() + call.axes(*axis, src.rank() + 1).front() - 1, 1);
  return {call.reshaped(src, shape)};
}

std::vector<Value> squeeze(LayerCall& call) {
  const Value& src = call.input();
  const Json* axis = call.argument(1, {"axis"});
  const std::vector<int> gone = axis != nullptr && !axis->empty() ? call.axes(*axis, src.rank()) : std::vector<int>{};
  std::vector<int> shape;
  for (int i = 1; i <= src.rank(); ++i) {
    const int extent = src.shape[static_cast<std::size_t>(i - 1)];
    const bool named = std::find(gone.begin(), gone.end(), i) != gone.end();
    if (named && extent != 1) unsupported("it drops an extent of {}", extent);
    if (!(named || (axis == nullptr && extent == 1))) shape.push_back(extent);
  }
  if (shape.empty()) unsupported("it leaves one number");
  return {call.reshaped(src, shape)};
}

std::vector<Value> pad(LayerCall& call) {
  const Value& src = call.picture();
  const Json* widths = call.argument(1, {"pad_width", "paddings"});
  const Json* mode = call.argument(2, {"mode"});
  if (mode != nullptr && *mode != "constant" && *mode != "CONSTANT") unsupported("its mode is {}", mode->dump());
  const Json* value_json = call.argument(3, {"constant_values"});
  const double value = value_json != nullptr && value_json->is_number() ? value_json->get<double>() : 0;
  const bool lowest = value <= double{std::numeric_limits<float>::lowest()};
  if (value != 0 && !lowest) unsupported("it pads with {}", value);
  if (widths == nullptr || widths->size() != 4) unsupported("it does not say how much for each dimension");
  const auto width = [&](std::size_t axis, std::size_t side) {
    constexpr std::int64_t kMost = 1 << 20;
    const auto given = widths->at(axis).at(side).get<std::int64_t>();
    if (given < 0 || given > kMost) unsupported("it pads by {}", given);
    return static_cast<int>(given);
  };
  for (const std::size_t axis : {std::size_t{0}, std::size_t{3}}) {
    if (width(axis, 0) != 0 || width(axis, 1) != 0) unsupported("it pads the batch or the channels");
  }
  const Padding borders{width(1, 0), width(1, 1), width(2, 0), width(2, 1)};
  const std::vector<int> shape{src.shape[0] + borders.top + borders.bottom, src.shape[1] + borders.left + borders.right,
                               src.channels()};
  if (lowest) return {{.node = src.node, .shape = shape, .beyond = borders, .numbers = std::nullopt}};
  return {call.append(ZeroPad{borders}, {src}, shape)};
}

}  // namespace functions
}  // namespace gpueval::keras
