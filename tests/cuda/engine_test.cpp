// SPDX-License-Identifier: Apache-2.0
// The device engine against the CPU engine, tensor by tensor: bit for bit where arithmetic is on integers, to rounding
// where sums of floats may be taken in another order.

#include <algorithm>

#include "cuda/engine/chunks.h"
#include "cuda/engine/pooled_convs.h"
#include "engine_case.h"
#include "gpueval/dataset.h"
#include "gpueval/error.h"
#include "gpueval/models.h"
#include "graph/passes.h"
#include "support/compute_networks.h"

namespace gpueval::cuda {
namespace {

using test::everything;
using test::random_images;

constexpr int kBatch = 3;

Graph bound_network(Activation last = Activation::kNone) {
  Graph graph = everything(last);
  test::bind_random(graph, 1);
  return graph;
}

// Branches of unequal depth, nested, that meet in concats: what Inception is made of.
Graph branches() {
  GraphBuilder g("branches");
  int x = g.relu("stem_relu", g.conv2d("stem", g.input(9, 9, 3), 16, 3, 3, {.pad = Pad::kSame}));
  for (const std::string block : {"a", "b"}) {
    const auto conv = [&](const std::string& name, int src, int filters, int h, int w) {
      return g.relu(block + name + "_relu", g.conv2d(block + name, src, filters, h, w, {.pad = Pad::kSame}));
    };
    const int one = conv("one", x, 16, 1, 1);
    const int two = conv("two2", conv("two1", x, 8, 1, 1), 16, 3, 3);
    const int three = conv("three1", x, 8, 1, 1);
    const int left = conv("left", three, 8, 1, 3), right = conv("right", three, 8, 3, 1);
    const int pooled = conv("pooled", g.avg_pool(block + "average", x, 3, 1, Pad::kSame), 16, 1, 1);
    x = g.concat(block + "mixed", {one, two, g.concat(block + "inner", {left, right}), pooled});
  }
  Graph graph = g.finish(g.dense("logits", g.global_avg_pool("mean", x), 10));
  test::bind_random(graph, 2);
  return graph;
}

// A network on smaller images. Right where SAME padding does not depend on the size: stride 1 only, as in Inception.
Graph on_smaller_images(Graph graph, int size) {
  graph.nodes[0].shape.h = graph.nodes[0].shape.w = size;
  for (Node& node : graph.nodes) {
    if (node.inputs.empty() || std::holds_alternative<Dense>(node.op)) continue;
    const Shape& src = graph.node(node.inputs[0]).shape;
    const Window* window = nullptr;
    if (const auto* conv = std::get_if<Conv2D>(&node.op)) window = &conv->window;
    if (const auto* pool = std::get_if<MaxPool>(&node.op)) window = &pool->window;
    if (const auto* pool = std::get_if<AvgPool>(&node.op)) window = &pool->window;
    const bool global = std::holds_alternative<GlobalAvgPool>(node.op);
    node.shape.h = global ? 1 : window != nullptr ? window->out_h(src.h) : src.h;
    node.shape.w = global ? 1 : window != nullptr ? window->out_w(src.w) : src.w;
  }
  return graph;
}

class DeviceEngine : public DeviceTest {
 protected:
  // Batch 3 with taps, alone, and as captured graph; one image as in the batch.
  void expect_like_cpu(const Graph& graph, const EngineOptions& options) {
    const std::vector<float> images = random_images(graph, kBatch, 77);
    const auto cpu = cpu::make_cpu_engine(graph, {.batch = kBatch, .every_node = true});
    const Tapped want = run_tapped(*cpu, images, kBatch);
    const auto device = engine(graph, options);
    expect_equal_tensors(graph, run_tapped(*device, images, kBatch), want);
    for (int pass = 0; pass < 4; ++pass) {  // as it is, captured for both input buffers, replayed
      EXPECT_EQ(run(*device, images, kBatch), want.logits) << "pass " << pass;
    }
    const std::size_t image = images.size() / kBatch, classes = want.logits.size() / kBatch;
    for (std::size_t i = 0; i < kBatch; ++i) {
      const std::vector<float> one(images.begin() + static_cast<std::ptrdiff_t>(i * image),
                                   images.begin() + static_cast<std::ptrdiff_t>((i + 1) * image));
      const std::vector<float> expected(want.logits.begin() + static_cast<std::ptrdiff_t>(i * classes),
                                        want.logits.begin() + static_cast<std::ptrdiff_t>((i + 1) * classes));
      EXPECT_EQ(run(*device, one, 1), expected) << "image " << i << " alone";
    }
  }

