// SPDX-License-Identifier: Apache-2.0
// Convolutions and dense layers.
#include <algorithm>

#include "graph/conv_transpose.h"
#include "graph/dilation.h"
#include "keras/layer_call.h"

namespace gpueval::keras::layers {
namespace {

struct ConvSettings {
  std::array<int, 2> kernel, stride, dilation;
  bool same;  // padding
};

// Keras 1: nb_row, nb_col, subsample, border_mode, atrous_rate.
ConvSettings conv_settings(const LayerCall& call) {
  std::array<int, 2> kernel{call.integer({"nb_row"}, 1), call.integer({"nb_col"}, 1)};
  ConvSettings settings{.kernel = call.pair({"kernel_size"}, kernel),
                        .stride = call.pair({"strides", "subsample"}, {1, 1}),
                        .dilation = call.pair({"dilation_rate", "atrous_rate"}, {1, 1}),
                        .same = false};
  const std::string padding = call.text({"padding", "border_mode"}, "valid");
  settings.same = padding == "same";
  if (padding != "same" && padding != "valid") unsupported("its padding is '{}', expected 'same' or 'valid'", padding);
  for (const auto& numbers : {settings.kernel, settings.stride, settings.dilation}) {
    if (std::min(numbers[0], numbers[1]) < 1) unsupported("its kernel, strides or dilation are below 1");
  }
  return settings;
}

int reach(int kernel, int dilation) { return (kernel - 1) * dilation + 1; }

// Of a kernel that reaches over so many pixels.
Padding padding_of(const ConvSettings& settings, const Shape& src) {
  if (!settings.same) return {};
  const SamePadding rows = same_padding(src.h, reach(settings.kernel[0], settings.dilation[0]), settings.stride[0]);
  const SamePadding columns = same_padding(src.w, reach(settings.kernel[1], settings.dilation[1]), settings.stride[1]);
  return {rows.before, rows.after, columns.before, columns.after};
}

bool has_bias(const LayerCall& call) { return call.flag({"use_bias", "bias"}, true); }

Array take_bias(LayerCall& call, int filters) { return call.weights.take({"bias", "b"}, {filters}); }

std::shared_ptr<const std::vector<float>> shared(std::vector<float> values) {
  return std::make_shared<const std::vector<float>>(std::move(values));
}

struct Kernel {
  Array array;
  bool depthwise = false;  // (kh, kw, c, 1)
  int groups = 1;
};

// A convolution, dilated or not, without bias and activation where `bias` is null.
Value convolve(LayerCall& call, const Value& src, const ConvSettings& settings, Kernel kernel, const Array* bias,
               const std::string& suffix) {
  const Shape in = physical(src.shape);
  Window window{.kernel_h = settings.kernel[0],
                .kernel_w = settings.kernel[1],
                .stride_h = settings.stride[0],
                .stride_w = settings.stride[1],
                .pad = padding_of(settings, in)};
  const int filters = kernel.depthwise ? in.c : static_cast<int>(kernel.array.shape.back());
  std::vector<Param> params{param(kernel.depthwise ? Role::kDepthwiseKernel : Role::kKernel, std::move(kernel.array))};
  if (bias != nullptr) params.push_back(param(Role::kBias, *bias));
  const auto node = [&](const Window& w) -> Op {
    return kernel.depthwise ? Op(DepthwiseConv2D{w}) : Op(Conv2D{.window = w, .groups = kernel.groups});
  };
  const auto [dilation_h, dilation_w] = settings.dilation;
  if (dilation_h == 1 && dilation_w == 1) {
    return call.append(node(window), {src}, {window.out_h(in.h), window.out_w(in.w), filters}, std::move(params),
                       suffix);
  }
  if (window.stride_h != 1 || window.stride_w != 1) unsupported("it has strides and a dilation rate");
  const Dilation dilated = dilation(in.h, in.w, window, dilation_h, dilation_w);
  const int batch = call.parts.append(call.name + suffix + "/space_to_batch", dilated.before, {src.node});
  const int conv = call.parts.append(call.name + suffix + "/dilated", node(dilated.window), {batch}, std::move(params));
  return call.append(dilated.after, {{conv, {}}}, {dilated.after.h, dilated.after.w, filters}, {}, suffix);
}

// (kh, kw, c, m): result c * m + j is of channel c alone. As a convolution of all channels, zero for the others.
Array spread_depthwise(const Array& kernel) {
  const std::int64_t taps = kernel.shape[0] * kernel.shape[1], channels = kernel.shape[2], each = kernel.shape[3];
  Array dense{{kernel.shape[0], kernel.shape[1], channels, channels * each}, nullptr};
  constexpr std::int64_t kMost = std::int64_t{1} << 26;
  if (dense.elements() > kMost) unsupported("its depth multiplier is {} for {} channels", each, channels);
  if (kernel.data == nullptr) return dense;
  std::vector<float> values(static_cast<std::size_t>(dense.elements()), 0.0f);
  for (std::int64_t i = 0; i < kernel.elements(); ++i) {
    const std::int64_t tap = i / (channels * each), result = i % (channels * each), channel = result / each;
    values[static_cast<std::size_t>((tap * channels + channel) * channels * each + result)] =
        (*kernel.data)[static_cast<std::size_t>(i)];
  }
  GPUEVAL_CHECK(kernel.elements() == taps * channels * each, "{} elements", kernel.elements());
  dense.data = shared(std::move(values));
  return dense;
}

Value depthwise(LayerCall& call, const Value& src, const ConvSettings& settings, const Array& kernel, const Array* bias,
                const std::string& suffix) {
  if (kernel.shape.back() == 1) return convolve(call, src, settings, {kernel, true}, bias, suffix);
  return convolve(call, src, settings, {spread_depthwise(kernel)}, bias, suffix);
}

int group_count(const LayerCall& call, int channels, int filters) {
  const int groups = call.integer({"groups"}, 1);
  if (groups < 1 || channels % groups != 0 || filters % groups != 0) {
    unsupported("{} groups of {} channels and {} filters", groups, channels, filters);
  }
  return groups;
}

}  // namespace

Value conv2d(LayerCall& call) {
  const Value& src = call.picture();
  const ConvSettings settings = conv_settings(call);
  const int filters = call.integer({"filters", "nb_filter"}, 0), channels = src.channels();
  const int groups = group_count(call, channels, filters);
  const Array kernel =
      call.weights.take({"kernel", "W"}, {settings.kernel[0], settings.kernel[1], channels / groups, filters});
  std::optional<Array> bias;
  if (has_bias(call)) bias = take_bias(call, filters);
  const Array* own_bias = bias ? &*bias : nullptr;
  if (groups == channels && filters == channels) {
    const Array rows{{settings.kernel[0], settings.kernel[1], channels, 1}, kernel.data};
    return call.activated(convolve(call, src, settings, {rows, true}, own_bias, ""));
  }
  return call.activated(convolve(call, src, settings, {.array = kernel, .groups = groups}, own_bias, ""));
}

// (a, b) is held as (a, 1, b): a kernel of one column.
Value conv1d(LayerCall& call) {
  const Value& src = call.sequence();
  ConvSettings settings = conv_settings(call);
  settings.kernel[1] = settings.stride[1] = settings.dilation[1] = 1;
  const int filters = call.integer({"filters", "nb_filter"}, 0), channels = src.channels();
  const int groups = group_count(call, channels, filters), length = settings.kernel[0];
  const Array taken = call.weights.take({"kernel"}, {length, channels / groups, filters});
  const Array kernel{{length, 1, channels / groups, filters}, taken.data};
  std::optional<Array> bias;
  if (has_bias(call)) bias = take_bias(call, filters);
  Value result = convolve(call, src, settings, {.array = kernel, .groups = groups}, bias ? &*bias : nullptr, "");
  result.shape = {result.shape[0], filters};
  return call.activated(result);
}

Value depthwise_conv2d(LayerCall& call) {
  const Value& src = call.picture();
  const ConvSettings settings = conv_settings(call);
  const int channels = src.channels(), each = call.integer({"depth_multiplier"}, 1);
  const Array kernel =
      call.weights.take({"depthwise_kernel", "kernel"}, {settings.kernel[0], settings.kernel[1], channels, each});
  std::optional<Array> bias;
  if (has_bias(call)) bias = take_bias(call, channels * each);
  return call.activated(depthwise(call, src, settings, kernel, bias ? &*bias : nullptr, ""));
}

Value separable_conv2d(LayerCall& call) {
  const Value& src = call.picture();
  const ConvSettings settings = conv_settings(call);
  const int channels = src.channels(), each = call.integer({"depth_multiplier"}, 1);
  const int filters = call.integer({"filters", "nb_filter"}, 0);
  const Array first = call.weights.take({"depthwise_kernel"}, {settings.kernel[0], settings.kernel[1], channels, each});
  const Array second = call.weights.take({"pointwise_kernel"}, {1, 1, std::int64_t{channels} * each, filters});
  std::optional<Array> bias;
  if (has_bias(call)) bias = take_bias(call, filters);
  const Value middle = depthwise(call, src, settings, first, nullptr, "/depthwise");
  const ConvSettings pointwise{.kernel = {1, 1}, .stride = {1, 1}, .dilation = {1, 1}, .same = false};
  return call.activated(convolve(call, middle, pointwise, {second}, bias ? &*bias : nullptr, "/pointwise"));
}

Value conv2d_transpose(LayerCall& call) {
  const Value& src = call.picture();
  const ConvSettings settings = conv_settings(call);
  const int filters = call.integer({"filters", "nb_filter"}, 0), channels = src.channels();
  if (settings.dilation != std::array<int, 2>{1, 1}) unsupported("it has a dilation rate");
  if (call.integer({"groups"}, 1) != 1) unsupported("it has groups");
  TransposedWindow window{.kernel_h = settings.kernel[0],
                          .kernel_w = settings.kernel[1],
                          .stride_h = settings.stride[0],
                          .stride_w = settings.stride[1],
                          .pad = settings.same ? Pad::kSame : Pad::kValid};
  if (call.setting({"output_padding"}) != nullptr) {
    const auto [rows, columns] = call.pair({"output_padding"}, {0, 0});
    window.output_padding_h = rows;
    window.output_padding_w = columns;
  }
  const ConvTranspose conv = conv_transpose(src.shape[0], src.shape[1], window);
  const int phases = conv.block_channels * filters;
  const Array kernel = call.weights.take({"kernel", "W"}, {window.kernel_h, window.kernel_w, filters, channels});
  Array expanded{{conv.window.kernel_h, conv.window.kernel_w, channels, phases}, nullptr};
  if (kernel.data != nullptr) expanded.data = shared(transposed_kernel(*kernel.data, window, channels, filters));
  std::vector<Param> params{param(Role::kKernel, std::move(expanded))};
  if (has_bias(call)) {
    const Array bias = take_bias(call, filters);
    Array each{{phases}, nullptr};
    if (bias.data != nullptr) each.data = shared(for_each_block_pixel(*bias.data, conv.block_channels));
    params.push_back(param(Role::kBias, std::move(each)));
  }
  const int node = call.parts.append(call.name + "/phases", Conv2D{conv.window}, {src.node}, std::move(params));
  return call.activated(call.append(conv.after, {{node, {}}}, {conv.h, conv.w, filters}));
}

// Of more than one dimension it looks at the last alone.
Value dense(LayerCall& call) {
  const Value& src = call.input();
  const int units = call.integer({"units", "output_dim"}, 0);
  const Array kernel = call.weights.take({"kernel", "W"}, {src.channels(), units});
  const Array bias = has_bias(call) ? take_bias(call, units)
                                    : Array{{units}, shared(std::vector<float>(static_cast<std::size_t>(units), 0.0f))};
  std::vector<int> shape = src.shape;
  shape.back() = units;
  if (src.rank() == 1) {
    // A dense layer reads a map in its own order, so a flatten in front of it is none.
    Value flat = src;
    const Node& node = call.parts.graph.node(src.node);
    if (std::holds_alternative<Reshape>(node.op)) flat.node = node.inputs[0];
    return call.activated(
        call.append(Dense{}, {flat}, shape, {param(Role::kKernel, kernel), param(Role::kBias, bias)}));
  }
  const Array pointwise{{1, 1, src.channels(), units}, kernel.data};
  return call.activated(
      call.append(Conv2D{}, {src}, shape, {param(Role::kKernel, pointwise), param(Role::kBias, bias)}));
}

}  // namespace gpueval::keras::layers
