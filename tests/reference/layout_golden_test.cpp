// SPDX-License-Identifier: Apache-2.0
// Transposed convolutions of Keras 3 and resized maps of TensorFlow (scripts/make_layout_goldens.py).
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <memory>
#include <sstream>

#include "graph/conv_transpose.h"
#include "reference/op_reference.h"

namespace gpueval::reference {
namespace {

using Values = std::vector<float>;

Values counted(std::int64_t count) {  // as the script's numbers()
  Values values;
  for (std::int64_t i = 0; i < count; ++i) values.push_back(static_cast<float>(i * 7 % 11 - 5));
  return values;
}

Graph source(int h, int w, int c) {
  GraphBuilder g("golden");
  return g.finish(g.input(h, w, c));
}

void append(Graph& graph, Op op, std::vector<Param> params = {}) {
  const int last = static_cast<int>(graph.nodes.size()) - 1;
  Node node{.name = op_name(op), .op = std::move(op), .inputs = {last}};
  node.params = std::move(params);
  node.shape = output_shape(graph, node);
  graph.nodes.push_back(std::move(node));
  graph.outputs[0].node = last + 1;
}

Graph transposed(std::istringstream& line) {
  constexpr int kIn = 2, kOut = 2;
  int h = 0, w = 0, more_h = 0, more_w = 0;
  TransposedWindow window;
  std::string pad;
  line >> h >> w >> window.kernel_h >> window.kernel_w >> window.stride_h >> window.stride_w >> pad >> more_h >> more_w;
  window.pad = pad == "same" ? Pad::kSame : Pad::kValid;
  if (more_h >= 0) window.output_padding_h = more_h, window.output_padding_w = more_w;
  const ConvTranspose plan = conv_transpose(h, w, window);
  const Values kernel = counted(std::int64_t{window.kernel_h} * window.kernel_w * kOut * kIn);
  Graph graph = source(h, w, kIn);
  append(graph, Conv2D{.window = plan.window},
         {{Role::kKernel,
           {{plan.window.kernel_h, plan.window.kernel_w, kIn, std::int64_t{plan.block_channels} * kOut},
            std::make_shared<const Values>(transposed_kernel(kernel, window, kIn, kOut))}}});
  append(graph, plan.after);
  return graph;
}

Graph resized(const std::string& method, const std::string& settings) {
  const std::map<std::string, Grid> grids{
      {"half_pixel", Grid::kHalfPixel}, {"asymmetric", Grid::kAsymmetric}, {"aligned", Grid::kAligned}};
  std::istringstream line(settings);
  std::string grid;
  int h = 0, w = 0, to_h = 0, to_w = 0;
  line >> grid >> h >> w >> to_h >> to_w;
  Graph graph = source(h, w, 1);
  if (method == "linear") {
    append(graph, ResizeLinear{to_h, to_w, grids.at(grid)});
  } else {
    append(graph, ResizeNearest{to_h, to_w, grids.at(grid)});
  }
  return graph;
}

TEST(LayoutGolden, EqualsKerasAndTensorFlow) {
  std::ifstream file(std::string(GPUEVAL_SOURCE_DIR) + "/tests/golden/layout/keras.txt");
  std::map<std::string, int> cases;
  for (std::string text; std::getline(file, text);) {
    SCOPED_TRACE(text.substr(0, 60));
    std::istringstream line(text);
    std::string kind;
    line >> kind;
    ++cases[kind];
    Graph graph;
    if (kind == "transposed") {
      graph = transposed(line);
    } else {
      graph = resized(kind, text.substr(kind.size()));
      line >> kind >> kind >> kind;  // grid, and the source's h and w
    }
    int h = 0, w = 0;
    line >> h >> w;
    ASSERT_EQ(graph.output_node().shape.h, h);
    ASSERT_EQ(graph.output_node().shape.w, w);
    Values want;
    for (float x = 0; line >> x;) want.push_back(x);
    const Values got = run_network(graph, counted(graph.input_node().shape.elements())).logits;
    ASSERT_EQ(got.size(), want.size());
    // Whole numbers are exact; TensorFlow mixes in float32.
    for (std::size_t i = 0; i < want.size(); ++i) ASSERT_NEAR(got[i], want[i], 4e-6) << i;
  }
  EXPECT_EQ(cases, (std::map<std::string, int>{{"linear", 9}, {"nearest", 9}, {"transposed", 16}}));
}

}  // namespace
}  // namespace gpueval::reference
