// SPDX-License-Identifier: Apache-2.0
// Dilated and transposed convolutions, composed of a convolution and moves, against loops that are their definitions.
#include <gtest/gtest.h>

#include <cmath>
#include <memory>

#include "core/random.h"
#include "graph/conv_transpose.h"
#include "graph/dilation.h"
#include "graph/passes.h"
#include "reference/op_reference.h"

namespace gpueval::reference {
namespace {

using Values = std::vector<float>;

// Whole numbers: sums are exact in any order.
Values whole_numbers(std::int64_t count, std::uint64_t seed) {
  Random random(seed);
  Values values;
  for (std::int64_t i = 0; i < count; ++i) values.push_back(std::floor(static_cast<float>(random.uniform(-8, 8))));
  return values;
}

std::shared_ptr<const Values> shared(Values values) { return std::make_shared<const Values>(std::move(values)); }

struct Dilated {
  int h, w;
  Window window;
  int rate_h, rate_w;
  bool depthwise;
  int c = 3, k = 2;
  int channels() const { return depthwise ? c : k; }
};

Values directly(const Dilated& d, const Values& src, const Values& kernel) {
  const Window& window = d.window;
  const int p_count = d.h + window.pad.top + window.pad.bottom - (window.kernel_h - 1) * d.rate_h;
  const int q_count = d.w + window.pad.left + window.pad.right - (window.kernel_w - 1) * d.rate_w;
  Values dst;
  for (int p = 0; p < p_count; ++p) {
    for (int q = 0; q < q_count; ++q) {
      for (int k = 0; k < d.channels(); ++k) {
        float sum = 0;
        for (int r = 0; r < window.kernel_h; ++r) {
          for (int s = 0; s < window.kernel_w; ++s) {
            const int y = p + r * d.rate_h - window.pad.top, x = q + s * d.rate_w - window.pad.left;
            if (y < 0 || y >= d.h || x < 0 || x >= d.w) continue;
            for (int c = d.depthwise ? k : 0; c < (d.depthwise ? k + 1 : d.c); ++c) {
              const int tap = r * window.kernel_w + s, at = d.depthwise ? tap * d.c + c : (tap * d.c + c) * d.k + k;
              sum += src[static_cast<std::size_t>((y * d.w + x) * d.c + c)] * kernel[static_cast<std::size_t>(at)];
            }
          }
        }
        dst.push_back(sum);
      }
    }
  }
  return dst;
}

Graph composed(const Dilated& d, const Values& kernel) {
  const Dilation plan = dilation(d.h, d.w, d.window, d.rate_h, d.rate_w);
  Op conv = Conv2D{.window = plan.window};
  if (d.depthwise) conv = DepthwiseConv2D{.window = plan.window};
  Graph graph{"dilated", {{.name = "input", .op = Input{}, .shape = {1, d.h, d.w, d.c}}}, {{"out", 3}}};
  for (const Op& op : {Op{plan.before}, conv, Op{plan.after}}) {
    Node node{.name = op_name(op), .op = op, .inputs = {static_cast<int>(graph.nodes.size()) - 1}};
    const std::int64_t window_h = d.window.kernel_h, window_w = d.window.kernel_w;
    if (graph.nodes.size() == 2) {
      node.params = {{d.depthwise ? Role::kDepthwiseKernel : Role::kKernel,
                      {{window_h, window_w, d.c, d.depthwise ? 1 : d.k}, shared(kernel)}}};
    }
    node.shape = output_shape(graph, node);
    graph.nodes.push_back(node);
  }
  return graph;
}

// The same numbers in int8: m 1, so that results are the sums, cut at 127.
Values in_int8(Graph graph, const Dilated& d, const Values& src, const Values& kernel) {
  for (Node& node : graph.nodes) node.type = {DType::kS8, {1.0f}};
  std::vector<std::int8_t> weights;
  for (int k = 0; k < (d.depthwise ? 1 : d.k); ++k) {
    for (std::size_t i = 0; i < kernel.size(); i += static_cast<std::size_t>(d.depthwise ? 1 : d.k)) {
      weights.push_back(static_cast<std::int8_t>(kernel[i + static_cast<std::size_t>(k)]));
    }
  }
  IntegerOp form;
  form.weights = std::make_shared<const std::vector<std::int8_t>>(weights);
  form.m.assign(static_cast<std::size_t>(d.channels()), 1.0f);
  form.b.assign(static_cast<std::size_t>(d.channels()), 0.0f);
  form.lo = -127, form.hi = 127;
  graph.nodes[2].integer = form;
  NetworkResult result;
  result.tensors.resize(4);
  result.floats.resize(4);
  result.tensors[0] = quantize(src, graph.nodes[0].shape, 1.0f, DType::kS8);
  for (int i = 1; i < 4; ++i) run_node(graph, i, result);
  return dequantize(result.tensors[3], Values{1.0f}).values;
}

void expect_dilated(const Dilated& d) {
  const Values kernel =
      whole_numbers(std::int64_t{d.window.kernel_h} * d.window.kernel_w * d.c * (d.depthwise ? 1 : d.k), 1);
  const Values src = whole_numbers(std::int64_t{d.h} * d.w * d.c, 2);
  Values want = directly(d, src, kernel);
  const Graph graph = composed(d, kernel);
  EXPECT_EQ(run_network(graph, src).logits, want);
  const auto all = [](const Node&) { return true; };
  const Graph joined = join_dilations(graph, all);
  EXPECT_EQ(joined.nodes.size(), 2u);
  EXPECT_EQ(run_network(joined, src).logits, want);
  for (float& x : want) x = static_cast<float>(round_clamped(x, -127, 127));
  EXPECT_EQ(in_int8(graph, d, src, kernel), want);
}

Padding same(int kernel_h, int kernel_w, int rate_h, int rate_w) {
  const int rows = (kernel_h - 1) * rate_h, columns = (kernel_w - 1) * rate_w;
  return {rows / 2, rows - rows / 2, columns / 2, columns - columns / 2};
}

TEST(Dilation, IsAConvolutionOfPictures) {
  struct Rates {
    int h, w;
  };
  for (const bool depthwise : {false, true}) {
    for (const Rates& rate : {Rates{2, 2}, Rates{3, 3}, Rates{2, 3}, Rates{3, 1}, Rates{1, 2}, Rates{12, 12}}) {
      for (const auto& [kernel_h, kernel_w] : {std::pair{3, 3}, std::pair{2, 4}, std::pair{1, 5}}) {
        const Padding padding = same(kernel_h, kernel_w, rate.h, rate.w);
        for (const Padding& pad : {padding, Padding{}, Padding{1, 0, 2, 5}}) {
          const bool fits =
              11 + pad.top + pad.bottom > (kernel_h - 1) * rate.h && 9 + pad.left + pad.right > (kernel_w - 1) * rate.w;
          if (!fits) continue;
          SCOPED_TRACE(::testing::Message() << (depthwise ? "depthwise " : "") << kernel_h << "x" << kernel_w
                                            << " rates " << rate.h << "x" << rate.w << " pad " << pad.top);
          expect_dilated({11, 9, {.kernel_h = kernel_h, .kernel_w = kernel_w, .pad = pad}, rate.h, rate.w, depthwise});
          expect_dilated({14, 13, {.kernel_h = kernel_h, .kernel_w = kernel_w, .pad = pad}, rate.h, rate.w, depthwise});
        }
      }
    }
  }
  EXPECT_THROW(dilation(4, 9, {.kernel_h = 3, .kernel_w = 3}, 2, 2), Error);
}

// One row of zeros between pictures serves both.
TEST(Dilation, PicturesShareTheirPadding) {
  const Dilation plan = dilation(33, 33, {.kernel_h = 3, .kernel_w = 3, .pad = {12, 12, 12, 12}}, 12, 12);
  EXPECT_EQ(plan.before.pad, Padding{});
  EXPECT_EQ(plan.before.gap, 1);
  EXPECT_EQ(plan.after.gap, 1);
  EXPECT_EQ(plan.window.pad, (Padding{1, 0, 1, 1}));
}

// Scatters every source pixel times every tap, as the definition says, and cuts the result out.
Values scattered(int h, int w, int in, int out, const TransposedWindow& t, int top, int left, int rows, int columns,
                 const Values& src, const Values& kernel) {
  Values dst(static_cast<std::size_t>(rows * columns * out), 0.0f);
  for (int y = 0; y < h; ++y) {
    for (int x = 0; x < w; ++x) {
      for (int r = 0; r < t.kernel_h; ++r) {
        for (int s = 0; s < t.kernel_w; ++s) {
          const int p = y * t.stride_h + r - top, q = x * t.stride_w + s - left;
          if (p < 0 || p >= rows || q < 0 || q >= columns) continue;
          for (int k = 0; k < out; ++k) {
            for (int c = 0; c < in; ++c) {
              dst[static_cast<std::size_t>((p * columns + q) * out + k)] +=
                  src[static_cast<std::size_t>((y * w + x) * in + c)] *
                  kernel[static_cast<std::size_t>(((r * t.kernel_w + s) * out + k) * in + c)];
            }
          }
        }
      }
    }
  }
  return dst;
}

Values by_depth(int h, int w, int in, int out, const TransposedWindow& t, const Values& src, const Values& kernel) {
  const ConvTranspose plan = conv_transpose(h, w, t);
  GraphBuilder g("transposed");
  Graph graph = g.finish(g.input(h, w, in));
  Node conv{.name = "conv", .op = Conv2D{.window = plan.window}, .inputs = {0}};
  conv.params = {{Role::kKernel,
                  {{plan.window.kernel_h, plan.window.kernel_w, in, std::int64_t{plan.block_channels} * out},
                   shared(transposed_kernel(kernel, t, in, out))}}};
  conv.shape = output_shape(graph, conv);
  graph.nodes.push_back(conv);
  Node space{.name = "space", .op = plan.after, .inputs = {1}};
  space.shape = output_shape(graph, space);
  EXPECT_EQ(space.shape, (Shape{1, plan.h, plan.w, out}));
  graph.nodes.push_back(space);
  graph.outputs = {{"out", 2}};
  return run_network(graph, src).logits;
}

TEST(ConvTranspose, IsAConvolutionWhoseChannelsBecomeSpace) {
  constexpr int kIn = 3, kOut = 2, kH = 4, kW = 5;
  const auto before = [](int size, int kernel, int stride, int result) {
    return std::max((size - 1) * stride + kernel - result, 0) / 2;
  };
  for (const auto& [kernel, stride] :
       {std::pair{2, 2}, {3, 2}, {4, 2}, {3, 1}, {5, 3}, {2, 3}, {1, 2}, {7, 2}, {2, 1}}) {
    for (const Pad pad : {Pad::kSame, Pad::kValid}) {
      for (const int padding : {-1, 0, 1}) {
        SCOPED_TRACE(::testing::Message()
                     << "kernel " << kernel << " stride " << stride << " output padding " << padding);
        TransposedWindow t{.kernel_h = kernel, .kernel_w = 3, .stride_h = stride, .stride_w = 2, .pad = pad};
        if (padding >= 0) t.output_padding_h = padding;
        const ConvTranspose plan = conv_transpose(kH, kW, t);
        EXPECT_EQ(plan.window.kernel_h, (kernel + stride - 1) / stride);
        const Values src = whole_numbers(kH * kW * kIn, 3), weights = whole_numbers(kernel * 3 * kIn * kOut, 4);
        const int top = pad == Pad::kSame ? before(kH, kernel, stride, plan.h) : 0;
        const int left = pad == Pad::kSame ? before(kW, 3, 2, plan.w) : 0;
        EXPECT_EQ(by_depth(kH, kW, kIn, kOut, t, src, weights),
                  scattered(kH, kW, kIn, kOut, t, top, left, plan.h, plan.w, src, weights));
      }
    }
  }
  EXPECT_EQ(for_each_block_pixel({1, 2}, 2), (Values{1, 2, 1, 2}));
}

}  // namespace
}  // namespace gpueval::reference
