// SPDX-License-Identifier: Apache-2.0
// Means, sums and extremes over extents.
#include <algorithm>

#include "keras/arithmetic.h"
#include "keras/layer_call.h"

namespace gpueval::keras {
namespace {

Value reduced(LayerCall& call, ReduceKind kind, const std::vector<int>& axes, bool keep) {
  const Value& src = call.input();
  std::vector<int> full, kept;
  for (int axis = 1; axis <= src.rank(); ++axis) {
    const bool gone = std::find(axes.begin(), axes.end(), axis) != axes.end();
    const int extent = gone ? 1 : src.shape[static_cast<std::size_t>(axis - 1)];
    full.push_back(extent);
    if (!gone || keep) kept.push_back(extent);
  }
  if (kept.empty()) unsupported("it leaves one number");
  const bool map = src.rank() == 3 && full == std::vector<int>{1, 1, src.channels()};
  Value result;
  if (map && kind == ReduceKind::kMean) {
    result = call.append(GlobalAvgPool{}, {src}, full);
  } else if (map && kind == ReduceKind::kMaximum) {
    const Window window{.kernel_h = src.shape[0], .kernel_w = src.shape[1], .pad = {}};
    result = call.append(MaxPool{window}, {src}, full);
  } else {
    Reduce op{kind};
    for (const int axis : axes) {
      const int place = physical_axis(axis, src.rank());
      (place == 0 ? op.h : place == 1 ? op.w : op.c) = true;
    }
    result = call.append(op, {src}, full);
  }
  return call.reshaped(result, kept);
}

}  // namespace

namespace functions {

namespace {

// A list of tensors, which a function stacks in front of the batch: over that axis it is what a merge layer does.
Value over_list(LayerCall& call, ReduceKind kind) {
  const Json* axis = call.argument(1, {"axis"});
  const bool stacked = axis != nullptr && (*axis == 0 || *axis == Json::array({0}));
  if (!stacked || call.flag_argument(2, {"keepdims", "keep_dims"})) {
    unsupported("it is called with {} tensors, expected one, or axis 0", call.inputs.size());
  }
  const bool sum = kind == ReduceKind::kSum || kind == ReduceKind::kMean;
  const BinaryKind binary = sum                            ? BinaryKind::kAdd
                            : kind == ReduceKind::kMaximum ? BinaryKind::kMaximum
                                                           : BinaryKind::kMinimum;
  for (const Value& input : call.inputs) {
    if (input.shape != call.inputs.front().shape) unsupported("its tensors are of different shapes");
  }
  if (kind != ReduceKind::kMean) return folded(call, binary, call.inputs);
  const Value total = folded(call, binary, call.inputs, fmt::format("/{}", call.inputs.size() - 1));
  return call.affine(total, {1.0 / static_cast<double>(call.inputs.size())}, {0});
}

std::vector<Value> reduce(LayerCall& call, ReduceKind kind) {
  if (call.inputs.size() > 1) return {over_list(call, kind)};
  const Json* axis = call.argument(1, {"axis"});
  std::vector<int> axes;
  if (axis != nullptr) {
    axes = call.axes(*axis, call.input().rank());
  } else {
    unsupported("it is over the batch, too");
  }
  return {reduced(call, kind, axes, call.flag_argument(2, {"keepdims", "keep_dims"}))};
}

}  // namespace

std::vector<Value> mean(LayerCall& call) { return reduce(call, ReduceKind::kMean); }

std::vector<Value> largest(LayerCall& call) { return reduce(call, ReduceKind::kMaximum); }

std::vector<Value> smallest(LayerCall& call) { return reduce(call, ReduceKind::kMinimum); }

std::vector<Value> sum(LayerCall& call) { return reduce(call, ReduceKind::kSum); }

}  // namespace functions
}  // namespace gpueval::keras
