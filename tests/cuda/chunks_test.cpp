// SPDX-License-Identifier: Apache-2.0
#include "cuda/engine/chunks.h"

#include <gtest/gtest.h>

#include "gpueval/models.h"

namespace gpueval::cuda {
namespace {

Graph resnet50() { return find_model("resnet50").build({.alpha = 1, .variant = ""}); }

TEST(Chunks, AreAsManyImagesAsTheCacheHolds) {
  const Graph graph = resnet50();
  constexpr std::size_t kCache = std::size_t{200} << 20;  // of float32 and layers that are not fused
  const Chunks chunks = plan_chunks(graph, 64, kChunkByCache, kCache);
  EXPECT_GT(chunks.last, 0);
  EXPECT_LT(chunks.last, static_cast<int>(graph.nodes.size()) - 10) << "the last layers' tensors are small";
  EXPECT_GE(chunks.images, 4);
  EXPECT_LT(chunks.images, 32);
  EXPECT_EQ(plan_chunks(graph, 64, 48, kCache).images, 48);
  EXPECT_EQ(plan_chunks(graph, 64, 48, kCache).last, chunks.last);
  const Chunks twice = plan_chunks(graph, 64, kChunkByCache, 2 * kCache);
  EXPECT_NEAR(twice.images, 2 * chunks.images, 1);
  EXPECT_LT(twice.last, chunks.last);
}

TEST(Chunks, AreNotMadeWhereTheyAreOfNoUse) {
  const Graph graph = resnet50();
  for (const int option : {0, 8, 9}) EXPECT_EQ(plan_chunks(graph, 8, option, std::size_t{1} << 20).last, 0) << option;
  EXPECT_EQ(plan_chunks(graph, 64, kChunkByCache, std::size_t{1} << 40).last, 0) << "all is in the cache";
  EXPECT_EQ(plan_chunks(graph, 1, kChunkByCache, std::size_t{50} << 20).last, 0);
  EXPECT_EQ(plan_chunks(graph, 64, kChunkByCache, std::size_t{1} << 20).last, 0) << "not one image is";
}

}  // namespace
}  // namespace gpueval::cuda
