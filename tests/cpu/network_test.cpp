// SPDX-License-Identifier: Apache-2.0
// Whole networks: the engine's tensors equal the reference's bit by bit, for every ISA level, batch and thread count.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <memory>

#include "core/threads.h"
#include "cpu/engine.h"
#include "gpueval/quant.h"
#include "graph/passes.h"
#include "reference/network.h"
#include "support/test_networks.h"

namespace gpueval {
namespace {

using test::bind_random;
using test::dilations;
using test::everything;
using test::gates;
using test::groups;
using test::lone_batch_norms;
using test::moves;
using test::quantized;
using test::random_images;

struct Case {
  const char* name;
  Graph (*build)();
  DType activations;
};

class Int8Network : public testing::TestWithParam<Case> {
 protected:
  void TearDown() override { set_threads(0); }
};

TEST_P(Int8Network, EqualsTheReferenceInEveryTensor) {
  Graph bound = GetParam().build();
  bind_random(bound, 1);
  const Graph graph = quantized(bound, GetParam().activations);
  constexpr int kBatch = 3;
  const std::vector<float> images = random_images(bound, kBatch, 77);
  const std::size_t image = images.size() / kBatch;
  std::vector<reference::NetworkResult> expected;
  for (std::size_t n = 0; n < kBatch; ++n) {
    expected.push_back(reference::run_network(graph, std::span(images).subspan(n * image, image)));
  }
  const auto classes = static_cast<std::size_t>(graph.output_node().shape.c);
  for (const char* isa : {"portable", "avx2", "avx_vnni", "avx512_vnni", "amx"}) {
    std::unique_ptr<Engine> engine;
    try {
      engine = cpu::make_cpu_engine(graph, {.batch = kBatch, .kernel = isa});
    } catch (const std::exception& error) {
      GTEST_LOG_(INFO) << "not on this machine: " << error.what();
      continue;
    }
    for (const int workers : {1, 2}) {
      SCOPED_TRACE(std::string(isa) + ", threads " + std::to_string(workers));
      set_threads(workers);
      std::vector<float> logits(kBatch * classes);
      engine->run_tapped(images, kBatch, logits, [&](int index, const TensorView& view) {
        if (view.dtype == DType::kF32) return;
        const int given = graph.find(engine->graph().node(index).name);  // the engine may run several as one
        const auto* bytes = static_cast<const std::uint8_t*>(view.data);
        const Shape& s = view.shape;
        for (std::int64_t p = 0; p < s.pixels(); ++p) {
          const auto n = static_cast<std::size_t>(p / (s.h * s.w));
          const reference::QuantTensor& want = expected[n].tensors[static_cast<std::size_t>(given)];
          const std::uint8_t* row = &want.bytes[static_cast<std::size_t>(p % (s.h * s.w) * s.c)];
          ASSERT_EQ(std::memcmp(bytes + p * view.pitch, row, static_cast<std::size_t>(s.c)), 0)
              << graph.node(given).name << ", image " << n << ", pixel " << p % (s.h * s.w);
        }
      });
      for (std::size_t i = 0; i < logits.size(); ++i) {
        ASSERT_EQ(logits[i], expected[i / classes].logits[i % classes])
            << "image " << i / classes << ", class " << i % classes;
      }
      std::vector<float> again(logits.size());  // without taps: image by image where that pays (lanes.h)
      engine->run(images, kBatch, again);
      EXPECT_EQ(again, logits);
      std::vector<float> one(classes);  // batch 1 = the same image in a batch of 3
      engine->run(std::span(images).subspan(image, image), 1, one);
      EXPECT_TRUE(std::equal(one.begin(), one.end(), logits.begin() + static_cast<std::ptrdiff_t>(classes)));
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    Cases, Int8Network,
    testing::Values(Case{"Dense", [] { return everything(Activation::kNone); }, DType::kU8},
                    Case{"GlobalAverage", [] { return everything(Activation::kRelu); }, DType::kU8},
                    Case{"Dense", [] { return everything(Activation::kNone); }, DType::kS8},
                    Case{"Groups", groups, DType::kU8}, Case{"Groups", groups, DType::kS8},
                    Case{"Gates", gates, DType::kU8}, Case{"Gates", gates, DType::kS8},
                    Case{"Moves", moves, DType::kU8}, Case{"Moves", moves, DType::kS8},
                    Case{"Dilations", dilations, DType::kU8}, Case{"Dilations", dilations, DType::kS8},
                    Case{"LoneBatchNorms", lone_batch_norms, DType::kU8},
                    Case{"LoneBatchNorms", lone_batch_norms, DType::kS8}),
    [](const auto& row) { return std::string(row.param.name) + "_" + to_string(row.param.activations); });

// int8 is a rounding of the float network, not another function.
TEST(Int8Network, IsCloseToFloat32) {
  for (Graph bound : {everything(Activation::kNone), lone_batch_norms(), moves(), groups(), dilations(), gates()}) {
    SCOPED_TRACE(bound.name);
    bind_random(bound, 3);
    const std::vector<float> images = random_images(bound, 2, 5);
    std::vector<float> exact(2 * static_cast<std::size_t>(bound.output_node().shape.elements())), rounded(exact);
    cpu::make_cpu_engine(lower_float(bound), {.batch = 2})->run(images, 2, exact);
    cpu::make_cpu_engine(quantized(bound, DType::kU8), {.batch = 2})->run(images, 2, rounded);
    double error = 0, norm = 0;
    for (std::size_t i = 0; i < exact.size(); ++i) {
      error += std::pow(exact[i] - rounded[i], 2);
      norm += std::pow(exact[i], 2);
    }
    EXPECT_LT(std::sqrt(error / norm), 0.1);
    EXPECT_GT(error, 0);
  }
}

// Moves are exact in float32, too; what convolutions between them round differs a little.
TEST(FloatNetwork, MovesAsTheReferenceDoes) {
  Graph bound = moves();
  bind_random(bound, 4);
  const Graph graph = lower_float(bound);
  const std::vector<float> images = random_images(bound, 2, 8);
  auto engine = cpu::make_cpu_engine(graph, {.batch = 3});
  for (const int image : {0, 1}) {
    const std::size_t size = images.size() / 2, first = static_cast<std::size_t>(image) * size;
    const reference::NetworkResult want = reference::run_network(graph, std::span(images).subspan(first, size));
    std::vector<float> logits(22);
    engine->run_tapped(images, 2, logits, [&](int index, const TensorView& view) {
      const std::vector<float>& values = want.floats[static_cast<std::size_t>(index)].values;
      const float* got = static_cast<const float*>(view.data) + static_cast<std::ptrdiff_t>(values.size()) * image;
      double error = 0, norm = 0;
      for (std::size_t i = 0; i < values.size(); ++i) {
        error += std::pow(got[i] - values[i], 2);
        norm += std::pow(values[i], 2);
      }
      EXPECT_LE(std::sqrt(error / norm), index == 1 ? 0 : 1e-6) << graph.node(index).name;
    });
  }
}

// What an engine runs of a network with dilations, in both forms, and that it computes the same as node by node.
TEST(Dilations, AreJoinedUnlessEveryNodeIsWanted) {
  Graph bound = dilations();
  bind_random(bound, 4);
  const std::vector<float> images = random_images(bound, 2, 8);
  const auto count = [](const Graph& graph) {
    return std::count_if(graph.nodes.begin(), graph.nodes.end(),
                         [](const Node& node) { return std::holds_alternative<BatchToSpace>(node.op); });
  };
  for (const bool is_float : {true, false}) {
    SCOPED_TRACE(is_float ? "float32" : "int8");
    const Graph graph = is_float ? lower_float(bound) : quantized(bound, DType::kU8);
    const auto joined = cpu::make_cpu_engine(graph, {.batch = 2}),
               whole = cpu::make_cpu_engine(graph, {.batch = 2, .every_node = true});
    EXPECT_EQ(count(whole->graph()), 5);
    EXPECT_EQ(count(joined->graph()), is_float ? 3 : 0);  // depthwise ones alone
    EXPECT_EQ(joined->layers().size() + 1, joined->graph().nodes.size());
    EXPECT_LE(joined->arena_bytes(), whole->arena_bytes());
    std::vector<float> one(2 * 54), three(2 * 54);
    joined->run(images, 2, one);
    whole->run(images, 2, three);
    for (std::size_t i = 0; i < one.size(); ++i) ASSERT_NEAR(one[i], three[i], is_float ? 1e-5 : 0) << i;
  }
}

// A float32 island: what is in front and behind is int8.
TEST(FloatNetwork, ResizesLinearly) {
  GraphBuilder g("resize");
  int x = g.relu("relu", g.conv2d("conv", g.input(5, 4, 3), 7, 1, 1, {}));
  x = g.resize_linear("half", x, 11, 3);
  x = g.resize_linear("aligned", x, 6, 6, Grid::kAligned);
  x = g.resize_linear("asymmetric", x, 9, 10, Grid::kAsymmetric);
  Graph bound = g.finish(g.conv2d("last", x, 2, 1, 1, {}));
  bind_random(bound, 2);
  const std::vector<float> images = random_images(bound, 1, 3);
  const Graph int8 = quantized(bound, DType::kU8);
  for (const char* name : {"half", "aligned", "asymmetric"}) {
    EXPECT_EQ(int8.node(int8.find(name)).type.dtype, DType::kF32) << name;
  }
  EXPECT_EQ(int8.node(int8.find("last")).inputs[0], int8.find("asymmetric/quantize"));
  for (const Graph& graph : {lower_float(bound), int8}) {
    const reference::NetworkResult want = reference::run_network(graph, images);
    std::vector<float> got(want.logits.size());
    auto engine = cpu::make_cpu_engine(graph, {.batch = 2});
    engine->run_tapped(images, 1, got, [&](int index, const TensorView& view) {
      if (!std::holds_alternative<ResizeLinear>(graph.node(index).op)) return;
      const std::vector<float>& values = want.floats[static_cast<std::size_t>(index)].values;
      for (std::size_t i = 0; i < values.size(); ++i) {
        ASSERT_NEAR(static_cast<const float*>(view.data)[i], values[i], 1e-5) << graph.node(index).name << ' ' << i;
      }
    });
  }
}

// Batch norms as they are (the reference evaluates their definition), and what lower_float makes of them.
TEST(FloatNetwork, BatchNormsKeepTheFunction) {
  for (Graph bound : {lone_batch_norms(), moves(), groups()}) {
    SCOPED_TRACE(bound.name);
    bind_random(bound, 6);
    const std::vector<float> image = random_images(bound, 1, 9);
    const std::vector<float> want = reference::run_network(fold_padding(bound), image).logits;
    const Graph lowered = lower_float(bound);
    for (const Node& node : lowered.nodes) EXPECT_NE(op_name(node.op), "BatchNorm") << node.name;
    std::vector<float> got(want.size());
    cpu::make_cpu_engine(lowered, {})->run(image, 1, got);
    double error = 0, norm = 0;
    for (std::size_t i = 0; i < want.size(); ++i) {
      error += std::pow(got[i] - want[i], 2);
      norm += std::pow(want[i], 2);
    }
    EXPECT_LT(std::sqrt(error / norm), 1e-5);
  }
}

TEST(DynamicInt8, QuantizesEveryImageByItself) {
  GraphBuilder g("one");
  Graph bound = g.finish(g.dense("logits", g.input(1, 1, 2), 2));
  bound.nodes[1].params[0].array.data =
      std::make_shared<const std::vector<float>>(std::vector<float>{1.0f, 0.0f, 0.0f, 0.5f});
  bound.nodes[1].params[1].array.data = std::make_shared<const std::vector<float>>(std::vector<float>{10.0f, 0.0f});
  auto engine = cpu::make_cpu_engine(lower_reference(bound, {}), {.batch = 2});
  // s_w = 1/127: q_w = (127, 0; 0, 64). Image 1: s_x = 2/127, q = (127, 64): 127*127*s + 10 and 64*64*s.
  std::vector<float> logits(4);
  engine->run(std::vector<float>{2.0f, 1.0f, 200.0f, 100.0f}, 2, logits);
  EXPECT_FLOAT_EQ(logits[0], 2.0f + 10.0f);
  EXPECT_FLOAT_EQ(logits[1], 64.0f * 64.0f * 2.0f / (127.0f * 127.0f));
  EXPECT_FLOAT_EQ(logits[2], 210.0f);
  EXPECT_FLOAT_EQ(logits[3], 100.0f * logits[1]);
}

}  // namespace
}  // namespace gpueval
