// SPDX-License-Identifier: Apache-2.0
// bench/shapes/*.txt must stay the networks' own convolutions, and the operations counted must be real ones.
#include "shapes.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <map>

#include "gpueval/error.h"
#include "gpueval/models.h"
#include "graph/passes.h"

namespace gpueval::bench {
namespace {

std::filesystem::path source_folder() { return std::filesystem::path(GPUEVAL_SOURCE_DIR) / "bench/shapes"; }

// 2 x products of real taps, by walking over all of them.
double walked_operations(const ConvDesc& d) {
  std::int64_t taps = 0;
  for (int p = 0; p < d.p(); ++p) {
    for (int q = 0; q < d.q(); ++q) {
      for (int r = 0; r < d.window.kernel_h; ++r) {
        for (int s = 0; s < d.window.kernel_w; ++s) {
          const int h = p * d.window.stride_h - d.window.pad.top + r, w = q * d.window.stride_w - d.window.pad.left + s;
          if (h >= 0 && h < d.h && w >= 0 && w < d.w) ++taps;
        }
      }
    }
  }
  return 2.0 * d.n * static_cast<double>(taps) * d.k * (d.depthwise ? 1 : d.c);
}

TEST(Shapes, FilesAreTheNetworksConvolutions) {
  std::map<std::string, std::map<std::string, int>> files;  // network -> shape -> count
  for (const ShapeRow& row : load_shapes(source_folder())) files[row.network][to_string(row.desc)] += row.count;
  for (const ModelSpec& spec : models()) {
    if (spec.name == "demo" || spec.truth != TruthKind::kClass) continue;
    for (const double alpha : spec.alphas) {
      const Graph graph = fold_padding(expand_separable(spec.build({.alpha = alpha, .variant = ""})));
      std::map<std::string, int> shapes;
      for (int node = 0; node < static_cast<int>(graph.nodes.size()); ++node) {
        if (const auto desc = conv_desc(graph, node)) ++shapes[to_string(*desc)];
      }
      const std::string file =
          spec.alphas.size() == 1 ? spec.name : spec.name + (alpha == 1.0 ? "_1.0" : fmt::format("_{:g}", alpha));
      EXPECT_EQ(files[file], shapes) << file;
    }
  }
}

TEST(Shapes, OperationsLeaveThePaddingOut) {
  for (const char* text :
       {"n1h56w56c64_k64r3s3_st1_pad1,1,1,1", "n2h9w9c3_k5r3s3_st2_pad0,1,0,1", "n1h17w17c8_k8r1s7_st1_pad0,0,3,3",
        "n3h7w5c16_dw_r3s3_st2_pad1,1,1,1", "n1h1w1c256_k40r1s1_st1_pad0,0,0,0", "n1h2w2c1_k1r5s5_st1_pad2,2,2,2"}) {
    const ConvDesc desc = parse_conv_desc(text);
    EXPECT_EQ(operations(desc), walked_operations(desc)) << text;
    EXPECT_LE(operations(desc), 2.0 * static_cast<double>(desc.multiply_adds())) << text;
  }
}

TEST(Shapes, TrafficCountsEachTensorOnce) {
  const ConvDesc dense = parse_conv_desc("n2h4w4c8_k16r3s3_st1_pad1,1,1,1");
  EXPECT_EQ(traffic_bytes(dense, 1, 1, 1), 2 * 4 * 4 * 8 + 16 * 3 * 3 * 8 + 2 * 4 * 4 * 16);
  EXPECT_EQ(traffic_bytes(dense, 4, 2, 1), 4 * 2 * 4 * 4 * 8 + 2 * 16 * 3 * 3 * 8 + 2 * 4 * 4 * 16);
  const ConvDesc depthwise = parse_conv_desc("n1h4w4c8_dw_r3s3_st1_pad1,1,1,1");
  EXPECT_EQ(traffic_bytes(depthwise, 1, 1, 1), 4 * 4 * 8 + 3 * 3 * 8 + 4 * 4 * 8);
}

TEST(Shapes, SelectionJoinsNetworksThatShareAShape) {
  const ConvDesc a = parse_conv_desc("n1h7w7c8_k8r1s1_st1_pad0,0,0,0"),
                 b = parse_conv_desc("n1h1w1c8_k8r1s1_st1_pad0,0,0,0");
  const std::vector<ShapeRow> rows = {{"one", a, 3}, {"one", b, 1}, {"tiny", b, 1}, {"two", a, 2}};
  const std::vector<ShapeRow> all = select_shapes(rows, "", 8);
  ASSERT_EQ(all.size(), 2u);  // tiny only where it is asked for
  EXPECT_EQ(all[0].network, "one+two");
  EXPECT_EQ(all[0].desc.n, 8);
  EXPECT_EQ(all[0].count, 3);
  EXPECT_EQ(all[1].network, "one");
  ASSERT_EQ(select_shapes(rows, "^tiny/", 1).size(), 1u);
  ASSERT_EQ(select_shapes(rows, "h7w7", 1).size(), 1u);
  EXPECT_THROW(select_shapes(rows, "no such", 1), Error);
  EXPECT_THROW(select_shapes(rows, "(", 1), Error);
}

TEST(Shapes, DamagedFilesAreNamed) {
  const std::filesystem::path folder = std::filesystem::path(testing::TempDir()) / "gpueval_bench_shapes";
  std::filesystem::create_directories(folder);
  for (const char* line :
       {"n1h7w7c8_k8r1s1_st1_pad0,0,0,0 3", "n1h7w7c8_k8r1s1_st1_pad0,0,0,0 x0", "n1h7", "# fine\nx"}) {
    std::ofstream(folder / "bad.txt") << line << "\n";
    EXPECT_THROW(load_shapes(folder), Error) << line;
  }
  EXPECT_THROW(load_shapes(folder / "missing"), Error);
}

}  // namespace
}  // namespace gpueval::bench
