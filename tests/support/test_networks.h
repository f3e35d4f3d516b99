// SPDX-License-Identifier: Apache-2.0
// Small networks with every op and every odd case, random weights and images: what whole-network tests run on.
#pragma once

#include <cmath>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/random.h"
#include "cpu/engine.h"
#include "gpueval/quant.h"
#include "graph/dilation.h"
#include "quant/lowering.h"

namespace gpueval::test {

inline void bind_random(Graph& graph, std::uint64_t seed) {
  Random random(seed);
  for (Node& node : graph.nodes) {
    for (Param& param : node.params) {
      std::vector<float> values(static_cast<std::size_t>(param.array.elements()));
      const double fan_in = param.array.shape.size() > 1
                                ? static_cast<double>(values.size()) / static_cast<double>(param.array.shape.back())
                                : 1;
      for (float& x : values) {
        switch (param.role) {
          case Role::kVariance:
            x = static_cast<float>(random.uniform(0.5, 2));
            break;
          case Role::kGamma:
            x = static_cast<float>(random.uniform(0.5, 1.5));
            break;
          default:
            x = static_cast<float>(random.normal() * std::sqrt(2 / fan_in));
        }
      }
      param.array.data = std::make_shared<const std::vector<float>>(std::move(values));
    }
  }
}

// n images, given at once.
inline CalibrationImages calibration_images(std::vector<float> images, int n) {
  return [images = std::move(images), n] {
    return [images, n, done = false](std::vector<float>& batch, int) mutable {
      batch = images;
      return std::exchange(done, true) ? 0 : n;
    };
  };
}

inline std::vector<float> random_images(const Graph& graph, int n, std::uint64_t seed) {
  Random random(seed);
  std::vector<float> images(static_cast<std::size_t>(graph.input_node().shape.elements() * n));
  for (float& x : images) x = static_cast<float>(random.uniform(-1, 1));
  return images;
}

// Every op and every odd case that the nine networks have, small: SAME on odd maps, 1x7 and 7x1, signed max pools,
// nested concats with requantized pools, residuals on both sides, a stand-alone ReLU and add, separable layers.
inline Graph everything(Activation last) {
  GraphBuilder g("everything");
  int x = g.input(19, 17, 3);
  x = g.relu("stem_relu",
             g.batch_norm("stem_bn", g.conv2d("stem", x, 12, 3, 3, {.stride = 2, .pad = Pad::kSame, .bias = false})));
  x = g.relu6("dw_relu", g.batch_norm("dw_bn", g.depthwise_conv2d("dw", x, 3, {.pad = Pad::kSame, .bias = false})));
  const int left = g.relu("left_relu", g.conv2d("left", x, 7, 1, 7, {.pad = Pad::kSame}));
  const int left2 = g.relu("left2_relu", g.conv2d("left2", left, 5, 7, 1, {.pad = Pad::kSame}));
  const int right = g.relu("right_relu", g.conv2d("right", x, 8, 5, 5, {.pad = Pad::kSame}));
  const int inner = g.concat("inner", {left2, right});
  const int average = g.avg_pool("average", x, 3, 1, Pad::kSame);
  const int peak = g.max_pool("peak", x, 3, 1, Pad::kSame);
  x = g.concat("outer", {inner, average, peak});
  const int signed_map =
      g.batch_norm("signed_bn", g.separable_conv2d("signed", x, 21, 3, {.pad = Pad::kSame, .bias = false}));
  const int pooled = g.max_pool("signed_pool", signed_map, 3, 2, Pad::kSame);
  const int shortcut = g.batch_norm("shortcut_bn", g.conv2d("shortcut", x, 21, 1, 1, {.stride = 2, .bias = false}));
  x = g.add("block", {pooled, shortcut});
  const int branch = g.conv2d("branch", g.relu("lone_relu", x), 21, 3, 3, {.pad = Pad::kSame});
  x = g.relu("block2_relu", g.add("block2", {branch, x}));
  x = g.add("lone_add", {x, g.max_pool("again", x, 3, 1, Pad::kSame)});
  x = g.conv2d("padded", g.zero_pad("zeros", x, {2, 1, 0, 1}), 6, 3, 3, {});
  x = g.zero_pad("zeros2", x, {1, 0, 0, 1});
  x = g.max_pool("signed_pool2", x, 2, 2);
  if (last == Activation::kRelu) {
    return g.finish(g.global_avg_pool("mean", g.relu("logits_relu", g.conv2d("logits", x, 10, 1, 1, {}))));
  }
  return g.finish(g.dense("logits", g.flatten("flat", x), 11));
}

// Batch norms that no convolution takes: behind the input, an add (fused and alone), a concat, a pool, a convolution
// that something else reads, and a dense layer, whose output leaves as float32.
inline Graph lone_batch_norms() {
  GraphBuilder g("lone_batch_norms");
  int x = g.batch_norm("input_bn", g.input(11, 9, 3));
  x = g.relu("stem_relu", g.conv2d("stem", x, 17, 3, 3, {.pad = Pad::kSame}));
  const int shared = g.conv2d("shared", x, 17, 1, 1, {});
  const int branch = g.relu6("shared_relu", g.batch_norm("shared_bn", shared));
  x = g.add("sum", {g.conv2d("branch", branch, 17, 3, 3, {.pad = Pad::kSame}), shared});
  x = g.relu("sum_relu", g.batch_norm("sum_bn", x));
  const int pooled = g.batch_norm("pool_bn", g.max_pool("pool", x, 3, 1, Pad::kSame), 1e-3f, false);
  const int lone = g.batch_norm("lone_bn", g.add("lone_sum", {x, pooled}));
  x = g.concat("join", {lone, branch, g.conv2d("narrow", x, 5, 1, 1, {})});
  x = g.relu6("join_relu", g.batch_norm("join_bn", x, 0.01f));
  x = g.conv2d("last", x, 8, 3, 3, {.stride = 2});
  return g.finish(g.batch_norm("logits_bn", g.dense("logits", g.flatten("flat", x), 11)));
}

// The layers of a dilated convolution.
inline int dilated_conv2d(GraphBuilder& g, const std::string& name, int src, int filters, int kernel, int rate_h,
                          int rate_w) {
  const int pad_h = (kernel - 1) * rate_h / 2, pad_w = (kernel - 1) * rate_w / 2;
  const Window window{.kernel_h = kernel, .kernel_w = kernel, .pad = {pad_h, pad_h, pad_w, pad_w}};
  const Dilation plan = dilation(g.shape(src).h, g.shape(src).w, window, rate_h, rate_w);
  const Padding& pad = plan.window.pad;
  const int pictures = g.zero_pad(name + "/pad", g.space_to_batch(name + "/pictures", src, plan.before), pad);
  return g.batch_to_space(name + "/map", g.conv2d(name, pictures, filters, kernel, kernel, {}), plan.after);
}

// Every operation that moves elements, from and into tensors with gaps between their pixels (parts of concats), and
// concats of rows and columns with parts that are requantized.
inline Graph moves() {
  GraphBuilder g("moves");
  int x = g.slice("crop", g.input(13, 11, 3), {1, 0, 0}, {12, 10, 3});
  const int stem = g.relu("stem_relu", g.conv2d("stem", x, 16, 3, 3, {.pad = Pad::kSame}));
  const int left = g.slice("left", stem, {0, 0, 1}, {12, 10, 7});
  const int right = g.slice("right", stem, {0, 9, 15}, {12, 10, 8}, {1, -1, -2});
  const int turned = g.permute("turned", g.permute("upright", stem, {1, 2, 0}), {2, 0, 1});
  const int both = g.concat("both", {stem, left, right, turned});  // of one scale: in place
  x = g.concat("join", {g.conv2d("narrow", both, 5, 1, 1, {}), left, g.reshape("shaped", stem, {12, 10, 16})});
  const int branch = g.conv2d("branch", x, 28, 1, 1, {});
  x = g.concat("wide", {x, g.max_pool("peak", x, 3, 1, Pad::kSame), branch}, Axis::kW);
  x = g.concat("tall", {g.slice("upper", x, {1, 28, 0}, {5, 10, 28}, {2, -3, 1}), branch}, Axis::kH);
  x = g.reshape("regrouped", x, {14, 17, 20});
  x = g.depth_to_space("space", g.conv2d("depth", x, 18, 3, 3, {.stride = 2, .pad = Pad::kSame}), 2, 3, {1, 0, 0, 2});
  x = g.relu6("space_relu", g.batch_norm("space_bn", x));
  x = g.relu("dilated_relu", g.batch_norm("dilated_bn", dilated_conv2d(g, "dilated", x, 6, 3, 2, 3)));
  x = g.resize_nearest("asymmetric", x, 10, 31, Grid::kAsymmetric);
  x = g.resize_nearest("aligned", x, 15, 9, Grid::kAligned);
  x = g.resize_nearest("nearest", dilated_conv2d(g, "more", x, 9, 2, 4, 1), 8, 7);
  return g.finish(g.dense("logits", g.flatten("flat", x), 11));
}

// Dilated convolutions: of all channels, in groups, depthwise, as parts of a concat, beyond the map, the output's.
inline Graph dilations() {
  GraphBuilder g("dilations");
  const int stem = g.relu("stem_relu", g.conv2d("stem", g.input(17, 14, 3), 24, 3, 3, {.pad = Pad::kSame}));
  const int dense = g.relu("dense_relu", g.conv2d("dense", stem, 7, 3, 3, {.pad = Pad::kSame, .dilation = 2}));
  const int each = g.relu6(
      "each_relu", g.batch_norm("each_bn", g.depthwise_conv2d("each", stem, 3, {.pad = Pad::kSame, .dilation = 4})));
  const int far = g.conv2d("far", stem, 9, 3, 3, {.pad = Pad::kSame, .groups = 3, .dilation = 18});
  int x = g.concat("join", {dense, each, far, g.conv2d("near", stem, 8, 1, 1, {})});
  x = g.depthwise_conv2d("valid", x, 3, {.dilation = 3});
  return g.finish(g.reshape("logits", g.conv2d("last", x, 3, 2, 2, {.dilation = 5}), {1, 1, 54}));
}

// Convolutions in groups: of three and of many channels, with a stride, a residual, a batch norm, as part of a concat.
inline Graph groups() {
  GraphBuilder g("groups");
  int x = g.relu("stem_relu", g.conv2d("stem", g.input(15, 14, 3), 48, 3, 3, {.pad = Pad::kSame, .groups = 3}));
  const int wide = g.conv2d("wide", x, 48, 3, 3, {.pad = Pad::kSame, .groups = 3});
  const int narrow = g.relu("narrow_relu", g.batch_norm("norm", g.conv2d("narrow", x, 48, 1, 1, {.groups = 12})));
  x = g.relu("sum_relu", g.add("sum", {wide, narrow}));
  x = g.concat("both", {x, g.conv2d("part", x, 12, 3, 3, {.pad = Pad::kSame, .groups = 4})});
  x = g.relu("strided_relu", g.conv2d("strided", x, 30, 3, 3, {.stride = 2, .pad = Pad::kSame, .groups = 15}));
  x = g.activate("gelu", g.conv2d("mixed", x, 30, 1, 1, {.groups = 5}), {FunctionKind::kGelu});
  x = g.conv2d("behind", x, 12, 1, 1, {.groups = 3});
  return g.finish(g.dense("logits", g.global_avg_pool("mean", x), 11));
}

// Where zero points may be, and who reads them: padded layers of each kind, gates, products of two maps, averages.
inline Graph gates() {
  constexpr Function kSilu{FunctionKind::kSilu}, kHard{FunctionKind::kHardSilu};
  GraphBuilder g("gates");
  int x =
      g.activate("stem_silu", g.conv2d("stem", g.input(15, 13, 3), 12, 3, 3, {.stride = 2, .pad = Pad::kSame}), kSilu);
  x = g.activate("each_hard", g.depthwise_conv2d("each", x, 3, {.pad = Pad::kSame}), kHard);
  const int less = g.activate("less_silu", g.conv2d("less", g.global_avg_pool("squeeze", x), 5, 1, 1, {}), kSilu);
  const int gate = g.activate("gate", g.conv2d("more", less, 12, 1, 1, {}), {FunctionKind::kSigmoid});
  x = g.binary("gated", BinaryKind::kMultiply, {x, gate});
  const int wide = g.activate("wide_silu", g.conv2d("wide", x, 21, 3, 3, {.pad = Pad::kSame}), kSilu);
  const int grouped =
      g.activate("grouped_hard", g.conv2d("grouped", wide, 21, 3, 3, {.pad = Pad::kSame, .groups = 3}), kHard);
  x = g.binary("product", BinaryKind::kMultiply, {wide, grouped});
  x = g.activate("sum_silu", g.add("sum", {g.conv2d("behind", x, 21, 3, 3, {.pad = Pad::kSame}), wide}), kSilu);
  x = g.activate("tall_silu", g.conv2d("tall", x, 8, 5, 1, {.pad = Pad::kSame}), kSilu);
  x = g.activate("strided_silu", g.depthwise_conv2d("strided", x, 5, {.stride = 2, .pad = Pad::kSame}), kSilu);
  x = g.avg_pool("average", x, 3, 1, Pad::kSame);
  return g.finish(g.dense("logits", g.flatten("flat", g.conv2d("last", x, 6, 3, 3, {.pad = Pad::kSame})), 11));
}

// With a zero point wherever u8 may have one.
inline Graph quantized(const Graph& bound, DType activations) {
  const Graph lowered = lower_float(bound);
  const std::vector<bool> takers = zero_point_takers(lowered);
  auto engine = cpu::make_cpu_engine(lowered, {.batch = 2, .every_node = true});
  CalibrationTable table;
  table.range = observe_ranges(*engine, calibration_images(random_images(bound, 2, 5), 2)(), 2);
  for (int i = 0; activations == DType::kU8 && i < static_cast<int>(lowered.nodes.size()); ++i) {
    const std::string& name = lowered.node(i).name;
    if (!takers[static_cast<std::size_t>(i)] || !(table.range.at(name) > 0)) continue;
    const bool averaged = std::holds_alternative<GlobalAvgPool>(lowered.node(i).op) ||
                          std::holds_alternative<AvgPool>(lowered.node(i).op);
    table.zero_point[name] = averaged ? 120 + i % 8 : 40 + i % 150;  // means may lie on both sides as far
  }
  QuantOptions options;
  options.activations = activations;
  return lower_static(bound, table, options);
}

}  // namespace gpueval::test
