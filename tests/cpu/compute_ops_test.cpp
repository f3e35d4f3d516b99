// SPDX-License-Identifier: Apache-2.0
// Functions, slopes, operations of two tensors, softmax, normalizations and reductions in whole networks: every integer
// tensor has the reference's bits, every float32 one its numbers but for rounding, whatever the batch, the number of
// images, of threads, and the instruction set.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <memory>

#include "cpu/int8/isa.h"
#include "gpueval/quant.h"
#include "graph/passes.h"
#include "reference/network.h"
#include "support/compute_networks.h"

namespace gpueval {
namespace {

constexpr int kWholeBatch = 3;

// An image's pixels of a tensor, dense.
template <typename T>
std::vector<T> pixels_of(const TensorView& view, std::int64_t image) {
  const Shape& s = view.shape;
  std::vector<T> out;
  for (std::int64_t p = image * s.h * s.w; p < (image + 1) * s.h * s.w; ++p) {
    const T* pixel = static_cast<const T*>(view.data) + p * view.pitch;
    out.insert(out.end(), pixel, pixel + s.c);
  }
  return out;
}

// The engine's tensors of each of the n images.
std::vector<reference::NetworkResult> engine_tensors(Engine& engine, const Graph& graph, std::span<const float> images,
                                                     int n, std::vector<float>& logits) {
  const std::size_t size = images.size() / kWholeBatch;
  std::vector<reference::NetworkResult> results(static_cast<std::size_t>(n));
  for (std::size_t image = 0; image < results.size(); ++image) {
    const auto pixels = images.subspan(image * size, size);
    results[image].tensors.resize(graph.nodes.size());
    results[image].floats.resize(graph.nodes.size());
    results[image].floats[0] = {graph.input_node().shape, {pixels.begin(), pixels.end()}};
  }
  engine.run_tapped(images, n, logits, [&](int index, const TensorView& view) {
    EXPECT_EQ(view.shape.n, n);
    const auto i = static_cast<std::size_t>(index);
    for (std::size_t image = 0; image < results.size(); ++image) {
      const Shape& shape = graph.node(index).shape;
      const auto number = static_cast<std::int64_t>(image);
      if (view.dtype == DType::kF32) {
        results[image].floats[i] = {shape, pixels_of<float>(view, number)};
      } else {
        results[image].tensors[i] = {view.dtype, shape};
        results[image].tensors[i].bytes = pixels_of<std::uint8_t>(view, number);
      }
    }
  });
  return results;
}

bool is_conv(const Graph& graph, int node) { return conv_desc(graph, node).has_value(); }

// Each node but convolutions against the reference on the engine's own sources. How many integer tensors those were.
int compare_nodes(const Graph& graph, const reference::NetworkResult& engine) {
  constexpr double kTolerance = 1e-6;  // of a tensor's largest number
  int integers = 0;
  for (int node = 1; node < static_cast<int>(graph.nodes.size()); ++node) {
    if (is_conv(graph, node)) continue;
    SCOPED_TRACE(graph.node(node).name);
    const auto i = static_cast<std::size_t>(node);
    reference::NetworkResult expected = engine;
    run_node(graph, node, expected);
    EXPECT_EQ(engine.tensors[i].bytes, expected.tensors[i].bytes);
    integers += expected.tensors[i].bytes.empty() ? 0 : 1;
    double largest = 0;
    for (const float x : expected.floats[i].values) largest = std::max(largest, std::abs(double{x}));
    if (engine.floats[i].values.size() != expected.floats[i].values.size()) ADD_FAILURE() << "sizes differ";
    for (std::size_t k = 0; k < std::min(engine.floats[i].values.size(), expected.floats[i].values.size()); ++k) {
      const double got = engine.floats[i].values[k], want = expected.floats[i].values[k];
      if (std::abs(got - want) <= kTolerance * largest) continue;  // false for NaN
      ADD_FAILURE() << "element " << k << ": " << got << ", not " << want;
      break;
    }
  }
  return integers;
}

struct ComputeCase {
  const char* name;
  Graph (*build)();
};

class ComputeOps : public testing::TestWithParam<ComputeCase> {
 protected:
  void TearDown() override {
    unsetenv("GPUEVAL_CPU_ISA");
    set_threads(0);
  }
  static void compare(const Graph& graph, const std::vector<float>& images, int n, int integers) {
    const auto engine = cpu::make_cpu_engine(graph, {.batch = kWholeBatch});
    const auto size = static_cast<std::size_t>(graph.output_node().shape.elements());
    std::vector<float> logits(kWholeBatch * size), in_lanes(kWholeBatch * size);
    for (const auto& result : engine_tensors(*engine, graph, images, n, logits)) {
      EXPECT_GE(compare_nodes(graph, result), integers);
    }
    engine->run(images, n, in_lanes);
    for (std::size_t i = 0; i < static_cast<std::size_t>(n) * size; ++i) {
      EXPECT_TRUE(std::abs(in_lanes[i] - logits[i]) <= 1e-4f * std::max(1.0f, std::abs(logits[i]))) << i;
    }
  }
};

TEST_P(ComputeOps, EqualTheReference) {
  Graph bound = GetParam().build();
  test::bind_random(bound, 21);
  const std::vector<float> images = test::random_images(bound, kWholeBatch, 22);
  for (const cpu::Isa isa : cpu::usable_isas()) {
    if (isa != vector_isa(isa)) continue;  // it has no loops of its own
    ASSERT_EQ(setenv("GPUEVAL_CPU_ISA", to_string(isa).c_str(), 1), 0);
    for (const int n : {2, kWholeBatch}) {
      SCOPED_TRACE(to_string(isa) + ", " + std::to_string(n) + " images");
      set_threads(n - 1);
      compare(lower_float(bound), images, n, 0);
      compare(test::quantized(bound, DType::kU8), images, n, 20);
      compare(test::quantized(bound, DType::kS8), images, n, 20);
    }
    compare(lower_reference(bound, {}), images, 2, 0);
  }
}

INSTANTIATE_TEST_SUITE_P(Networks, ComputeOps,
                         testing::Values(ComputeCase{"Functions", test::functions},
                                         ComputeCase{"Pairs", test::tensor_pairs},
                                         ComputeCase{"Reductions", test::reductions}),
                         [](const auto& row) { return std::string(row.param.name); });

}  // namespace
}  // namespace gpueval
