// SPDX-License-Identifier: Apache-2.0
// Operations that move elements, as ONNX nodes. scripts/check_onnx.py runs files in other runtimes; here it is what
// stands in them.
#include <memory>

#include "gpueval/quant.h"
#include "onnx_file.h"
#include "support/test_networks.h"

namespace gpueval::test {
namespace {

using Dims = std::vector<std::int64_t>;

std::string text(const onnx::NodeProto& node, const std::string& attribute) {
  for (const auto& a : node.attribute()) {
    if (a.name() == attribute) return a.s();
  }
  return "";
}

TEST(OnnxMoves, AWholeNetworkIsWellFormed) {
  Graph bound = moves();
  bind_random(bound, 1);
  for (const Graph& lowered : {lower_float(bound), quantized(bound, DType::kU8)}) {
    const OnnxFile file(lowered);
    file.expect_well_formed(lowered);
    EXPECT_EQ(OnnxFile::integer(file.node("join"), "axis"), 1);
    EXPECT_EQ(OnnxFile::integer(file.node("tall"), "axis"), 2);
    EXPECT_EQ(OnnxFile::integer(file.node("wide"), "axis"), 3);
  }
}

TEST(OnnxMoves, GroupsAreAnAttribute) {
  Graph bound = test::groups();
  bind_random(bound, 1);
  for (const Graph& lowered : {lower_float(bound), quantized(bound, DType::kU8)}) {
    const OnnxFile file(lowered);
    file.expect_well_formed(lowered);
    EXPECT_EQ(OnnxFile::integer(file.node("narrow"), "group"), 12);
  }
}

// Padding in front of a layer is 0 in real numbers: the runtime's zero point.
TEST(OnnxMoves, GatesHaveTheirZeroPoints) {
  Graph bound = test::gates();
  bind_random(bound, 1);
  const Graph lowered = quantized(bound, DType::kU8);
  const OnnxFile file(lowered);
  file.expect_well_formed(lowered);
  for (const std::string name : {"stem", "stem_silu", "squeeze", "gated", "product", "average"}) {
    EXPECT_EQ(file.values<std::uint8_t>(name + "/zero_point")[0], lowered.node(lowered.find(name)).type.zero_point)
        << name;
  }
}

TEST(OnnxMoves, DilationsAreAnAttribute) {
  Graph bound = dilations();
  bind_random(bound, 1);
  for (const Graph& lowered : {lower_float(bound), quantized(bound, DType::kU8)}) {
    const OnnxFile file(lowered);
    file.expect_well_formed(lowered);
    for (const auto& node : file.graph().node()) EXPECT_NE(node.op_type(), "Pad") << node.name();
    const auto& same = file.node("each/batch_to_space");
    EXPECT_EQ(OnnxFile::ints(same, "dilations"), (Dims{4, 4}));
    EXPECT_EQ(OnnxFile::ints(same, "pads"), (Dims{4, 4, 4, 4}));
    EXPECT_EQ(OnnxFile::integer(same, "group"), 24);
    const auto& valid = file.node("valid/batch_to_space");
    EXPECT_EQ(OnnxFile::ints(valid, "dilations"), (Dims{3, 3}));
    EXPECT_EQ(OnnxFile::ints(valid, "pads"), (Dims{0, 0, 0, 0}));
    EXPECT_THROW(OnnxFile::ints(file.node("near"), "dilations"), Error);
  }
}

TEST(OnnxMoves, SlicesCountFromBothEnds) {
  GraphBuilder g("net");
  const int x = g.slice("part", g.input(4, 5, 6), {1, 4, 5}, {2, 2, 6}, {2, -2, -1});
  const Graph lowered = lower_float(g.finish(g.global_avg_pool("mean", x)));
  const OnnxFile file(lowered);
  const auto& slice = file.node("part");
  EXPECT_EQ(file.values<std::int64_t>(slice.input(1)), (Dims{5, 1, 4}));  // c, h, w
  EXPECT_EQ(file.values<std::int64_t>(slice.input(2)), (Dims{-(1 << 30), 4, 1}));
  EXPECT_EQ(file.values<std::int64_t>(slice.input(3)), (Dims{1, 2, 3}));
  EXPECT_EQ(file.values<std::int64_t>(slice.input(4)), (Dims{-1, 2, -2}));
}

// In Keras's order of elements; a pixel's tensor is (N, c) and becomes a map where one is needed.
TEST(OnnxMoves, ReshapesAndPermutesInTheOrderOfKeras) {
  GraphBuilder g("net");
  int x = g.permute("turned", g.input(2, 3, 4), {2, 0, 1});
  EXPECT_EQ(g.shape(x), (Shape{1, 4, 2, 3}));
  x = g.reshape("flat", x, {1, 1, 24});
  x = g.concat("both", {x, g.reshape("again", x, {1, 1, 24})});
  x = g.depth_to_space("space", g.reshape("map", x, {2, 2, 12}), 2, 3);
  const Graph lowered = lower_float(g.finish(g.global_avg_pool("mean", x)));
  const OnnxFile file(lowered);
  file.expect_well_formed(lowered);
  EXPECT_EQ(OnnxFile::ints(file.node("turned"), "perm"), (Dims{0, 3, 1, 2}));  // of (N, c, h, w)
  EXPECT_EQ(OnnxFile::ints(file.node("flat"), "perm"), (Dims{0, 2, 3, 1}));
  EXPECT_EQ(file.values<std::int64_t>(file.node("flat/2").input(1)), (Dims{0, 24}));
  EXPECT_EQ(file.node("both").input(0), "flat/2/output");
  EXPECT_EQ(file.values<std::int64_t>(file.node("map").input(1)), (Dims{0, 2, 2, 12}));
  EXPECT_EQ(OnnxFile::ints(file.node("map/2"), "perm"), (Dims{0, 3, 1, 2}));
  EXPECT_EQ(OnnxFile::ints(file.node("space/2"), "perm"), (Dims{0, 3, 4, 1, 5, 2}));
}

// By whole factors Resize; else what no runtime can take otherwise.
TEST(OnnxMoves, ResizesByFactorsOrByLists) {
  GraphBuilder g("net");
  int x = g.resize_nearest("nearest", g.input(2, 3, 1), 4, 9);
  x = g.resize_nearest("list", x, 3, 4, Grid::kAligned);
  x = g.resize_linear("linear", x, 6, 4);
  x = g.resize_linear("matrix", x, 3, 2, Grid::kAligned);
  const Graph lowered = lower_float(g.finish(g.global_avg_pool("mean", x)));
  const OnnxFile file(lowered);
  file.expect_well_formed(lowered);
  EXPECT_EQ(text(file.node("nearest"), "nearest_mode"), "floor");
  EXPECT_EQ(file.values<float>(file.node("nearest").input(2)), (std::vector<float>{1, 1, 2, 3}));
  EXPECT_EQ(file.values<std::int64_t>(file.node("list").input(1)), (Dims{0, 2, 3}));       // 4 rows to 3
  EXPECT_EQ(file.values<std::int64_t>(file.node("list/2").input(1)), (Dims{0, 3, 5, 8}));  // 9 columns to 4
  EXPECT_EQ(text(file.node("linear"), "coordinate_transformation_mode"), "half_pixel");
  EXPECT_EQ(file.values<float>(file.node("matrix").input(1)), (std::vector<float>{1, 0, 0, 0, 0, 0, 0, 1}));
  EXPECT_EQ(file.values<float>(file.node("matrix/2").input(0)),
            (std::vector<float>{1, 0, 0, 0, 0, 0, 0, 0, 0.5f, 0.5f, 0, 0, 0, 0, 0, 0, 0, 1}));
}

}  // namespace
}  // namespace gpueval::test
