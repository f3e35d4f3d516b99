// SPDX-License-Identifier: Apache-2.0
#include "gpueval/layer_error.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>

#include "core/random.h"
#include "gpueval/error.h"
#include "gpueval/quant.h"

namespace gpueval {
namespace {

// Shows given tensors (dense bytes, one image) with a pitch of twice the channels; its logits are its last tensor.
class TensorEngine : public Engine {
 public:
  TensorEngine(Graph graph, std::vector<std::vector<std::byte>> tensors)
      : graph_(std::move(graph)), tensors_(std::move(tensors)) {}
  void run(std::span<const float>, int, Outputs) override {}
  void run_timed(std::span<const float>, int, Outputs, std::span<double>) override {}
  void run_tapped(std::span<const float>, int n, Outputs outputs, const LayerTap& tap) override {
    for (std::size_t i = 0; i < tensors_.size(); ++i) {
      const Node& node = graph_.nodes[i];
      const std::size_t row = static_cast<std::size_t>(node.shape.c) * size_of(node.type.dtype);
      const auto pixels = static_cast<std::size_t>(node.shape.pixels());
      std::vector<std::byte> spread(pixels * row * 2 * static_cast<std::size_t>(n), std::byte{0x7f});
      for (std::size_t p = 0; p < pixels * static_cast<std::size_t>(n); ++p) {
        std::memcpy(&spread[p * row * 2], &tensors_[i][p % pixels * row], row);
      }
      Shape shape = node.shape;
      shape.n = n;
      tap(static_cast<int>(i), {spread.data(), node.type.dtype, shape, std::int64_t{2} * node.shape.c});
    }
    for (int i = 0; i < n; ++i) {
      std::memcpy(&outputs[0][static_cast<std::size_t>(i) * tensors_.back().size() / 4], tensors_.back().data(),
                  tensors_.back().size());
    }
  }
  const std::vector<LayerInfo>& layers() const override { return layers_; }
  const Graph& graph() const override { return graph_; }
  std::string device() const override { return "tensors"; }
  std::size_t arena_bytes() const override { return 0; }

