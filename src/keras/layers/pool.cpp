// SPDX-License-Identifier: Apache-2.0
#include "keras/layer_call.h"

namespace gpueval::keras {
namespace layers {
namespace {

Window pool_window(const LayerCall& call, const Value& src) {
  const auto [kernel_h, kernel_w] = call.pair({"pool_size"}, {2, 2});
  const auto [stride_h, stride_w] = call.pair({"strides"}, {kernel_h, kernel_w});
  const std::string padding = call.text({"padding", "border_mode"}, "valid");
  if (kernel_h < 1 || kernel_w < 1 || stride_h < 1 || stride_w < 1) unsupported("its window or strides are below 1");
  Window window{.kernel_h = kernel_h, .kernel_w = kernel_w, .stride_h = stride_h, .stride_w = stride_w, .pad = {}};
  if (padding == "valid") return window;
  if (padding != "same") unsupported("its padding is '{}', expected 'same' or 'valid'", padding);
  const SamePadding rows = same_padding(src.shape[0], kernel_h, stride_h);
  const SamePadding columns = same_padding(src.shape[1], kernel_w, stride_w);
  window.pad = {rows.before, rows.after, columns.before, columns.after};
  return window;
}

std::vector<int> pooled(const Value& src, const Window& window) {
  return {window.out_h(src.shape[0]), window.out_w(src.shape[1]), src.channels()};
}

std::vector<int> globally_pooled(const LayerCall& call, const Value& src) {
  if (call.flag({"keepdims"}, false)) return {1, 1, src.channels()};
  return {src.channels()};
}

Window one_column(Window window) {
  window.kernel_w = window.stride_w = 1;
  window.pad.left = window.pad.right = 0;
  return window;
}

std::vector<int> globally_pooled_1d(const LayerCall& call, const Value& src) {
  if (call.flag({"keepdims"}, false)) return {1, src.channels()};
  return {src.channels()};
}

}  // namespace

// What is padded with -infinity changes no maximum, as little as padding of the pool's own, as long as no window is all
// padding.
Value max_pooling(LayerCall& call) {
  const Value& src = call.picture();
  Window window = pool_window(call, src);
  const std::vector<int> shape = pooled(src, window);
  const auto widen = [](int& pad, int beyond, int kernel) {
    pad += beyond;
    if (beyond > 0 && pad >= kernel) unsupported("a whole window lies in the padding in front of it");
  };
  widen(window.pad.top, src.beyond.top, window.kernel_h);
  widen(window.pad.bottom, src.beyond.bottom, window.kernel_h);
  widen(window.pad.left, src.beyond.left, window.kernel_w);
  widen(window.pad.right, src.beyond.right, window.kernel_w);
  return call.append(MaxPool{window}, {src}, shape);
}

Value average_pooling(LayerCall& call) {
  const Value& src = call.picture();
  const Window window = pool_window(call, src);
  return call.append(AvgPool{window}, {src}, pooled(src, window));
}

Value global_max_pooling(LayerCall& call) {
  const Value& src = call.picture();
  return call.append(MaxPool{{.kernel_h = src.shape[0], .kernel_w = src.shape[1], .pad = {}}}, {src},
                     globally_pooled(call, src));
}

Value global_average_pooling(LayerCall& call) {
  const Value& src = call.picture();
  return call.append(GlobalAvgPool{}, {src}, globally_pooled(call, src));
}

// (a, b) is held as (a, 1, b): windows of one column.
Value max_pooling_1d(LayerCall& call) {
  const Value& src = call.sequence();
  const Window window = one_column(pool_window(call, src));
  return call.append(MaxPool{window}, {src}, {window.out_h(src.shape[0]), src.channels()});
}

Value average_pooling_1d(LayerCall& call) {
  const Value& src = call.sequence();
  const Window window = one_column(pool_window(call, src));
  return call.append(AvgPool{window}, {src}, {window.out_h(src.shape[0]), src.channels()});
}

Value global_average_pooling_1d(LayerCall& call) {
  const Value& src = call.sequence();
  return call.append(GlobalAvgPool{}, {src}, globally_pooled_1d(call, src));
}

Value global_max_pooling_1d(LayerCall& call) {
  const Value& src = call.sequence();
  return call.append(MaxPool{{.kernel_h = src.shape[0], .kernel_w = 1, .pad = {}}}, {src},
                     globally_pooled_1d(call, src));
}

}  // namespace layers

namespace functions {

// Of Keras 3, whose settings are the layer's.
std::vector<Value> max_pool(LayerCall& call) {
  if (call.setting({"pool_size"}) == nullptr) unsupported("its window is not among its settings");
  return {layers::max_pooling(call)};
}

std::vector<Value> average_pool(LayerCall& call) {
  if (call.setting({"pool_size"}) == nullptr) unsupported("its window is not among its settings");
  return {layers::average_pooling(call)};
}

}  // namespace functions
}  // namespace gpueval::keras
