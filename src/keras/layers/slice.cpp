// SPDX-License-Identifier: Apache-2.0
// Parts of tensors.
#include <algorithm>
#include <array>
#include <cstdlib>
#include <numeric>

#include "keras/layer_call.h"

namespace gpueval::keras {
namespace {

// Of one axis of Keras's shape.
struct Range {
  int begin = 0, step = 1, size = 0;
};

std::vector<Range> whole_ranges(const Value& src) {
  std::vector<Range> ranges;
  for (const int extent : src.shape) ranges.push_back({0, 1, extent});
  return ranges;
}

Value sliced(LayerCall& call, const Value& src, const std::vector<Range>& ranges, const std::string& suffix = "") {
  std::array<Range, 3> places{Range{0, 1, 1}, Range{0, 1, 1}, Range{0, 1, 1}};
  std::vector<int> shape;
  bool whole = true;
  for (int i = 0; i < src.rank(); ++i) {
    const Range& range = ranges[static_cast<std::size_t>(i)];
    if (range.size < 1) unsupported("it takes nothing of an extent of {}", src.shape[static_cast<std::size_t>(i)]);
    places[static_cast<std::size_t>(physical_axis(i + 1, src.rank()))] = range;
    shape.push_back(range.size);
    whole &= range.begin == 0 && range.step == 1 && range.size == src.shape[static_cast<std::size_t>(i)];
  }
  if (whole) return src;
  const auto& [h, w, c] = places;
  return call.append(Slice{{h.begin, w.begin, c.begin}, {h.step, w.step, c.step}, {h.size, w.size, c.size}}, {src},
                     std::move(shape), {}, suffix);
}

// A Python slice of an extent.
Range range_of(const Json& slice, int extent) {
  constexpr std::int64_t kMost = 1 << 28;
  const auto value = [&](const char* key) -> std::optional<int> {
    const auto found = slice.find(key);
    if (found == slice.end() || found->is_null()) return std::nullopt;
    if (!found->is_number_integer()) unsupported("its slices are computed");
    return static_cast<int>(std::clamp<std::int64_t>(found->get<std::int64_t>(), -kMost, kMost));
  };
  const int step = value("step").value_or(1);
  if (step == 0) unsupported("a slice has the step 0");
  const int least = step > 0 ? 0 : -1, most = step > 0 ? extent : extent - 1;
  const auto bound = [&](std::optional<int> at, int otherwise) {
    if (!at) return otherwise;
    return std::clamp(*at < 0 ? *at + extent : *at, least, most);
  };
  const int begin = bound(value("start"), step > 0 ? 0 : extent - 1);
  const int end = bound(value("stop"), step > 0 ? extent : -1);
  const int distance = step > 0 ? end - begin : begin - end;
  return {begin, step, distance > 0 ? (distance + std::abs(step) - 1) / std::abs(step) : 0};
}

}  // namespace

namespace layers {

Value cropping(LayerCall& call) {
  const Value& src = call.picture();
  const Padding crop = call.borders({"cropping"}, 0);
  return sliced(call, src,
                {{crop.top, 1, src.shape[0] - crop.top - crop.bottom},
                 {crop.left, 1, src.shape[1] - crop.left - crop.right},
                 {0, 1, src.channels()}});
}

Value center_crop(LayerCall& call) {
  const Value& src = call.picture();
  const int h = call.integer({"height"}, 0), w = call.integer({"width"}, 0);
  if (h < 1 || w < 1 || h > src.shape[0] || w > src.shape[1]) {
    unsupported("it cuts {} x {} out of {} x {}", h, w, src.shape[0], src.shape[1]);
  }
  return sliced(call, src, {{(src.shape[0] - h) / 2, 1, h}, {(src.shape[1] - w) / 2, 1, w}, {0, 1, src.channels()}});
}

}  // namespace layers

namespace functions {

namespace {

// tf.shape(x)[1], tf.shape(x)[1:3]
Value part_of_shape(const Value& src, const Json& spec) {
  const std::vector<int>& all = *src.numbers;
  const int count = static_cast<int>(all.size());
  const Json& item = spec.is_array() && spec.size() == 1 ? spec[0] : spec;
  Range range{0, 1, 1};
  if (item.is_number_integer()) {
    const int at = item.get<int>();
    range.begin = at < 0 ? at + count : at;
    if (range.begin < 0 || range.begin >= count) unsupported("element {} of {}", at, count);
  } else if (item.is_object()) {
    range = range_of(item.contains("config") ? item["config"] : item, count);
  } else {
    unsupported("its slices are computed");
  }
  if (range.size < 1) unsupported("it takes nothing of an extent of {}", count);
  std::vector<int> part;
  for (int i = 0; i < range.size; ++i) part.push_back(all[static_cast<std::size_t>(range.begin + i * range.step)]);
  return {.node = src.node, .shape = {range.size}, .beyond = {}, .numbers = std::move(part)};
}

}  // namespace

// The batch stays whole. A number takes one element and drops the axis, a null makes one.
std::vector<Value> get_item(LayerCall& call) {
  const Value& src = call.input();
  const Json* spec = call.argument(1, {"slice_spec", "key"});
  if (spec == nullptr) unsupported("its slices are computed");
  if (src.numbers) return {part_of_shape(src, *spec)};
  Json items = spec->is_array() ? *spec : Json::array({*spec});
  const auto is_ellipsis = [](const Json& item) {
    return item.is_object() && item.value("class_name", "") == "__ellipsis__";
  };
  const auto slice_of = [](const Json& item) -> const Json& { return item.contains("config") ? item["config"] : item; };
  std::size_t taken = 0;
  for (const Json& item : items) taken += is_ellipsis(item) || item.is_null() ? 0 : 1;
  std::vector<Range> ranges;
  std::vector<int> shape;
  std::size_t axis = 0;  // 0: the batch
  const auto whole = [&] {
    if (axis > 0) {
      const int extent = src.shape[axis - 1];
      ranges.push_back({0, 1, extent});
      shape.push_back(extent);
    }
    ++axis;
  };
  const std::size_t all = src.shape.size() + 1;
  if (taken > all) unsupported("it has more slices than the tensor has dimensions");
  for (const Json& item : items) {
    if (is_ellipsis(item)) {
      for (std::size_t i = taken; i < all; ++i) whole();
    } else if (item.is_null()) {
      if (axis == 0) unsupported("it makes a dimension in front of the batch");
      shape.push_back(1);
    } else if (item.is_number_integer()) {
      if (axis == 0) unsupported("it takes one picture of the batch");
      const int extent = src.shape[axis - 1], at = item.get<int>();
      ranges.push_back({at < 0 ? at + extent : at, 1, 1});
      if (ranges.back().begin < 0 || ranges.back().begin >= extent) unsupported("element {} of {}", at, extent);
      ++axis;
    } else if (item.is_object() && axis == 0) {
      const Json& slice = slice_of(item);
      for (const char* key : {"start", "stop", "step"}) {
        const bool none = !slice.contains(key) || slice[key].is_null() ||
                          (slice[key].is_number_integer() && slice[key] == (std::string_view(key) == "step" ? 1 : 0));
        if (!none) unsupported("it takes a part of the batch");
      }
      ++axis;
    } else if (item.is_object()) {
      ranges.push_back(range_of(slice_of(item), src.shape[axis - 1]));
      shape.push_back(ranges.back().size);
      ++axis;
    } else {
      unsupported("its slices are computed");
    }
  }
  while (axis < all) whole();
  if (shape.empty()) unsupported("it leaves one number");
  return {call.reshaped(sliced(call, src, ranges), shape)};
}

std::vector<Value> flip(LayerCall& call) {
  const Value& src = call.input();
  const Json* axes = call.argument(1, {"axis"});
  if (axes == nullptr) unsupported("it turns the batch, too");
  std::vector<Range> ranges = whole_ranges(src);
  for (const int axis : call.axes(*axes, src.rank())) {
    Range& range = ranges[static_cast<std::size_t>(axis - 1)];
    range = {range.size - 1, -1, range.size};
  }
  return {sliced(call, src, ranges)};
}

std::vector<Value> unstack(LayerCall& call) {
  const Value& src = call.input();
  const Json* axis_json = call.argument(2, {"axis"});
  const int axis = call.axes(axis_json != nullptr ? *axis_json : Json(0), src.rank()).front();
  if (src.rank() == 1) unsupported("it makes single numbers");
  std::vector<int> shape = src.shape;
  shape.erase(shape.begin() + axis - 1);
  std::vector<Value> values;
  for (int i = 0; i < src.shape[static_cast<std::size_t>(axis - 1)]; ++i) {
    std::vector<Range> ranges = whole_ranges(src);
    ranges[static_cast<std::size_t>(axis - 1)] = {i, 1, 1};
    values.push_back(call.reshaped(sliced(call, src, ranges, fmt::format("/{}", i + 1)), shape));
  }
  return values;
}

std::vector<Value> split(LayerCall& call) {
  const Value& src = call.input();
  const Json* parts = call.argument(1, {"indices_or_sections", "num_or_size_splits"});
  const Json* axis_json = call.argument(2, {"axis"});
  const int axis = call.axes(axis_json != nullptr ? *axis_json : Json(0), src.rank()).front();
  const int extent = src.shape[static_cast<std::size_t>(axis - 1)];
  if (parts == nullptr) unsupported("it does not say into how many parts");
  std::vector<int> sizes;
  if (parts->is_number_integer()) {
    const int count = parts->get<int>();
    if (count < 1 || extent % count != 0) unsupported("it splits {} into {}", extent, count);
    sizes.assign(static_cast<std::size_t>(count), extent / count);
  } else if (call.layer.kind == "Split") {  // where to cut
    int last = 0;
    for (const int at : parts->get<std::vector<int>>()) sizes.push_back(at - std::exchange(last, at));
    sizes.push_back(extent - last);
  } else {
    sizes = parts->get<std::vector<int>>();
  }
  if (std::count(sizes.begin(), sizes.end(), -1) == 1) {  // what is left
    *std::find(sizes.begin(), sizes.end(), -1) = extent - std::accumulate(sizes.begin(), sizes.end(), 1);
  }
  if (std::accumulate(sizes.begin(), sizes.end(), 0) != extent) unsupported("its parts do not add up to {}", extent);
  std::vector<Value> values;
  int begin = 0;
  for (const int size : sizes) {
    std::vector<Range> ranges = whole_ranges(src);
    ranges[static_cast<std::size_t>(axis - 1)] = {begin, 1, size};
    values.push_back(sliced(call, src, ranges, fmt::format("/{}", values.size() + 1)));
    begin += size;
  }
  return values;
}

}  // namespace functions
}  // namespace gpueval::keras
