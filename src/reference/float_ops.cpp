// SPDX-License-Identifier: Apache-2.0
#include "reference/float_ops.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "gpueval/error.h"

namespace gpueval::reference {
namespace {

float activate(double x, Activation act) {
  if (act != Activation::kNone) x = std::max(x, 0.0);
  if (act == Activation::kRelu6) x = std::min(x, 6.0);
  return static_cast<float>(x);
}

float at(const FloatTensor& t, int h, int w, int c) {
  return t.values[static_cast<std::size_t>((std::int64_t{h} * t.shape.w + w) * t.shape.c + c)];
}

// Calls visit(h, w, tap) for the real taps of output pixel (p, q).
template <typename Visit>
void for_each_tap(const Window& window, const Shape& in, int p, int q, Visit&& visit) {
  for (int r = 0; r < window.kernel_h; ++r) {
    for (int s = 0; s < window.kernel_w; ++s) {
      const int h = p * window.stride_h - window.pad.top + r;
      const int w = q * window.stride_w - window.pad.left + s;
      if (h >= 0 && h < in.h && w >= 0 && w < in.w) visit(h, w, r * window.kernel_w + s);
    }
  }
}

FloatTensor conv(const Node& node, const ConvDesc& desc, const FloatTensor& image, const FloatTensor* residual,
                 Activation act) {
  const std::vector<float>& kernel = *node.params[0].array.data;
  const Param* bias = node.find(Role::kBias);
  FloatTensor src = image, dst{node.shape, {}};
  src.shape = {1, desc.h, desc.w, desc.c};  // a dense layer sees one pixel of h * w * c channels
  for (int p = 0; p < desc.p(); ++p) {
    for (int q = 0; q < desc.q(); ++q) {
      for (int k = 0; k < desc.k; ++k) {
        double sum = bias != nullptr ? (*bias->array.data)[static_cast<std::size_t>(k)] : 0;
        for_each_tap(desc.window, src.shape, p, q, [&](int h, int w, int tap) {
          if (desc.depthwise) {
            sum += double{at(src, h, w, k)} * kernel[static_cast<std::size_t>(tap * desc.c + k)];
            return;
          }
          for (int c = 0; c < desc.c; ++c) {
            sum += double{at(src, h, w, c)} *
                   kernel[static_cast<std::size_t>((std::int64_t{tap} * desc.c + c) * desc.k + k)];
          }
        });
        if (residual != nullptr) sum += residual->values[dst.values.size()];
        dst.values.push_back(activate(sum, act));
      }
    }
  }
  return dst;
}

FloatTensor pool(const Node& node, const FloatTensor& src, const Window& window, bool largest) {
  FloatTensor dst{node.shape, {}};
  for (int p = 0; p < node.shape.h; ++p) {
    for (int q = 0; q < node.shape.w; ++q) {
      for (int c = 0; c < node.shape.c; ++c) {
        double sum = 0, most = -INFINITY;
        int count = 0;
        for_each_tap(window, src.shape, p, q, [&](int h, int w, int) {
          sum += at(src, h, w, c);
          most = std::max<double>(most, at(src, h, w, c));
          ++count;
        });
        dst.values.push_back(static_cast<float>(largest ? most : sum / count));
      }
    }
  }
  return dst;
}

FloatTensor concat(const Node& node, std::span<const FloatTensor* const> inputs) {
  FloatTensor dst{node.shape, {}};
  for (std::int64_t pixel = 0; pixel < node.shape.pixels(); ++pixel) {
    for (const FloatTensor* part : inputs) {
      const auto first = part->values.begin() + pixel * part->shape.c;
      dst.values.insert(dst.values.end(), first, first + part->shape.c);
    }
  }
  return dst;
}

FloatTensor zero_pad(const Node& node, const FloatTensor& src, const Padding& pad) {
  FloatTensor dst{node.shape, std::vector<float>(static_cast<std::size_t>(node.shape.elements()), 0.0f)};
  for (int h = 0; h < src.shape.h; ++h) {
    for (int w = 0; w < src.shape.w; ++w) {
      for (int c = 0; c < src.shape.c; ++c) {
        const std::int64_t pixel = std::int64_t{h + pad.top} * node.shape.w + w + pad.left;
        dst.values[static_cast<std::size_t>(pixel * node.shape.c + c)] = at(src, h, w, c);
      }
    }
  }
  return dst;
}

}  // namespace

FloatTensor dequantize(const QuantTensor& src, std::span<const float> scale) {
  FloatTensor dst{src.shape, {}};
  for (std::int64_t i = 0; i < src.shape.elements(); ++i) {
    const auto channel = static_cast<std::size_t>(i % src.shape.c);
    dst.values.push_back(scale[scale.size() > 1 ? channel : 0] * static_cast<float>(src.at(i)));
  }
  return dst;
}

QuantTensor quantize_channels(const FloatTensor& src, std::span<const float> scale, DType dst) {
  QuantTensor out(dst, src.shape);
  for (std::size_t i = 0; i < src.values.size(); ++i) {
    const float s = scale[scale.size() > 1 ? i % static_cast<std::size_t>(src.shape.c) : 0];
    out.set(static_cast<std::int64_t>(i), round_clamped(src.values[i] / s, lowest(dst), highest(dst)));
  }
  return out;
}

FloatTensor float_node(const Graph& graph, int index, std::span<const FloatTensor* const> inputs) {
  const Node& node = graph.node(index);
  const FloatTensor& src = *inputs[0];
  if (const auto desc = conv_desc(graph, index)) {
    const Activation act = std::visit(
        [](const auto& op) {
          if constexpr (requires { op.act; }) return op.act;
          return Activation::kNone;
        },
        node.op);
    return conv(node, *desc, src, inputs.size() > 1 ? inputs[1] : nullptr, act);
  }
  if (const auto* max = std::get_if<MaxPool>(&node.op)) return pool(node, src, max->window, true);
  if (const auto* average = std::get_if<AvgPool>(&node.op)) return pool(node, src, average->window, false);
  if (std::holds_alternative<GlobalAvgPool>(node.op)) {
    return pool(node, src, {.kernel_h = src.shape.h, .kernel_w = src.shape.w}, false);
  }
  if (std::holds_alternative<Concat>(node.op)) return concat(node, inputs);
  if (const auto* pad = std::get_if<ZeroPad>(&node.op)) return zero_pad(node, src, pad->pad);
  FloatTensor dst{node.shape, {}};
  if (const auto* add = std::get_if<Add>(&node.op)) {
    for (std::size_t i = 0; i < src.values.size(); ++i) {
      dst.values.push_back(activate(double{src.values[i]} + inputs[1]->values[i], add->act));
    }
    return dst;
  }
  if (const auto* relu = std::get_if<Relu>(&node.op)) {
    for (const float x : src.values) dst.values.push_back(activate(x, relu->act));
    return dst;
  }
  fail("{}: no float32 reference for layer '{}' ({})", graph.name, node.name, op_name(node.op));
}

}  // namespace gpueval::reference
