// SPDX-License-Identifier: Apache-2.0
// The intermediate representation: a list of nodes in topological order, each producing one NHWC tensor.
// Plain data, no backend types. A pass (src/graph/passes.h, src/quant/) is a pure function Graph -> Graph.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "gpueval/conv_desc.h"
#include "gpueval/tensor.h"

namespace gpueval {

enum class Activation { kNone, kRelu, kRelu6 };  // what other operations do behind their own arithmetic

// A function of one number (src/graph/function.cpp computes it, in double).
enum class FunctionKind {
  kSigmoid,
  kTanh,
  kSilu,         // x sigmoid(x), "swish"
  kGelu,         // x Phi(x)
  kGeluTanh,     // its approximation by tanh
  kHardSigmoid,  // clamp(alpha x + beta, 0, 1): Keras 2 (1/5, 1/2), Keras 3 (1/6, 1/2)
  kHardSilu,     // x clamp(x / 6 + 1/2, 0, 1)
  kElu,          // x, below 0 alpha (exp(x) - 1)
  kSelu,
  kSoftplus,
  kSoftsign,
  kExp,
  kMish,  // x tanh(softplus(x))
  kRelu,  // x, below threshold beta alpha (x - beta); at most `most`
  kAbs,
  kPower,  // x to the power of alpha
};
struct Function {
  FunctionKind kind = FunctionKind::kSigmoid;
  float alpha = 0, beta = 0;
  float most = std::numeric_limits<float>::infinity();  // kRelu
  bool operator==(const Function&) const = default;
};
double apply(const Function& function, double x);
bool never_negative(const Function& function);
std::string to_string(FunctionKind kind);  // "sigmoid", "hard_silu", ...

enum class BinaryKind { kAdd, kSubtract, kMultiply, kMaximum, kMinimum };
std::string to_string(BinaryKind kind);  // "add", ...
enum class NormalizeKind { kLayer, kGroup, kRms, kL2 };
enum class ReduceKind { kMean, kSum, kMaximum, kMinimum };
enum class Axis { kH, kW, kC };

// Which point of the source a pixel of a resized map is.
enum class Grid {
  kHalfPixel,   // (i + 1/2) from / to - 1/2: Keras since TensorFlow 2
  kAsymmetric,  // i from / to: before
  kAligned,     // i (from - 1) / (to - 1): the corners' centres stay where they are
};

struct Extents {
  int h = 0, w = 0, c = 0;
  bool operator==(const Extents&) const = default;
};

// ---- operations: ops.inc has their fields and rules, one row each
#define GPUEVAL_OP(TYPE, NAME, KERAS, FORM, SIGN, SCALE, ...) \
  struct TYPE {                                               \
    __VA_ARGS__                                               \
    bool operator==(const TYPE&) const = default;             \
  };
#include "gpueval/ops.inc"

template <typename, typename... Types>
using VariantOf = std::variant<Types...>;  // but for the first, which lets each row begin with a comma
#define GPUEVAL_OP(TYPE, ...) , TYPE
using Op = VariantOf<void
#include "gpueval/ops.inc"
                     >;
std::string op_name(const Op& op);  // "Conv2D", ...

// ---- weights of a node, in Keras's own order within the layer
enum class Role { kKernel, kDepthwiseKernel, kPointwiseKernel, kBias, kGamma, kBeta, kMean, kVariance, kAlpha };
std::string to_string(Role role);  // "kernel", "depthwise_kernel", ..., "moving_mean", "moving_variance"
struct Param {
  Role role;
  Array array;  // array.data is null until weights are bound
};

// ---- quantization: filled in by the passes of src/quant/, empty in a float32 graph
struct TensorType {
  DType dtype = DType::kF32;
  std::vector<float> scale = {};  // real = scale * (q - zero_point); one, or one per channel; empty for float32
  int zero_point = 0;             // of u8 tensors that zero_point_takers() (src/quant/lowering.h) names, else 0
};

// The integer form of a node (docs/numerics.md). Epilogue of output channel k:
//   v = fmaf((float)acc, m[k], b[k]); if (residual) v = fmaf((float)r, residual_scale, v); v = min(max(v, lo), hi); q =
//   rint(v)
// A zero point of the tensor is in b.
// Float32 output (logits): v without clamp and rint, but not below lo.
struct IntegerOp {
  std::shared_ptr<const std::vector<std::int8_t>>
      weights;  // [K][R][S][C]; depthwise [R][S][C]; dense [K][h*w*c]; null for pools
  // Convolutions, dense layers, affine: per output channel. PReLU: what positive and negative numbers are multiplied
  // by, one each per element of alpha. Multiplication: m[0], of the product of both bytes.
  std::vector<float> m, b;
  std::vector<float> input_factors;   // ReLU, add, max pool, concat, quantize: s_src / s_dst of each input; 1: a copy
  std::vector<float> window_factors;  // average pool: [count - 1] for a window of count real pixels
  float mean_factor = 0;              // global average: for all pixels
  float lo = 0, hi = 0;
  float residual_scale = 0;
  std::vector<std::uint8_t> table;  // Activate: the result of each byte of the source
  // `reference` scheme: src is float32, quantized at run time per image, s_x = max|x| / 127, s8;
  // dst is float32: v = acc * (s_x * weight_scale) + b[k], then the activation.
  bool dynamic = false;
  float weight_scale = 0;
};

struct Node {
  std::string name =
      {};  // Keras layer name, unique; "<layer>/depthwise" and "<layer>/pointwise" after expand_separable
  Op op = {};
  std::vector<int> inputs = {};  // indices of earlier nodes
  Shape shape = {};              // of the output, n = 1
  std::vector<Param> params = {};
  TensorType type = {};
  std::optional<IntegerOp> integer = {};
  // Set by place_concat: this node writes channels [slice_offset, slice_offset + c) of node slice_of's tensor.
  int slice_of = -1;
  int slice_offset = 0;

