// SPDX-License-Identifier: Apache-2.0
#include <memory>
#include <numeric>

#include "gpueval/models.h"
#include "gpueval/quant.h"
#include "gpueval/weights.h"
#include "onnx_file.h"
#include "support/compute_networks.h"

namespace gpueval::test {
namespace {

using Values = std::vector<float>;
using Dims = std::vector<std::int64_t>;

// Weights 0, 1, 2, ... in Keras's order, biases 0.
Graph counted(Graph graph) {
  for (Node& node : graph.nodes) {
    for (Param& param : node.params) {
      Values values(static_cast<std::size_t>(param.array.elements()));
      if (param.role == Role::kKernel || param.role == Role::kDepthwiseKernel)
        std::iota(values.begin(), values.end(), 0.0f);
      param.array.data = std::make_shared<const Values>(values);
    }
  }
  return graph;
}

TEST(OnnxFloat, ConvolutionBecomesNchw) {
  GraphBuilder g("net");
  const int conv = g.conv2d("conv", g.input(5, 6, 2), 3, 2, 1, {.stride = 2, .pad = Pad::kSame});
  const Graph lowered = lower_float(counted(g.finish(g.global_avg_pool("mean", g.relu6("relu", conv)))));
  const OnnxFile file(lowered);
  file.expect_well_formed(lowered);
  const auto& node = file.node("conv");
  EXPECT_EQ(node.op_type(), "Conv");
  EXPECT_EQ(OnnxFile::ints(node, "strides"), (Dims{2, 2}));
  EXPECT_EQ(OnnxFile::ints(node, "kernel_shape"), (Dims{2, 1}));
  EXPECT_EQ(OnnxFile::ints(node, "pads"), (Dims{0, 0, 1, 0}));  // top, left, bottom, right
  EXPECT_EQ(OnnxFile::integer(node, "group"), 1);
  EXPECT_EQ(file.dims("conv/weights"), (Dims{3, 2, 2, 1}));
  // (kh, kw, in, out): element (r, c, k) is 6 r + 3 c + k; ONNX has k, c, r.
  EXPECT_EQ(file.values<float>("conv/weights"), (Values{0, 6, 3, 9, 1, 7, 4, 10, 2, 8, 5, 11}));
  const auto& transpose = file.before(node);
  EXPECT_EQ(transpose.op_type(), "Transpose");
  EXPECT_EQ(OnnxFile::ints(transpose, "perm"), (Dims{0, 3, 1, 2}));
  const auto& mean = file.node("mean");
  EXPECT_EQ(mean.op_type(), "GlobalAveragePool");
  const auto& clip = file.before(mean);
  EXPECT_EQ(clip.op_type(), "Clip");
  EXPECT_EQ(file.values<float>(clip.input(1)), Values{0});
  EXPECT_EQ(file.values<float>(clip.input(2)), Values{6});
  EXPECT_EQ(file.before(clip).name(), "conv");
  EXPECT_EQ(file.producer("logits").op_type(), "Flatten");
}

TEST(OnnxFloat, DepthwiseIsGrouped) {
  GraphBuilder g("net");
  const int conv = g.depthwise_conv2d("dw", g.input(4, 4, 3), 2, {.bias = false});
  const Graph lowered = lower_float(counted(g.finish(g.global_avg_pool("mean", conv))));
  const OnnxFile file(lowered);
  file.expect_well_formed(lowered);
  EXPECT_EQ(OnnxFile::integer(file.node("dw"), "group"), 3);
  EXPECT_EQ(file.node("dw").input_size(), 2);  // no bias
  EXPECT_EQ(file.dims("dw/weights"), (Dims{3, 1, 2, 2}));
  EXPECT_EQ(file.values<float>("dw/weights"), (Values{0, 3, 6, 9, 1, 4, 7, 10, 2, 5, 8, 11}));
}

TEST(OnnxFloat, DenseReadsTheFlattenedNchwTensor) {
  GraphBuilder g("net");
  const int pool = g.max_pool("pool", g.input(4, 2, 2), 2, 2);  // 2x1x2
  const int hidden = g.relu("relu", g.dense("fc", g.flatten("flatten", pool), 2));
  const Graph lowered = lower_float(counted(g.finish(g.dense("logits", hidden, 3))));
  const OnnxFile file(lowered);
  file.expect_well_formed(lowered);
  EXPECT_EQ(file.node("pool").op_type(), "MaxPool");
  EXPECT_EQ(file.node("fc").op_type(), "Gemm");
  EXPECT_EQ(OnnxFile::integer(file.node("fc"), "transB"), 1);
  EXPECT_EQ(file.before(file.node("fc")).op_type(), "Flatten");
  EXPECT_EQ(file.dims("fc/weights"), (Dims{2, 4}));
  // Keras's row of (h, c) is 2 h + c, its weight of unit k 2 * row + k; ONNX has k, c, h.
  EXPECT_EQ(file.values<float>("fc/weights"), (Values{0, 4, 2, 6, 1, 5, 3, 7}));
  EXPECT_EQ(file.before(file.node("logits")).op_type(), "Relu");
}

TEST(OnnxFloat, ResidualConcatAndPoolsAreExpanded) {
  GraphBuilder g("net");
  const int input = g.input(6, 6, 4);
  const int a = g.conv2d("a", input, 4, 1, 1, {});
  const int b = g.conv2d("b", a, 4, 1, 1, {});
  const int sum = g.relu("relu", g.add("sum", {a, b}));
  const int mean = g.avg_pool("mean", sum, 3, 2, Pad::kSame);
  const int most = g.max_pool("most", sum, 3, 2, Pad::kSame);
  const Graph lowered =
      lower_float(counted(g.finish(g.dense("fc", g.flatten("flat", g.concat("join", {mean, most})), 2))));
  const OnnxFile file(lowered);
  file.expect_well_formed(lowered);
  const auto& pool = file.node("mean");
  EXPECT_EQ(pool.op_type(), "AveragePool");
  EXPECT_EQ(OnnxFile::integer(pool, "count_include_pad"), 0);
  EXPECT_EQ(OnnxFile::ints(pool, "pads"), (Dims{0, 0, 1, 1}));
  const auto& relu = file.before(pool);
  EXPECT_EQ(relu.op_type(), "Relu");
  const auto& add = file.before(relu);
  EXPECT_EQ(add.op_type(), "Add");
  EXPECT_EQ(file.before(add, 0).name(), "b");
  EXPECT_EQ(file.before(add, 1).name(), "a");
  const auto& join = file.node("join");
  EXPECT_EQ(join.op_type(), "Concat");
  EXPECT_EQ(OnnxFile::integer(join, "axis"), 1);
  EXPECT_EQ(file.before(join, 0).name(), "mean");
  EXPECT_EQ(file.before(join, 1).name(), "most");
}

// What a layer of a network of one layer becomes: the ONNX operators, in order, between Transpose and Flatten.
std::string operators(Graph bound) {
  test::bind_random(bound, 3);
  const Graph lowered = lower_float(bound);
  const OnnxFile file(lowered);
  std::string names;
  for (const auto& node : file.graph().node()) names += (names.empty() ? "" : " ") + node.op_type();
  return names;
}
std::string function_operators(const Function& function) {
  GraphBuilder g("net");
  return operators(g.finish(g.global_avg_pool("mean", g.activate("f", g.input(2, 2, 3), function))));
}

TEST(OnnxFloat, FunctionsAreOperatorsOrComposed) {
  const std::pair<Function, std::string> rows[] = {
      {{FunctionKind::kSigmoid}, "Sigmoid"},
      {{FunctionKind::kSilu}, "Sigmoid Mul"},
      {{FunctionKind::kGelu}, "Mul Erf Add Mul Mul"},
      {{FunctionKind::kHardSigmoid, 0.2f, 0.5f}, "HardSigmoid"},
      {{FunctionKind::kHardSilu}, "HardSwish"},
      {{FunctionKind::kMish}, "Softplus Tanh Mul"},
      {{FunctionKind::kRelu}, "Relu"},
      {{FunctionKind::kRelu, 0, 0, 6}, "Clip"},
      {{FunctionKind::kRelu, 0.1f}, "LeakyRelu"},
      {{FunctionKind::kRelu, 0.1f, 1, 6}, "Sub Mul GreaterOrEqual Where Min"},
      {{FunctionKind::kPower, 2}, "Pow"},
  };
  for (const auto& [function, expected] : rows) {
    EXPECT_EQ(function_operators(function), "Transpose " + expected + " GlobalAveragePool Flatten")
        << to_string(function.kind);
  }
}

TEST(OnnxFloat, SqueezeAndExciteMeetsItsMap) {
  GraphBuilder g("net");
  const int map = g.input(4, 4, 3);
  const int gate = g.dense("gate", g.reduce("mean", map, {.kind = ReduceKind::kMean, .h = true, .w = true}), 3);
  Graph bound =
      g.finish(g.softmax("logits", g.global_avg_pool("pool", g.binary("scale", BinaryKind::kMultiply, {map, gate}))));
  test::bind_random(bound, 3);
  const Graph lowered = lower_float(bound);
  const OnnxFile file(lowered);
  file.expect_well_formed(lowered);
  EXPECT_EQ(OnnxFile::ints(file.node("mean"), "axes"), (Dims{2, 3}));
  EXPECT_EQ(file.node("scale").op_type(), "Mul");
  const auto& unsqueeze = file.before(file.node("scale"), 1);  // (N, c) -> (N, c, 1, 1)
  EXPECT_EQ(unsqueeze.op_type(), "Unsqueeze");
  EXPECT_EQ(file.values<std::int64_t>(unsqueeze.input(1)), (Dims{2, 3}));
  EXPECT_EQ(OnnxFile::integer(file.node("logits"), "axis"), 1);
}

TEST(OnnxFloat, SlopesAndGroupsAreReordered) {
  GraphBuilder g("net");
  const int slopes = g.prelu("prelu", g.input(1, 2, 4), false);
  const Normalize settings{.kind = NormalizeKind::kGroup, .groups = 2};
  Graph bound = g.finish(g.global_avg_pool("pool", g.normalize("norm", slopes, settings, true, false)));
  test::bind_random(bound, 3);
  Node& prelu = bound.node(bound.find("prelu"));
  prelu.params[0].array.data = std::make_shared<const Values>(Values{0, 1, 2, 3, 4, 5, 6, 7});
  const Graph lowered = lower_float(bound);
  const OnnxFile file(lowered);
  file.expect_well_formed(lowered);
  EXPECT_EQ(file.dims("prelu/alpha"), (Dims{4, 1, 2}));
  EXPECT_EQ(file.values<float>("prelu/alpha"), (Values{0, 4, 1, 5, 2, 6, 3, 7}));
  const auto& scaled = file.node("norm");
  EXPECT_EQ(scaled.op_type(), "Mul");
  EXPECT_EQ(file.values<std::int64_t>(file.before(scaled).input(1)), (Dims{0, 4, 1, 2}));  // back from the groups
  EXPECT_EQ(file.values<std::int64_t>(file.node("norm/groups").input(1)), (Dims{0, 2, -1}));
}

// Every operation, float32 and int8.
TEST(OnnxFloat, NewOperationsAreWellFormed) {
  for (Graph bound : {test::functions(), test::tensor_pairs(), test::reductions()}) {
    test::bind_random(bound, 4);
    CalibrationTable table;
    for (const Node& node : lower_float(bound).nodes) table.range[node.name] = 5.0f;
    for (const Graph& lowered : {lower_float(bound), lower_static(bound, table, {})}) {
      SCOPED_TRACE(lowered.name);
      const OnnxFile file(lowered);
      std::set<std::string> known{"input"};
      for (const auto& tensor : file.graph().initializer()) EXPECT_TRUE(known.insert(tensor.name()).second);
      for (const auto& node : file.graph().node()) {
        for (const std::string& input : node.input()) EXPECT_TRUE(known.contains(input)) << node.name();
        EXPECT_TRUE(known.insert(node.output(0)).second) << node.name();
      }
    }
  }
}

class OnnxNetworks : public testing::TestWithParam<std::string> {};

TEST_P(OnnxNetworks, FloatIsWellFormedAndKeepsTheNames) {
  const Graph lowered = lower_float(random_weights(find_model(GetParam()).build({}), 1));
  const OnnxFile file(lowered, {.producer_version = "1.2", .description = "text"});
  file.expect_well_formed(lowered);
  EXPECT_EQ(file.model().opset_import(0).version(), 17);
  EXPECT_EQ(file.model().ir_version(), 8);
  EXPECT_EQ(file.model().producer_version(), "1.2");
  EXPECT_EQ(file.model().doc_string(), "text");
  for (std::size_t i = 0; i < lowered.nodes.size(); ++i) {
    if (!conv_desc(lowered, static_cast<int>(i))) continue;
    EXPECT_NO_THROW(file.node(lowered.nodes[i].name));
  }
}

INSTANTIATE_TEST_SUITE_P(Small, OnnxNetworks,
                         testing::Values("resnet50", "inceptionv3", "xception", "mobilenet", "squeezenet", "demo"));

TEST(OnnxFile, UnwritablePathIsAnError) {
  GraphBuilder g("net");
  const int input = g.input(2, 2, 1);
  const Graph lowered = lower_float(g.finish(g.global_avg_pool("mean", input)));
  const auto message = [&](const std::string& path) { return error_of([&] { export_onnx(lowered, path); }); };
  EXPECT_EQ(message("/nonexistent/f.onnx"), "/nonexistent/f.onnx: cannot be written: No such file or directory");
  EXPECT_EQ(message("/"), "/: cannot be written: Is a directory");
}

}  // namespace
}  // namespace gpueval::test