  // int8 of both activation types bit for bit, float32 and float16 to rounding.
  void expect_every_precision_like_cpu(const Graph& bound) {
    for (const DType activations : {DType::kU8, DType::kS8}) {
      expect_like_cpu(test::quantized(bound, activations), {.batch = kBatch});
    }
    const Graph graph = lower_float(bound);
    const std::vector<float> images = random_images(graph, kBatch, 77);
    const std::vector<float> want = run(*cpu::make_cpu_engine(graph, {.batch = kBatch}), images, kBatch);
    EXPECT_LT(relative_error(run(*engine(graph, {.batch = kBatch}), images, kBatch), want), 1e-5);
    const auto half = engine(graph, {.batch = kBatch, .math = FloatMath::kHalf});
    EXPECT_LT(relative_error(run(*half, images, kBatch), want), 1e-2);
  }
};

TEST_P(DeviceEngine, EveryTensorOfStaticInt8EqualsTheCpus) {
  for (const Activation last : {Activation::kNone, Activation::kRelu}) {
    for (const DType activations : {DType::kU8, DType::kS8}) {
      SCOPED_TRACE(to_string(activations) + (last == Activation::kRelu ? ", global average" : ", dense"));
      expect_like_cpu(test::quantized(bound_network(last), activations), {.batch = kBatch});
    }
  }
}

// Affines in int8 and in float32 and float16.
TEST_P(DeviceEngine, LoneBatchNormsEqualTheCpus) {
  Graph bound = test::lone_batch_norms();
  test::bind_random(bound, 2);
  expect_every_precision_like_cpu(bound);
}

// Each tensor of float32 networks to `tolerance` of its largest number.
void expect_close_tensors(const Graph& graph, const Tapped& got, const Tapped& want, double tolerance) {
  for (std::size_t i = 1; i < graph.nodes.size(); ++i) {
    std::vector<float> a(got.tensors[i].size() / sizeof(float)), b(want.tensors[i].size() / sizeof(float));
    ASSERT_EQ(a.size(), b.size()) << graph.nodes[i].name;
    std::memcpy(a.data(), got.tensors[i].data(), a.size() * sizeof(float));
    std::memcpy(b.data(), want.tensors[i].data(), b.size() * sizeof(float));
    double largest = 0;
    for (const float x : b) largest = std::max(largest, std::abs(double{x}));
    for (std::size_t k = 0; k < a.size(); ++k) {
      ASSERT_TRUE(std::abs(double{a[k]} - b[k]) <= tolerance * largest)
          << graph.nodes[i].name << ", element " << k << ": " << a[k] << ", not " << b[k];
    }
  }
}

// Functions, slopes, pairs: every integer tensor. What has no int8 form, float32 and float16: to rounding.
TEST_P(DeviceEngine, ComputingOperationsEqualTheCpus) {
  const std::vector<std::pair<Graph (*)(), bool>> networks{
      {test::functions, true}, {test::tensor_pairs, false}, {test::reductions, false}};
  for (const auto& network : networks) {
    Graph bound = network.first();
    test::bind_random(bound, 21);
    SCOPED_TRACE(bound.name);
    const std::vector<float> images = random_images(bound, kBatch, 77);
    for (const DType activations : {DType::kU8, DType::kS8}) {
      const Graph graph = test::quantized(bound, activations);
      if (network.second) {
        expect_like_cpu(graph, {.batch = kBatch});
        continue;
      }
      const std::vector<float> want = run(*cpu::make_cpu_engine(graph, {.batch = kBatch}), images, kBatch);
      EXPECT_LT(relative_error(run(*engine(graph, {.batch = kBatch}), images, kBatch), want), 1e-2);
    }
    const Graph graph = lower_float(bound);
    const Tapped tapped =
        run_tapped(*cpu::make_cpu_engine(graph, {.batch = kBatch, .every_node = true}), images, kBatch);
    const std::vector<float>& want = tapped.logits;
    const std::vector<float> two(images.begin(), images.begin() + std::ssize(images) / kBatch * 2);
    const auto device = engine(graph, {.batch = kBatch});
    expect_close_tensors(graph, run_tapped(*device, images, kBatch), tapped, 1e-5);
    EXPECT_LT(relative_error(run(*device, two, 2), {want.begin(), want.begin() + std::ssize(want) / kBatch * 2}), 1e-5);
    const auto half = engine(graph, {.batch = kBatch, .math = FloatMath::kHalf});
    EXPECT_LT(relative_error(run(*half, images, kBatch), want), 1e-2);
  }
}

TEST_P(DeviceEngine, MovesEqualTheCpus) {
  Graph bound = test::moves();
  test::bind_random(bound, 2);
  expect_every_precision_like_cpu(bound);
}

// Which runs them at once; this engine step by step. What has them joined already is refused.
TEST_P(DeviceEngine, DilationsEqualTheCpus) {
  Graph bound = test::dilations();
  test::bind_random(bound, 2);
  const Graph graph = test::quantized(bound, DType::kU8),
              joined = join_dilations(graph, [](const Node&) { return true; });
  const std::vector<float> images = random_images(graph, kBatch, 77);
  const std::vector<float> want = run(*cpu::make_cpu_engine(joined, {.batch = kBatch}), images, kBatch);
  EXPECT_EQ(run(*engine(graph, {.batch = kBatch}), images, kBatch), want);
  EXPECT_THROW(engine(joined, {.batch = kBatch}), Error);
}

// The device runs a convolution of each group: the engine's tensors have other places, its outputs the same bits.
TEST_P(DeviceEngine, GroupedConvolutionsEqualTheCpus) {
  for (Graph bound : {test::groups(), test::gates()}) {
    SCOPED_TRACE(bound.name);
    test::bind_random(bound, 4);
    const std::vector<float> images = random_images(bound, kBatch, 77);
    for (const DType activations : {DType::kU8, DType::kS8}) {
      const Graph graph = test::quantized(bound, activations);
      const std::vector<float> want = run(*cpu::make_cpu_engine(graph, {.batch = kBatch}), images, kBatch);
      EXPECT_EQ(run(*engine(graph, {.batch = kBatch}), images, kBatch), want) << to_string(activations);
    }
    const Graph graph = lower_float(bound);
    const std::vector<float> want = run(*cpu::make_cpu_engine(graph, {.batch = kBatch}), images, kBatch);
    EXPECT_LT(relative_error(run(*engine(graph, {.batch = kBatch}), images, kBatch), want), 1e-5);
  }
  Graph bound = test::groups();
  test::bind_random(bound, 4);
  const Graph dynamic = lower_reference(bound, {.scheme = Scheme::kReference});
  EXPECT_THROW(engine(dynamic, {.batch = kBatch}), Error);
}

// Linear resizing has the CPU's bits, in float32 networks and between int8 layers.
TEST_P(DeviceEngine, LinearResizingEqualsTheCpus) {
  GraphBuilder g("resize");
  int x = g.resize_linear("half", g.input(5, 4, 3), 11, 3);
  x = g.resize_linear("aligned", g.relu("relu", g.conv2d("conv", x, 8, 1, 1, {})), 6, 6, Grid::kAligned);
  x = g.resize_linear("asymmetric", x, 9, 10, Grid::kAsymmetric);
  Graph bound = g.finish(g.conv2d("last", x, 2, 1, 1, {}));
  test::bind_random(bound, 3);
  expect_like_cpu(test::quantized(bound, DType::kU8), {.batch = kBatch});
}

TEST_P(DeviceEngine, EveryKernelFamilyGivesTheSameBits) {
  const Graph graph = test::quantized(bound_network(), DType::kU8);
  for (const char* family : {"naive", "dp4a", "mma", "m8n8k16", "split"}) {
    SCOPED_TRACE(family);
    expect_like_cpu(graph, {.batch = kBatch, .kernel = family});
  }
}

TEST_P(DeviceEngine, LayersNameTheForcedKernelWhereItApplies) {
  const Graph graph = test::quantized(bound_network(), DType::kU8);
  const auto device = engine(graph, {.batch = 1, .kernel = "conv_s8_naive"});
  ASSERT_EQ(device->layers().size(), graph.nodes.size() - 1);
  int convolutions = 0;
  for (const LayerInfo& layer : device->layers()) {
    EXPECT_FALSE(layer.kernel.empty()) << layer.name;
    if (layer.op == "Conv2D" || layer.op == "Dense") {
      EXPECT_EQ(layer.kernel, "conv_s8_naive") << layer.name;
      ++convolutions;
    }
    if (layer.op == "DepthwiseConv2D") {
      EXPECT_NE(layer.kernel, "conv_s8_naive") << layer.name;
    }
    if (layer.kernel == "in place") {
      EXPECT_EQ(layer.bytes, 0) << layer.name;
    }
  }
  EXPECT_GE(convolutions, 9);
  EXPECT_EQ(device->device(), GetParam());
}

// A stem with its pool, and two branches behind it. Without ReLU its numbers are signed.
struct Stem {
  int h, w, c, filters, kernel, stride, pool, pool_stride;
  Pad conv_pad, pool_pad;
  bool relu;
};
Graph stem_network(const Stem& s) {
  GraphBuilder g("stem");
  int x =
      g.conv2d("stem", g.input(s.h, s.w, s.c), s.filters, s.kernel, s.kernel, {.stride = s.stride, .pad = s.conv_pad});
  if (s.relu) x = g.relu("stem_relu", x);
  x = g.max_pool("pool", x, s.pool, s.pool_stride, s.pool_pad);
  const int left = g.relu("left_relu", g.conv2d("left", x, 8, 1, 1, {}));
  const int right = g.relu("right_relu", g.conv2d("right", x, 8, 3, 3, {.pad = Pad::kSame}));
  Graph graph = g.finish(g.dense("logits", g.global_avg_pool("mean", g.concat("both", {left, right})), 7));
  test::bind_random(graph, 5);
  return graph;
}

const LayerInfo& layer_named(const Engine& engine, const std::string& name) {
  const auto& layers = engine.layers();
  return *std::find_if(layers.begin(), layers.end(), [&](const LayerInfo& layer) { return layer.name == name; });
}

// Joined, and with every tensor in memory where taps look at them.
TEST_P(DeviceEngine, StemsJoinedWithTheirPoolsEqualTheCpus) {
  constexpr Pad kSame = Pad::kSame, kValid = Pad::kValid;
  const Stem stems[] = {{41, 38, 3, 64, 7, 2, 3, 2, kSame, kSame, true},
                        {39, 47, 3, 20, 3, 2, 3, 2, kValid, kValid, true},
                        {23, 25, 4, 70, 5, 3, 2, 3, kSame, kValid, false},
                        {20, 33, 1, 16, 3, 1, 3, 1, kSame, kSame, false}};
  for (const Stem& stem : stems) {
    const Graph bound = stem_network(stem);
    for (const DType activations : {DType::kU8, DType::kS8}) {
      const Graph graph = test::quantized(bound, activations);
      for (const char* kernel : {"conv_first_pool_s8_mma_256x64x32", "conv_first_pool_s8_dp4a_256x64x4"}) {
        SCOPED_TRACE(kernel + std::string(" of ") + std::to_string(stem.filters) + " " + to_string(activations));
        expect_like_cpu(graph, {.batch = kBatch, .kernel = kernel});
        const auto device = engine(graph, {.batch = kBatch, .kernel = kernel});
        EXPECT_EQ(layer_named(*device, "stem").kernel, kernel);
        EXPECT_EQ(layer_named(*device, "pool").kernel, "in place");
        const auto apart = engine(graph, {.batch = kBatch, .kernel = "conv_first_s8"});
        EXPECT_EQ(layer_named(*apart, "pool").kernel, "max_pool_s8");
        const std::int64_t conv_bytes = graph.node(graph.find("stem")).shape.elements();
        const std::int64_t pool_bytes = graph.node(graph.find("pool")).shape.elements();
        EXPECT_EQ(layer_named(*apart, "stem").bytes - layer_named(*device, "stem").bytes, conv_bytes - pool_bytes);
      }
    }
  }
}

// In any order that streams allow.
TEST_P(DeviceEngine, JoinedPoolsOnDeferredStreams) {
  if (!emulated()) GTEST_SKIP() << "a GPU chooses its own order";
  const Graph graph =
      test::quantized(stem_network({41, 38, 3, 64, 7, 2, 3, 2, Pad::kSame, Pad::kSame, true}), DType::kU8);
  const std::vector<float> images = random_images(graph, 2, 5);
  const std::vector<float> want = run(*cpu::make_cpu_engine(graph, {.batch = 2}), images, 2);
  const auto device = engine(graph, {.batch = 2, .kernel = "conv_first_pool_s8_dp4a"});
  emulator::set_deferred(true);
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    emulator::set_options({.seed = seed});
    ASSERT_EQ(run(*device, images, 2), want) << "seed " << seed;
  }
}

// What is read twice, leaves the network, has another scale behind the pool, or many channels.
TEST(PooledConvs, AreThoseWhosePoolAloneReadsThem) {
  const auto pool_behind = [](const auto& build) {
    GraphBuilder g("stem");
    const int x = g.conv2d("stem", g.input(9, 9, 3), 8, 3, 3, {});
    Graph graph = build(g, g.relu("stem_relu", x));
    test::bind_random(graph, 1);
    graph = test::quantized(graph, DType::kU8);
    return PooledConvs(graph).pool_of(graph.find("stem"));
  };
  const auto plain = [](GraphBuilder& g, int x) {
    return g.finish(g.conv2d("last", g.max_pool("p", x, 2, 2), 4, 1, 1, {}));
  };
  EXPECT_GE(pool_behind(plain), 0);
  EXPECT_EQ(pool_behind([](GraphBuilder& g, int x) {
              const int pool = g.max_pool("p", x, 3, 1, Pad::kSame);
              return g.finish(g.conv2d("last", g.concat("both", {pool, x}), 4, 1, 1, {}));
            }),
            -1);
  EXPECT_EQ(pool_behind([](GraphBuilder& g, int x) {
              return g.finish({{"map", x}, {"last", g.conv2d("last", g.max_pool("p", x, 2, 2), 4, 1, 1, {})}});
            }),
            -1);
  EXPECT_EQ(pool_behind([](GraphBuilder& g, int x) {
              x = g.relu("deep_relu", g.conv2d("deep", x, 8, 1, 1, {}));
              return g.finish(g.conv2d("last", g.max_pool("p", x, 2, 2), 4, 1, 1, {}));
            }),
            -1);
  // Of two pools in a concat the one with the smaller range is requantized on the way.
  GraphBuilder g("two stems");
  const int x = g.input(9, 9, 3);
  std::vector<int> pools;
  for (const std::string name : {"one", "two"}) {
    pools.push_back(g.max_pool(name + "_pool", g.relu(name + "_relu", g.conv2d(name, x, 8, 3, 3, {})), 2, 2));
  }
  Graph graph = g.finish(g.conv2d("last", g.concat("both", pools), 4, 1, 1, {}));
  test::bind_random(graph, 1);
  graph = test::quantized(graph, DType::kU8);
  const PooledConvs both(graph);
  EXPECT_NE(both.pool_of(graph.find("one")) >= 0, both.pool_of(graph.find("two")) >= 0);
}

TEST_P(DeviceEngine, UnknownKernelIsAUsageErrorThatListsThem) {
  try {
    engine(test::quantized(bound_network(), DType::kU8), {.kernel = "fastest"});
    FAIL() << "accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUsage);
    EXPECT_NE(std::string(error.what()).find("conv_s8_naive"), std::string::npos) << error.what();
  }
}

TEST_P(DeviceEngine, WithoutGraphTheSameBits) {
  expect_like_cpu(test::quantized(branches(), DType::kU8), {.batch = kBatch, .cuda_graph = false});
}

// Dynamic scales, their convolutions and batch norms take the same float operations in the same order: exact.
TEST_P(DeviceEngine, ReferenceSchemeIsExactWithoutFloatSums) {
  GraphBuilder g("dynamic");
  int x = g.relu("bn1_relu", g.batch_norm("bn1", g.conv2d("one", g.input(9, 8, 3), 20, 3, 3, {.stride = 2})));
  x = g.relu6("bn2_relu", g.batch_norm("bn2", g.depthwise_conv2d("dw", x, 3, {.pad = Pad::kSame, .bias = false})));
  x = g.max_pool("pool", g.relu("two_relu", g.conv2d("two", x, 7, 1, 1, {})), 2, 1);
  Graph bound = g.finish(g.dense("logits", g.flatten("flat", x), 11));
  test::bind_random(bound, 4);
  expect_like_cpu(lower_reference(bound, {.scheme = Scheme::kReference}), {.batch = kBatch});
}

// Average pools and the pointwise halves of separable layers sum floats, and a sum that differs in its last bit can
// round to another int8 value behind it.
TEST_P(DeviceEngine, ReferenceSchemeIsCloseWithFloatSums) {
  const Graph graph = lower_reference(bound_network(), {.scheme = Scheme::kReference});
  const std::vector<float> images = random_images(graph, kBatch, 77);
  const std::vector<float> want = run(*cpu::make_cpu_engine(graph, {.batch = kBatch}), images, kBatch);
  const auto device = engine(graph, {.batch = kBatch});
  EXPECT_LT(relative_error(run(*device, images, kBatch), want), 5e-3);
  EXPECT_EQ(run(*device, images, kBatch), run(*device, images, kBatch)) << "graph and plain pass";
}

TEST_P(DeviceEngine, Float32IsCloseToTheCpus) {
  for (const Activation last : {Activation::kNone, Activation::kRelu}) {
    const Graph graph = lower_float(bound_network(last));
    const std::vector<float> images = random_images(graph, kBatch, 77);
    const std::vector<float> want = run(*cpu::make_cpu_engine(graph, {.batch = kBatch}), images, kBatch);
    const auto device = engine(graph, {.batch = kBatch});
    const std::vector<float> got = run(*device, images, kBatch);
    EXPECT_LT(relative_error(got, want), 1e-5);
    EXPECT_EQ(run(*device, images, kBatch), got) << "captured";
    const std::size_t image = images.size() / kBatch;
    const std::vector<float> first(images.begin(), images.begin() + static_cast<std::ptrdiff_t>(image));
    EXPECT_LT(relative_error(run(*device, first, 1), {want.begin(), want.begin() + std::ssize(want) / kBatch}), 1e-5);
  }
}

TEST_P(DeviceEngine, Float16IsCloseToFloat32) {
  const Graph graph = lower_float(bound_network());
  const std::vector<float> images = random_images(graph, kBatch, 77);
  const auto cpu = cpu::make_cpu_engine(graph, {.batch = kBatch});
  const auto device = engine(graph, {.batch = kBatch, .math = FloatMath::kHalf});
  const Tapped got = run_tapped(*device, images, kBatch), want = run_tapped(*cpu, images, kBatch);
  const double error = relative_error(got.logits, want.logits);
  EXPECT_LT(error, 1e-2);
  EXPECT_GT(error, 1e-6) << "float16 tensors were not used";
  for (std::size_t i = 0; i < want.tensors.size(); ++i) {
    EXPECT_EQ(got.tensors[i].size(), want.tensors[i].size()) << "taps are float32";
  }
  EXPECT_EQ(run(*device, images, kBatch), got.logits);
  EXPECT_EQ(run(*device, images, kBatch), got.logits) << "captured";
  EXPECT_LT(device->arena_bytes(), engine(graph, {.batch = kBatch})->arena_bytes());
}

TEST_P(DeviceEngine, Float16RefusesAQuantizedNetwork) {
  const Graph graph = test::quantized(bound_network(), DType::kU8);
  EXPECT_THROW(engine(graph, {.batch = 1, .math = FloatMath::kHalf}), Error);
}

// Images of several sizes, preprocessed by the device: the logits of those that the host preprocessed.
TEST_P(DeviceEngine, PreprocessesAsTheHost) {
  for (const FloatMath math : {FloatMath::kStrict, FloatMath::kHalf}) {
    const Graph graph =
        math == FloatMath::kHalf ? lower_float(bound_network()) : test::quantized(bound_network(), DType::kU8);
    const auto device = engine(graph, {.batch = kBatch, .math = math});
    ASSERT_NE(device->preprocessing(), nullptr);
    const Shape& shape = graph.input_node().shape;
    Random random(5);
    for (const Normalization normalization : {Normalization::kTf, Normalization::kCaffe, Normalization::kTorch}) {
      std::vector<Image> images;
      for (const int side : {shape.h, 40, 40}) {
        Image image{side, side, std::vector<std::uint8_t>(static_cast<std::size_t>(side * side * 3))};
        for (std::uint8_t& byte : image.rgb) byte = static_cast<std::uint8_t>(random.integer(0, 255));
        images.push_back(std::move(image));
      }
      std::vector<float> floats;
      for (const Image& image : images) {
        std::vector<float> one(static_cast<std::size_t>(shape.elements()));
        Preprocessing{{shape.h, shape.w, normalization}}.apply(image, one);
        floats.insert(floats.end(), one.begin(), one.end());
      }
      const std::vector<float> want = run(*device, floats, kBatch);
      std::vector<float> logits(want.size());
      for (int pass = 0; pass < 3; ++pass) {
        device->preprocessing()->submit(images, pixel_table(normalization));
        device->pipeline()->collect(logits);
        EXPECT_EQ(logits, want) << "pass " << pass;
      }
    }
  }
}

// The three steps of a pass: the logits of run(), as often as the middle one is repeated.
TEST_P(DeviceEngine, LoadsComputesAndFetchesApart) {
  for (const FloatMath math : {FloatMath::kStrict, FloatMath::kHalf}) {
    for (const bool cuda_graph : {true, false}) {
      const Graph graph =
          math == FloatMath::kHalf ? lower_float(bound_network()) : test::quantized(bound_network(), DType::kU8);
      const auto device = engine(graph, {.batch = kBatch, .math = math, .cuda_graph = cuda_graph});
      DeviceClock* const clock = device->device_clock();
      ASSERT_NE(clock, nullptr);
      EXPECT_THROW(clock->run_loaded(), Error);
      for (const int n : {kBatch, 1, 2}) {
        const std::vector<float> images = random_images(graph, n, static_cast<std::uint64_t>(n));
        std::vector<float> logits(run(*device, images, n).size());
        EXPECT_THROW(clock->fetch(logits), Error) << "run() has taken the buffer";
        EXPECT_GT(clock->load(images, n), 0);
        for (int pass = 0; pass < 3; ++pass) EXPECT_GT(clock->run_loaded(), 0);
        EXPECT_GT(clock->fetch(logits), 0);
        EXPECT_EQ(logits, run(*device, images, n)) << n << " images";
      }
    }
  }
}

// Batches of bytes' values, and one of which a value is none: the logits of floats, on streams in any order, too.
TEST_P(DeviceEngine, TakesPicturesAsBytes) {
  const auto table = std::make_shared<const PixelTable>(pixel_table(Normalization::kCaffe));
  for (const FloatMath math : {FloatMath::kStrict, FloatMath::kHalf}) {
    for (const bool integer : {true, false}) {
      if (integer && math == FloatMath::kHalf) continue;
      const Graph graph = integer ? test::quantized(bound_network(), DType::kU8) : lower_float(bound_network());
      const auto plain = engine(graph, {.batch = kBatch, .math = math});
      const auto device = engine(graph, {.batch = kBatch, .math = math, .pixels = table});
      if (emulated()) emulator::set_deferred(true);
      for (const int n : {kBatch, 1}) {
        std::vector<float> images = random_images(graph, n, static_cast<std::uint64_t>(n));
        Random random(7);
        for (std::size_t i = 0; i < images.size(); ++i)
          images[i] = table->values[i % 3][static_cast<std::size_t>(random.integer(0, 255))];
        std::vector<float> logits(run(*plain, images, n).size());
        for (const bool bytes : {true, false, true}) {
          std::vector<float> now = images;
          if (!bytes) now.back() = std::nextafter(now.back(), 1000.0f);
          const std::vector<float> want = run(*plain, now, n);
          EXPECT_EQ(run(*device, now, n), want);
          device->device_clock()->load(now, n);
          EXPECT_EQ(device->device_clock()->loaded_bytes(), bytes);
          for (int pass = 0; pass < 2; ++pass) device->device_clock()->run_loaded();
          device->device_clock()->fetch(logits);
          EXPECT_EQ(logits, want);
          std::vector<double> seconds(device->layers().size(), 0.0);
          device->run_timed(now, n, logits, seconds);
          EXPECT_EQ(logits, want);
          EXPECT_EQ(run_tapped(*device, now, n).logits, want);
        }
      }
      if (emulated()) emulator::set_deferred(false);
    }
  }
}

TEST_P(DeviceEngine, TimesEveryStep) {
  const Graph graph = test::quantized(branches(), DType::kU8);
  const auto device = engine(graph, {.batch = 2});
  const std::vector<float> images = random_images(graph, 2, 3);
  std::vector<float> logits(20);
  std::vector<double> seconds(device->layers().size(), 0.0);
  device->run_timed(images, 2, logits, seconds);
  EXPECT_EQ(logits, run(*device, images, 2));
  for (std::size_t i = 0; i < seconds.size(); ++i) {
    EXPECT_GE(seconds[i], 0) << device->layers()[i].name;
    if (device->layers()[i].op == "Conv2D") {
      EXPECT_GT(seconds[i], 0) << device->layers()[i].name;
    }
  }
  std::vector<double> wrong(1);
  EXPECT_THROW(device->run_timed(images, 2, logits, wrong), Error);
  EXPECT_THROW(device->run(images, 3, logits), Error);
}

// Streams that run in any order that events allow: a missing event or bytes shared between branches would show.
TEST_P(DeviceEngine, BranchesKeepTheirOrderOnDeferredStreams) {
  if (!emulated()) GTEST_SKIP() << "a GPU orders its streams itself";
  for (const Graph& graph : {test::quantized(branches(), DType::kU8), test::quantized(bound_network(), DType::kU8)}) {
    const std::vector<float> images = random_images(graph, 2, 5);
    const std::vector<float> want = run(*cpu::make_cpu_engine(graph, {.batch = 2}), images, 2);
    const auto device = engine(graph, {.batch = 2});
    emulator::set_deferred(true);
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
      emulator::set_options({.seed = seed});
      ASSERT_EQ(run(*device, images, 2), want) << "seed " << seed;
    }
    emulator::set_deferred(false);
  }
}