  const Param* find(Role role) const;  // nullptr if the node has no such weight
};

// A tensor that leaves the network, float32 in any lowered graph.
struct GraphOutput {
  std::string name;  // "logits" of a classifier
  int node = -1;     // index
};

struct Graph {
  std::string name;  // "mobilenet_0.25"
  std::vector<Node> nodes;
  std::vector<GraphOutput> outputs = {};

  Node& node(int index) { return nodes[static_cast<std::size_t>(index)]; }
  const Node& node(int index) const { return nodes[static_cast<std::size_t>(index)]; }
  const Node& input_node() const { return nodes.front(); }
  bool is_output(int node) const;
  // Of a graph with one output, as classifiers have; Error where there are several.
  int output() const;
  const Node& output_node() const { return node(output()); }
  int find(std::string_view node_name) const;       // index, or -1
  std::vector<std::vector<int>> consumers() const;  // per node, indices of the nodes that read it
  std::vector<int> uses() const;                    // per node, by how many nodes and outputs it is read
  std::int64_t parameter_count() const;             // as Keras's model.count_params()
  std::int64_t multiply_adds() const;               // of convolutions and dense layers, one image
};

// Convolution, depthwise or dense node -> its shape with batch n; nullopt for every other node.
std::optional<ConvDesc> conv_desc(const Graph& graph, int node, int n = 1);

enum class Pad { kValid, kSame };

// Builds a Graph in the words of the Keras functional API. Values are node indices; shapes are inferred and checked:
// usage error for an input that is too small for the layers.
class GraphBuilder {
 public:
  struct ConvOptions {
    int stride = 1;
    Pad pad = Pad::kValid;
    bool bias = true;
    int groups = 1;
    // Above 1 (of stride 1): the layer is the convolution of that name between "<name>/space_to_batch" and
    // "<name>/batch_to_space" (src/graph/dilation.h).
    int dilation = 1;
  };
  explicit GraphBuilder(std::string model_name);

  int input(int h, int w, int c);
  int conv2d(const std::string& name, int src, int filters, int kernel_h, int kernel_w, ConvOptions options);
  int depthwise_conv2d(const std::string& name, int src, int kernel, ConvOptions options);
  int separable_conv2d(const std::string& name, int src, int filters, int kernel, ConvOptions options);
  int dense(const std::string& name, int src, int units);
  int batch_norm(const std::string& name, int src, float eps = 1e-3f, bool gamma = true);
  int relu(const std::string& name, int src);
  int relu6(const std::string& name, int src);
  int add(const std::string& name, std::vector<int> src);
  int concat(const std::string& name, std::vector<int> src, Axis axis = Axis::kC);
  int max_pool(const std::string& name, int src, int kernel, int stride, Pad pad = Pad::kValid);
  int avg_pool(const std::string& name, int src, int kernel, int stride, Pad pad = Pad::kValid);
  int global_avg_pool(const std::string& name, int src);
  int zero_pad(const std::string& name, int src, Padding pad);
  int flatten(const std::string& name, int src);
  int activate(const std::string& name, int src, Function function);
  int prelu(const std::string& name, int src, bool per_channel = true);  // else a slope for each element
  int binary(const std::string& name, BinaryKind kind, std::vector<int> src);
  int softmax(const std::string& name, int src);
  int normalize(const std::string& name, int src, Normalize settings, bool gamma = true, bool beta = true);
  int reduce(const std::string& name, int src, Reduce settings);
  int slice(const std::string& name, int src, Extents begin, Extents size, Extents step = {1, 1, 1});
  int reshape(const std::string& name, int src, Extents size);
  int permute(const std::string& name, int src, Extents order);
  int depth_to_space(const std::string& name, int src, int block_h, int block_w, Padding crop = {});
  int space_to_batch(const std::string& name, int src, const SpaceToBatch& op);
  int batch_to_space(const std::string& name, int src, const BatchToSpace& op);
  int resize_nearest(const std::string& name, int src, int h, int w, Grid grid = Grid::kHalfPixel);
  int resize_linear(const std::string& name, int src, int h, int w, Grid grid = Grid::kHalfPixel);
  Graph finish(int logits);  // one output, "logits"
  Graph finish(std::vector<GraphOutput> outputs);

  const Shape& shape(int value) const;

 private:
  int append(Node node);
  int dilated(Node node, Pad pad, int rate);
  Graph graph_;
};

}  // namespace gpueval
