// SPDX-License-Identifier: Apache-2.0
// One ONNX output for each of a network's.
#include <memory>

#include "gpueval/quant.h"
#include "onnx_file.h"

namespace gpueval::test {
namespace {

Graph two_outputs() {
  GraphBuilder g("two");
  const int map = g.relu("map", g.conv2d("conv", g.input(5, 4, 3), 6, 1, 1, {}));
  Graph graph = g.finish({{"features", map}, {"logits", g.dense("classes", g.global_avg_pool("mean", map), 7)}});
  for (Node& node : graph.nodes) {
    for (Param& param : node.params) {
      param.array.data =
          std::make_shared<const std::vector<float>>(static_cast<std::size_t>(param.array.elements()), 0.5f);
    }
  }
  return graph;
}

TEST(OnnxOutputs, AreNamedAndMapsAreNhwc) {
  CalibrationTable table;
  for (const Node& node : lower_float(two_outputs()).nodes) table.range[node.name] = 4;
  for (const bool integer : {false, true}) {
    const OnnxFile file(integer ? lower_static(two_outputs(), table, {}) : lower_float(two_outputs()));
    ASSERT_EQ(file.graph().output_size(), 2);
    EXPECT_EQ(file.graph().output(0).name(), "features");
    EXPECT_EQ(file.graph().output(1).name(), "logits");
    const auto& shape = file.graph().output(0).type().tensor_type().shape();
    ASSERT_EQ(shape.dim_size(), 4);
    EXPECT_EQ(shape.dim(1).dim_value(), 5);
    EXPECT_EQ(shape.dim(2).dim_value(), 4);
    EXPECT_EQ(shape.dim(3).dim_value(), 6);
    const auto& transpose = file.producer("features");
    EXPECT_EQ(transpose.op_type(), "Transpose");
    EXPECT_EQ(OnnxFile::ints(transpose, "perm"), (std::vector<std::int64_t>{0, 2, 3, 1}));
    EXPECT_EQ(file.producer("logits").op_type(), "Flatten");
  }
}

// The input, and one node twice.
TEST(OnnxOutputs, MayBeTheInputOrHaveTwoNames) {
  Graph graph = two_outputs();
  graph.outputs.push_back({"pixels", 0});
  graph.outputs.push_back({"again", graph.outputs[1].node});
  const OnnxFile file(lower_float(graph));
  ASSERT_EQ(file.graph().output_size(), 4);
  EXPECT_EQ(file.before(file.producer("pixels")).input(0), "input");
  EXPECT_EQ(OnnxFile::ints(file.producer("pixels"), "perm"), (std::vector<std::int64_t>{0, 2, 3, 1}));
  EXPECT_EQ(file.producer("again").input(0), file.producer("logits").input(0));
  graph.outputs.push_back({"input", 0});
  EXPECT_THROW(OnnxFile{lower_float(graph)}, Error);
}

}  // namespace
}  // namespace gpueval::test