 private:
  Graph graph_;
  std::vector<std::vector<std::byte>> tensors_;
  std::vector<LayerInfo> layers_;
};

template <typename T>
std::vector<std::byte> bytes(const std::vector<T>& values) {
  std::vector<std::byte> result(values.size() * sizeof(T));
  std::memcpy(result.data(), values.data(), result.size());
  return result;
}

BatchSource images(int count) {
  return [count, next = 0](std::vector<float>& batch, int most) mutable {
    const int n = std::min(most, count - next);
    batch.assign(static_cast<std::size_t>(n), 0.0f);
    next += n;
    return n;
  };
}

Node node(const std::string& name, Op op, std::vector<int> inputs, Shape shape, TensorType type = {}) {
  return {.name = name, .op = op, .inputs = std::move(inputs), .shape = shape, .type = std::move(type)};
}

const Conv2D kRelu6{.window = {}, .act = Activation::kRelu6};

// input (2 pixels x 2) -> conv (ReLU6) -> logits of 3 classes.
TensorEngine float_engine(std::vector<float> conv = {6.0f, 1.0f, 0.5f, 0.0f}) {
  Graph graph{"net",
              {node("input", Input{}, {}, {1, 1, 2, 2}), node("conv", kRelu6, {0}, {1, 1, 2, 2}),
               node("logits", Dense{}, {1}, {1, 1, 1, 3})},
              {{"logits", 2}}};
  return {graph, {bytes<float>({1, -2, 3, -4}), bytes(conv), bytes<float>({1, 2, 3})}};
}

TensorEngine quantized_engine(TensorType conv_type, std::vector<std::uint8_t> conv) {
  Graph graph{"net",
              {node("input", Input{}, {}, {1, 1, 2, 2}),
               node("quantize_input", Quantize{}, {0}, {1, 1, 2, 2}, {DType::kS8, {0.03f}}),
               node("conv", kRelu6, {1}, {1, 1, 2, 2}, std::move(conv_type)),
               node("conv/dequantize", Dequantize{}, {2}, {1, 1, 2, 2}), node("logits", Dense{}, {3}, {1, 1, 1, 3})},
              {{"logits", 4}}};
  return {graph,
          {bytes<float>({1, -2, 3, -4}), bytes<std::int8_t>({33, -67, 100, -127}), bytes(conv),
           bytes<float>({0, 0, 0, 0}), bytes<float>({11, 12, 14})}};
}

TEST(LayerError, HandComputed) {
  TensorEngine exact = float_engine(), ours = quantized_engine({DType::kU8, {0.02f}}, {255, 52, 25, 0});
  const LayerErrors errors = measure_layer_errors(exact, ours, images(3), 2);
  EXPECT_EQ(errors.images, 3);
  ASSERT_EQ(errors.layers.size(), 3u);  // not the input itself, not conv/dequantize
  // conv: 5.1, 1.04, .5, 0 against 6, 1, .5, 0.
  const LayerError& conv = *errors.find("conv");
  const double s = 0.02f;
  const std::vector<double> f{6, 1, 0.5, 0}, x{255 * s, 52 * s, 25 * s, 0};
  double ff = 0, xx = 0, fx = 0, noise = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    ff += f[i] * f[i], xx += x[i] * x[i], fx += f[i] * x[i], noise += (f[i] - x[i]) * (f[i] - x[i]);
  }
  EXPECT_NEAR(conv.sqnr_db, 10 * std::log10(ff / noise), 1e-9);
  EXPECT_NEAR(conv.cosine, fx / std::sqrt(ff * xx), 1e-12);
  EXPECT_EQ(conv.range_used, 1.0);
  EXPECT_EQ(conv.saturation, 0.25);  // 255 = 5.1, below ReLU6's cut; 0 is ReLU's
  // The input against quantize_input: -4 saturates at -127.
  const LayerError& input = *errors.find("quantize_input");
  EXPECT_TRUE(input.is_integer);
  EXPECT_EQ(input.range_used, 1.0);
  EXPECT_EQ(input.saturation, 0.25);
  const double q = 0.03f;
  EXPECT_NEAR(input.sqnr_db,
              10 * std::log10(30 / (std::pow(1 - 33 * q, 2) + std::pow(2 - 67 * q, 2) + std::pow(3 - 100 * q, 2) +
                                    std::pow(4 - 127 * q, 2))),
              1e-9);
  const LayerError& logits = *errors.find("logits");
  EXPECT_FALSE(logits.is_integer);
  EXPECT_NEAR(logits.sqnr_db, 10 * std::log10(14.0 / (100 + 100 + 121)), 1e-9);
  // Without their means: (-1, 0, 1) and (-4/3, -1/3, 5/3).
  EXPECT_NEAR(errors.logits.sqnr_db(), 10 * std::log10(2 / (2.0 / 9 + 4.0 / 9)), 1e-5);
  EXPECT_EQ(errors.logits.images, 3);
}

TEST(LayerError, Relu6CutAtTheEndIsNoSaturation) {
  TensorEngine exact = float_engine({6.0f, 6.0f, 3.0f, 6.0f});
  TensorEngine ours = quantized_engine({DType::kU8, {6.0f / 255.0f}}, {255, 255, 128, 255});
  EXPECT_EQ(measure_layer_errors(exact, ours, images(1), 1).find("conv")->saturation, 0.0);
  // Per channel: channel 1 ends at 3.
  TensorEngine mixed = quantized_engine({DType::kU8, {6.0f / 255.0f, 3.0f / 255.0f}}, {255, 255, 128, 255});
  const LayerErrors errors = measure_layer_errors(exact, mixed, images(1), 1);
  EXPECT_EQ(errors.find("conv")->saturation, 0.5);
  EXPECT_NEAR(errors.find("conv")->sqnr_db, 10 * std::log10((3 * 36 + 9) / (9 + 9 + std::pow(3 - 128 * 6 / 255.0, 2))),
              1e-5);
}

TEST(LayerError, EqualAndDeadTensors) {
  TensorEngine exact = float_engine({0, 0, 0, 0}), zero = quantized_engine({DType::kU8, {1.0f}}, {0, 0, 0, 0});
  const LayerErrors dead = measure_layer_errors(exact, zero, images(1), 1);
  EXPECT_EQ(dead.find("conv")->sqnr_db, std::numeric_limits<double>::infinity());
  EXPECT_EQ(dead.find("conv")->cosine, 1.0);
  EXPECT_EQ(dead.find("conv")->range_used, 0.0);
  TensorEngine noise = quantized_engine({DType::kU8, {1.0f}}, {0, 1, 0, 0});
  EXPECT_EQ(measure_layer_errors(exact, noise, images(1), 1).find("conv")->cosine, 0.0);
  EXPECT_THROW(measure_layer_errors(exact, zero, images(0), 1), Error);
}

Graph network() {
  GraphBuilder g("network");
  int x = g.relu("stem_relu", g.batch_norm("stem_bn", g.conv2d("stem", g.input(9, 9, 3), 8, 3, 3, {.bias = false})));
  const int left = g.relu("left_relu", g.conv2d("left", x, 5, 1, 1, {}));
  x = g.concat("join", {left, g.max_pool("pool", x, 3, 1, Pad::kSame)});
  const int branch = g.batch_norm("branch_bn", g.conv2d("branch", x, 13, 3, 3, {.pad = Pad::kSame, .bias = false}));
  x = g.relu("block_relu", g.add("block", {branch, x}));
  Graph graph = g.finish(g.dense("logits", g.global_avg_pool("mean", x), 10));
  Random random(1);
  for (Node& layer : graph.nodes) {
    for (Param& param : layer.params) {
      std::vector<float> values(static_cast<std::size_t>(param.array.elements()));
      for (float& v : values) v = static_cast<float>(param.role == Role::kVariance ? 1 : random.normal() * 0.4);
      param.array.data = std::make_shared<const std::vector<float>>(std::move(values));
    }
  }
  return graph;
}

CalibrationImages random_images(int count) {
  return [count] {
    return [count, next = 0](std::vector<float>& batch, int most) mutable {
      const int n = std::min(most, count - next);
      batch.clear();
      for (int i = 0; i < n; ++i) {
        Random random(static_cast<std::uint64_t>(100 + next + i));
        for (int j = 0; j < 9 * 9 * 3; ++j) batch.push_back(static_cast<float>(random.uniform(-1, 1)));
      }
      next += n;
      return n;
    };
  };
}

class LayerErrorOfEngines : public testing::Test {
 protected:
  void TearDown() override { set_threads(0); }
  LayerErrors measure(Graph lowered, int batch) {
    const auto exact = make_engine("cpu", lower_float(bound_), {batch, ""});
    const auto ours = make_engine("cpu", std::move(lowered), {batch, ""});
    return measure_layer_errors(*exact, *ours, random_images(7)(), batch);
  }
  CalibrationTable table() {
    const auto exact = make_engine("cpu", lower_float(bound_), {4, ""});
    CalibrationTable table;
    table.range = observe_ranges(*exact, random_images(7)(), 4);
    return table;
  }
  Graph bound_ = network();
};

TEST_F(LayerErrorOfEngines, EveryTensorOfAnInt8NetworkIsMeasured) {
  const Graph graph = lower_static(bound_, table(), {});
  const LayerErrors errors = measure(graph, 3);
  EXPECT_EQ(errors.layers.size(), graph.nodes.size() - 1);
  EXPECT_EQ(errors.images, 7);
  for (const LayerError& layer : errors.layers) {
    EXPECT_GT(layer.sqnr_db, 20) << layer.name;  // 8 bits, calibrated on these very images
    EXPECT_GT(layer.cosine, 0.995) << layer.name;
    EXPECT_LE(layer.range_used, 1.0) << layer.name;
  }
  EXPECT_GT(errors.find("stem")->range_used, 0.99);
}

TEST_F(LayerErrorOfEngines, DoesNotDependOnBatchOrThreads) {
  const Graph graph = lower_static(bound_, table(), {});
  set_threads(1);
  const LayerErrors expected = measure(graph, 1);
  for (const int workers : {1, 2}) {
    set_threads(workers);
    const LayerErrors errors = measure(graph, 4);
    for (std::size_t i = 0; i < errors.layers.size(); ++i) {
      EXPECT_NEAR(errors.layers[i].sqnr_db, expected.layers[i].sqnr_db, 1e-3) << errors.layers[i].name;
      EXPECT_EQ(errors.layers[i].saturation, expected.layers[i].saturation);
      EXPECT_EQ(errors.layers[i].range_used, expected.layers[i].range_used);
    }
  }
}

TEST_F(LayerErrorOfEngines, Float32AgainstItselfIsExact) {
  const LayerErrors errors = measure(lower_float(bound_), 4);
  EXPECT_EQ(errors.layers.size(), lower_float(bound_).nodes.size() - 1);
  for (const LayerError& layer : errors.layers) {
    EXPECT_EQ(layer.sqnr_db, std::numeric_limits<double>::infinity()) << layer.name;
  }
}

// Every output is a layer, or has its layer's error: there is none of a Dequantize.
TEST_F(LayerErrorOfEngines, OfSeveralOutputsIsMeasuredAtTheirLayers) {
  bound_.outputs.insert(bound_.outputs.begin(), {{"pixels", 0}, {"left", bound_.find("left_relu")}});
  const Graph graph = lower_static(bound_, table(), {});
  const LayerErrors errors = measure(graph, 3);
  EXPECT_EQ(errors.images, 7);
  EXPECT_EQ(errors.logits.images, 0);
  EXPECT_EQ(errors.layers.size(), graph.nodes.size() - 2);  // not of the input, nor left/dequantize
  EXPECT_EQ(errors.find("left/dequantize"), nullptr);
  for (const LayerError& layer : errors.layers) EXPECT_GT(layer.sqnr_db, 20) << layer.name;
}

// Layers are compared where they mean the same: behind batch norm; "branch" only in float32 holds the sum.
TEST_F(LayerErrorOfEngines, ReferenceSchemeIsComparedBehindBatchNorm) {
  const LayerErrors errors = measure(lower_reference(bound_, {}), 4);
  ASSERT_NE(errors.find("stem_bn"), nullptr);
  EXPECT_GT(errors.find("stem_bn")->sqnr_db, 25);
  EXPECT_EQ(errors.find("stem"), nullptr);
  EXPECT_EQ(errors.find("branch_bn"), nullptr);
  EXPECT_GT(errors.find("join")->sqnr_db, 25);
  EXPECT_FALSE(errors.find("join")->is_integer);
  EXPECT_GT(errors.find("logits")->sqnr_db, 15);
}

}  // namespace
}  // namespace gpueval