// Kernels that begin as early as they may: one that reads or writes before it has waited would show.
TEST_P(DeviceEngine, OverlapsLaunches) {
  if (runtime_->properties().code < 90) {
    EXPECT_THROW(engine(test::quantized(branches(), DType::kU8), {.overlap_launches = true}), Error);
    GTEST_SKIP() << runtime_->properties().name << " cannot";
  }
  const Graph graphs[] = {test::quantized(branches(), DType::kU8), test::quantized(bound_network(), DType::kS8),
                          lower_reference(bound_network(), {}), lower_float(branches())};
  for (const Graph& graph : graphs) {
    const std::vector<float> images = random_images(graph, 2, 5);
    const auto device = engine(graph, {.batch = 2, .overlap_launches = true});
    ASSERT_FALSE(device->notes().empty());
    const std::vector<float> want = run(*device, images, 2);  // kernel by kernel
    EXPECT_EQ(run(*engine(graph, {.batch = 2}), images, 2), want);
    if (emulated()) emulator::set_deferred(true);
    for (std::uint64_t seed = 1; seed <= 5; ++seed) {
      emulator::set_options({.schedule = emulator::Schedule::kRandom, .seed = seed});
      ASSERT_EQ(run(*device, images, 2), want) << "seed " << seed;
    }
    emulator::set_deferred(false);
  }
}

