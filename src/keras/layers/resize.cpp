// SPDX-License-Identifier: Apache-2.0
// Maps of another height and width.
#include <cstdio>

#include "keras/layer_call.h"

namespace gpueval::keras {
namespace {

Value resized(LayerCall& call, const Value& src, int h, int w, const std::string& how, Grid grid) {
  constexpr int kMost = 1 << 16;
  if (h < 1 || w < 1 || h > kMost || w > kMost) unsupported("it resizes to {} x {}", h, w);
  if (h == src.shape[0] && w == src.shape[1]) return src;
  std::vector<int> shape{h, w, src.channels()};
  const bool constant = src.shape[0] == 1 && src.shape[1] == 1;  // every interpolation repeats the one pixel
  if (constant) grid = Grid::kHalfPixel;
  if (how == "nearest" || constant) return call.append(ResizeNearest{h, w, grid}, {src}, std::move(shape));
  if (how == "bilinear") return call.append(ResizeLinear{h, w, grid}, {src}, std::move(shape));
  unsupported("its interpolation is '{}', expected 'nearest' or 'bilinear'", how);
}

// Keras before TensorFlow 2 ("2.2.4-tf", "2.4.0") took the upper left corners of pixels for the same points. Keras 1
// did not always say its version.
bool before_half_pixels(const std::string& version) {
  int major = 1, minor = 0;
  if (std::sscanf(version.c_str(), "%d.%d", &major, &minor) < 1) return true;
  return major < 2 || (major == 2 && minor <= 3 && !version.ends_with("-tf"));
}

}  // namespace

namespace layers {

Value up_sampling(LayerCall& call) {
  const Value& src = call.picture();
  const auto [rows, columns] = call.pair({"size"}, {2, 2});
  const std::string how = call.text({"interpolation"}, "nearest");
  const bool old = how == "bilinear" && before_half_pixels(call.parts.keras_version);
  if (old) {
    call.parts.notes.push_back(fmt::format(
        "Layer '{}' is upsampled with the corners of pixels on each other, as Keras {} did; later versions take their "
        "centres.",
        call.name, call.parts.keras_version.empty() ? "1" : call.parts.keras_version));
  }
  return resized(call, src, src.shape[0] * rows, src.shape[1] * columns, how,
                 old ? Grid::kAsymmetric : Grid::kHalfPixel);
}

Value resizing(LayerCall& call) {
  if (call.flag({"crop_to_aspect_ratio"}, false) || call.flag({"pad_to_aspect_ratio"}, false)) {
    unsupported("it crops or pads to the aspect ratio");
  }
  if (call.flag({"antialias"}, false)) unsupported("it resizes with antialiasing");
  return resized(call, call.picture(), call.integer({"height"}, 0), call.integer({"width"}, 0),
                 call.text({"interpolation"}, "bilinear"), Grid::kHalfPixel);
}

// (c) is held as (1, 1, c), and becomes (n, 1, c): one pixel, repeated.
Value repeat_vector(LayerCall& call) {
  const Value& src = call.input();
  const int count = call.integer({"n"}, 0);
  if (src.rank() != 1 || count < 1) unsupported("it repeats a tensor of {} dimensions {} times", src.rank(), count);
  const Value map{.node = src.node, .shape = {1, 1, src.channels()}, .beyond = {}, .numbers = std::nullopt};
  Value result = resized(call, map, count, 1, "nearest", Grid::kHalfPixel);
  result.shape = {count, src.channels()};
  return result;
}

}  // namespace layers

namespace functions {

std::vector<Value> resize(LayerCall& call) {
  const std::optional<std::vector<int>> size = call.whole_numbers(1, {"size"});
  const Json* how = call.argument(2, {"interpolation", "method"});
  if (!size || size->size() != 2) unsupported("its size is computed");
  const Value& src = call.inputs.front();
  if (src.rank() != 3) unsupported("its input has {} dimensions beside the batch, expected 3", src.rank());
  for (const char* option : {"antialias", "crop_to_aspect_ratio", "pad_to_aspect_ratio", "preserve_aspect_ratio"}) {
    if (call.flag_argument(9, {option})) unsupported("its setting {} is not supported", option);
  }
  const std::string method = how != nullptr && how->is_string() ? how->get<std::string>() : "bilinear";
  return {resized(call, src, size->front(), size->back(), method, Grid::kHalfPixel)};
}

std::vector<Value> depth_to_space(LayerCall& call) {
  const Value& src = call.picture();
  const Json* block_json = call.argument(1, {"block_size"});
  const int block = block_json != nullptr ? block_json->get<int>() : 0;
  if (block < 1 || src.channels() % (block * block) != 0)
    unsupported("blocks of {} of {} channels", block, src.channels());
  return {call.append(DepthToSpace{block, block, {}}, {src},
                      {src.shape[0] * block, src.shape[1] * block, src.channels() / (block * block)})};
}

}  // namespace functions
}  // namespace gpueval::keras
