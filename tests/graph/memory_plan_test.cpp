// SPDX-License-Identifier: Apache-2.0
#include "graph/memory_plan.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "core/random.h"
#include "graph/passes.h"

namespace gpueval {
namespace {

std::int64_t bytes_of(const Graph& graph, std::size_t root, int batch) {
  return graph.nodes[root].shape.elements() * batch * static_cast<std::int64_t>(size_of(graph.nodes[root].type.dtype));
}

// Roots that are alive together never share a byte, and all lie in the arena.
void expect_no_overlap(const Graph& graph, int batch) {
  const MemoryPlan plan = plan_memory(graph, batch);
  for (std::size_t i = 1; i < graph.nodes.size(); ++i) {
    if (graph.nodes[i].slice_of >= 0) continue;
    const TensorPlacement& a = plan.tensors[i];
    EXPECT_EQ(a.offset % 64, 0);
    EXPECT_LE(a.offset + bytes_of(graph, i, batch), plan.arena_bytes);
    for (std::size_t j = 1; j < i; ++j) {
      if (graph.nodes[j].slice_of >= 0) continue;
      const TensorPlacement& b = plan.tensors[j];
      const bool together = a.first_step <= b.last_step && b.first_step <= a.last_step;
      const bool overlap =
          a.offset < b.offset + bytes_of(graph, j, batch) && b.offset < a.offset + bytes_of(graph, i, batch);
      EXPECT_FALSE(together && overlap) << graph.nodes[i].name << " and " << graph.nodes[j].name;
    }
  }
}

TEST(MemoryPlan, RandomGraphs) {
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed);
    GraphBuilder g("random");
    std::vector<int> values{g.input(6, 6, 3)};
    for (int i = 0; i < 30; ++i) {
      const auto pick = [&] {
        return values[static_cast<std::size_t>(random.integer(0, static_cast<int>(values.size()) - 1))];
      };
      const std::string name = fmt::format("n{}", i);
      const int a = pick(), b = pick();
      if (random.integer(0, 2) == 0 && a != b) {
        values.push_back(g.concat(name, {a, b}));
      } else {
        values.push_back(g.conv2d(name, a, random.integer(1, 9), 1, 1, {}));
      }
      if (values.size() > 6) values.erase(values.begin());
    }
    const Graph graph = place_concat(rewire(g.finish(values.back()), std::vector<int>(31, -1)));
    expect_no_overlap(graph, 1);
    expect_no_overlap(graph, 3);
  }
}

TEST(MemoryPlan, AChainReusesTwoBuffers) {
  GraphBuilder g("chain");
  int x = g.input(8, 8, 4);
  for (int i = 0; i < 10; ++i) x = g.conv2d(fmt::format("conv{}", i), x, 4, 1, 1, {});
  const MemoryPlan plan = plan_memory(g.finish(x), 2);
  EXPECT_EQ(plan.arena_bytes, 2 * (2 * 8 * 8 * 4 * 4));
}

// An output in the middle of a chain keeps its buffer: the two of the chain go on around it.
TEST(MemoryPlan, OutputsLiveUntilTheEnd) {
  GraphBuilder g("chain");
  int x = g.input(8, 8, 4);
  const int early = x = g.conv2d("early", x, 4, 1, 1, {});
  for (int i = 0; i < 6; ++i) x = g.conv2d(fmt::format("conv{}", i), x, 4, 1, 1, {});
  const Graph graph = g.finish({{"early", early}, {"late", x}});
  const MemoryPlan plan = plan_memory(graph, 2);
  EXPECT_EQ(plan.tensors[1].last_step, 8);
  EXPECT_EQ(plan.tensors[7].last_step, 8);
  EXPECT_EQ(plan.arena_bytes, 3 * (2 * 8 * 8 * 4 * 4));
  expect_no_overlap(graph, 2);
}

// A tensor that an earlier step writes, too, lies beside what that step reads.
TEST(MemoryPlan, ExtraWritesBeginALifeEarlier) {
  GraphBuilder g("chain");
  int x = g.conv2d("source", g.input(8, 8, 4), 4, 1, 1, {});
  x = g.max_pool("pool", g.conv2d("conv", x, 4, 1, 1, {}), 1, 1);
  const Graph graph = g.finish(g.conv2d("last", x, 4, 1, 1, {}));
  const StepsBefore in_order = [](int a, int b) { return a < b; };
  const ExtraWrite early{.step = 2, .tensor = 3};
  for (const StepsBefore& before : {StepsBefore(), in_order}) {
    const MemoryPlan plan = plan_memory(graph, 1, PitchRule::kDense, before);
    EXPECT_EQ(plan.tensors[3].offset, plan.tensors[1].offset);
    const MemoryPlan extra = plan_memory(graph, 1, PitchRule::kDense, before, {}, std::span(&early, 1));
    EXPECT_NE(extra.tensors[3].offset, extra.tensors[1].offset);
    EXPECT_EQ(extra.tensors[3].first_step, 2);
  }
}

TEST(MemoryPlan, ASliceLiesInItsConcat) {
  GraphBuilder g("slices");
  const int x = g.input(2, 2, 4);
  const int a = g.conv2d("a", x, 3, 1, 1, {}), b = g.conv2d("b", x, 5, 1, 1, {});
  const Graph graph = place_concat(g.finish(g.concat("cat", {a, b})));
  const MemoryPlan plan = plan_memory(graph, 1);
  EXPECT_EQ(plan.tensors[2].offset, plan.tensors[3].offset + 3 * 4);
  EXPECT_EQ(plan.tensors[2].pitch, 8);
  EXPECT_EQ(plan.tensors[1].first_step, 1);
  EXPECT_EQ(plan.tensors[0].offset, -1);
}

}  // namespace
}  // namespace gpueval