TEST_P(DeviceEngine, SaysThatThereAreNoChunks) {
  const auto device = engine(test::quantized(branches(), DType::kU8), {.batch = 2, .chunk = 1});
  ASSERT_FALSE(device->notes().empty());
  EXPECT_NE(device->notes().front().find("run whole"), std::string::npos) << device->notes().front();
}

// Batches of any size in chunks of any, on streams that defer and overlap, too: the logits of whole ones.
TEST_P(DeviceEngine, RunsFirstLayersInChunks) {
  const Graph graphs[] = {test::quantized(branches(), DType::kU8), test::quantized(bound_network(), DType::kS8),
                          lower_reference(bound_network(), {}), lower_float(branches())};
  const auto table = std::make_shared<const PixelTable>(pixel_table(Normalization::kTf));
  for (const Graph& graph : graphs) {
    const auto whole = engine(graph, {.batch = 7});
    std::size_t cache = 1000;  // that holds some images of the first layers
    while (plan_chunks(graph, 7, kChunkByCache, cache).last == 0) cache += cache / 16;
    for (const int images : {1, 3, kChunkByCache}) {
      const bool overlaps = images == 3 && runtime_->properties().code >= 90;
      const auto device = make_device_engine(
          runtime_, GetParam(), graph, {.batch = 7, .overlap_launches = overlaps, .chunk = images, .pixels = table},
          {.cache_bytes = cache});
      const std::vector<std::string> notes = device->notes();
      EXPECT_TRUE(std::any_of(notes.begin(), notes.end(), [](const std::string& note) {
        return note.find("images at a time") != std::string::npos;
      }));
      if (images == 1) {
        EXPECT_LT(device->arena_bytes(), whole->arena_bytes());
      }
      if (emulated()) emulator::set_deferred(true);
      for (const int n : {7, 1, 6}) {
        std::vector<float> pixels = random_images(graph, n, static_cast<std::uint64_t>(n));
        for (std::size_t i = 0; i < pixels.size(); ++i) pixels[i] = table->values[i % 3][i * 37 % 256];
        EXPECT_EQ(run(*device, pixels, n), run(*whole, pixels, n)) << images << " of " << n;
      }
      if (emulated()) emulator::set_deferred(false);
      EXPECT_THROW(run_tapped(*device, random_images(graph, 7, 1), 7), Error);
    }
  }
}

// The whole of InceptionV3: eleven blocks of parallel branches.
TEST_P(DeviceEngine, InceptionOnDeferredStreams) {
  Graph bound = on_smaller_images(find_model("inceptionv3").build({.alpha = 1, .variant = ""}), 75);
  test::bind_random(bound, 3);
  const Graph graph = test::quantized(bound, DType::kU8);
  const std::vector<float> images = random_images(graph, 1, 5);
  const Tapped want = run_tapped(*cpu::make_cpu_engine(graph, {.batch = 1}), images, 1);
  const auto device = engine(graph, {.batch = 1});
  expect_equal_tensors(graph, run_tapped(*device, images, 1), want);
  if (emulated()) emulator::set_deferred(true);
  for (const char* pass : {"in order", "captured"}) EXPECT_EQ(run(*device, images, 1), want.logits) << pass;
}

INSTANTIATE_TEST_SUITE_P(, DeviceEngine, testing::Values("emu", "gpu"),
                         [](const auto& device) { return std::string(device.param); });

}  // namespace
}  // namespace gpueval::cuda
