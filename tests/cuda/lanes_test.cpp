// SPDX-License-Identifier: Apache-2.0
// Which branch runs on which stream, and that no bytes are shared between steps that may run at the same time.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "core/random.h"
#include "cuda/engine/lanes.h"
#include "gpueval/models.h"
#include "graph/memory_plan.h"
#include "graph/passes.h"

namespace gpueval::cuda {
namespace {

Graph fork_and_join() {
  GraphBuilder g("fork");
  const int x = g.conv2d("stem", g.input(4, 4, 3), 16, 1, 1, {});
  const int left = g.conv2d("left2", g.conv2d("left1", x, 16, 1, 1, {}), 16, 1, 1, {});
  const int right = g.conv2d("right2", g.conv2d("right1", x, 16, 1, 1, {}), 16, 1, 1, {});
  return g.finish(g.conv2d("after", g.add("join", {left, right}), 16, 1, 1, {}));
}

TEST(Lanes, BranchesGetTheirOwnAndJoin) {
  const Graph graph = fork_and_join();
  const LanePlan plan = plan_lanes(graph, 4);
  const auto lane = [&](const char* name) { return plan.lane[static_cast<std::size_t>(graph.find(name))]; };
  EXPECT_EQ(plan.lanes, 2);
  EXPECT_EQ(lane("stem"), 0);
  EXPECT_EQ(lane("left1"), 0);
  EXPECT_EQ(lane("left2"), 0);
  EXPECT_EQ(lane("right1"), 1);
  EXPECT_EQ(lane("right2"), 1);
  EXPECT_EQ(lane("join"), 0);
  EXPECT_EQ(lane("after"), 0);
  const auto waits = [&](const char* name) { return plan.waits[static_cast<std::size_t>(graph.find(name))]; };
  EXPECT_EQ(waits("right1"), std::vector<int>{graph.find("stem")});
  EXPECT_EQ(waits("right2"), std::vector<int>{});
  EXPECT_EQ(waits("join"), std::vector<int>{graph.find("right2")});
  EXPECT_TRUE(plan.joins.empty());

  const StepOrder order(graph, plan);
  const auto before = [&](const char* a, const char* b) { return order.before(graph.find(a), graph.find(b)); };
  EXPECT_TRUE(before("stem", "right2"));
  EXPECT_TRUE(before("right1", "after"));
  EXPECT_FALSE(before("left2", "right1"));
  EXPECT_FALSE(before("right1", "left2"));
  EXPECT_FALSE(before("join", "join"));
}

TEST(Lanes, OneLaneIsTheGraphsOwnOrder) {
  const Graph graph = fork_and_join();
  const LanePlan plan = plan_lanes(graph, 1);
  EXPECT_EQ(plan.lanes, 1);
  const StepOrder order(graph, plan);
  for (int a = 0; a < std::ssize(graph.nodes); ++a) {
    EXPECT_TRUE(plan.waits[static_cast<std::size_t>(a)].empty());
    for (int b = 0; b < std::ssize(graph.nodes); ++b) EXPECT_EQ(order.before(a, b), a < b);
  }
  EXPECT_EQ(plan_memory(graph, 2, PitchRule::kDevice, [&](int a, int b) { return order.before(a, b); }).arena_bytes,
            plan_memory(graph, 2, PitchRule::kDevice).arena_bytes);
}

int root_of(const Graph& graph, int node) {
  while (graph.node(node).slice_of >= 0) {
    node = graph.node(node).slice_of;
  }
  return node;
}

// Inputs are ready when a step begins; two tensors that overlap are never touched by steps without an order.
void expect_sound(const Graph& graph, int max_lanes) {
  const LanePlan plan = plan_lanes(graph, max_lanes);
  EXPECT_LE(plan.lanes, max_lanes);
  const StepOrder order(graph, plan);
  const MemoryPlan memory = plan_memory(graph, 2, PitchRule::kDevice, [&](int a, int b) { return order.before(a, b); });
  const int count = static_cast<int>(graph.nodes.size());
  std::vector<std::vector<int>> steps(graph.nodes.size());  // that touch a root's bytes
  for (int i = 0; i < count; ++i) {
    steps[static_cast<std::size_t>(root_of(graph, i))].push_back(i);
    for (const int input : graph.node(i).inputs) {
      EXPECT_TRUE(order.before(input, i)) << graph.node(i).name;
      steps[static_cast<std::size_t>(root_of(graph, input))].push_back(i);
    }
  }
  const auto all_before = [&](int a, int b) {
    for (const int i : steps[static_cast<std::size_t>(a)]) {
      for (const int j : steps[static_cast<std::size_t>(b)]) {
        if (!order.before(i, j)) return false;
      }
    }
    return a != root_of(graph, graph.output());  // that one is read last of all
  };
  const auto bytes = [&](int i) {
    const Node& node = graph.node(i);
    return node.shape.pixels() * 2 * memory.tensors[static_cast<std::size_t>(i)].pitch *
           static_cast<std::int64_t>(size_of(node.type.dtype));
  };
  for (int a = 1; a < count; ++a) {
    for (int b = 1; b < a; ++b) {
      if (root_of(graph, a) != a || root_of(graph, b) != b) continue;
      const std::int64_t from_a = memory.tensors[static_cast<std::size_t>(a)].offset;
      const std::int64_t from_b = memory.tensors[static_cast<std::size_t>(b)].offset;
      const bool overlap = from_a < from_b + bytes(b) && from_b < from_a + bytes(a);
      EXPECT_TRUE(!overlap || all_before(a, b) || all_before(b, a))
          << graph.node(a).name << " and " << graph.node(b).name;
    }
  }
}

TEST(Lanes, RandomGraphsAreSound) {
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed);
    GraphBuilder g("random");
    std::vector<int> values{g.input(3, 3, 3)};
    for (int i = 0; i < 30; ++i) {
      const auto pick = [&] {
        return values[static_cast<std::size_t>(random.integer(0, static_cast<int>(values.size()) - 1))];
      };
      const int a = pick(), b = pick();
      const std::string name = fmt::format("n{}", i);
      values.push_back(random.integer(0, 2) == 0 && a != b ? g.concat(name, {a, b})
                                                           : g.conv2d(name, a, random.integer(1, 9), 1, 1, {}));
      if (values.size() > 6) values.erase(values.begin());
    }
    const Graph graph = place_concat(rewire(g.finish(values.back()), std::vector<int>(31, -1)));
    for (const int lanes : {1, 2, 4, 8}) expect_sound(graph, lanes);
  }
}

TEST(Lanes, NetworksAreSoundAndInceptionIsParallel) {
  for (const char* name : {"inceptionv3", "squeezenet", "resnet50"}) {
    SCOPED_TRACE(name);
    const Graph graph = place_concat(find_model(name).build({.alpha = 1, .variant = ""}));
    expect_sound(graph, 4);
    EXPECT_GE(plan_lanes(graph, 4).lanes, std::string(name) == "inceptionv3" ? 4 : 2);
  }
}

}  // namespace
}  // namespace gpueval::cuda
