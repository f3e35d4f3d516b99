// SPDX-License-Identifier: Apache-2.0
#include "quant/recipe/recipe.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "core/threads.h"
#include "graph/passes.h"
#include "quant/integer_form.h"
#include "quant/lowering.h"
#include "quant/recipe/bias_steps.h"
#include "quant/recipe/layer_weights.h"
#include "quant/recipe/moments.h"
#include "quant/recipe/twin_networks.h"

namespace gpueval {
namespace {

constexpr std::int64_t kSamples = 20000;  // positions of a layer's output that its covariance is taken from
constexpr int kActivationSteps = 4;       // of the bias correction behind the activation
constexpr double kStep = 0.8, kLeastLinear = 0.05;

constexpr float kInfinity = std::numeric_limits<float>::infinity();

// The float32 network's output of one layer.
struct FloatLayer {
  ChannelMoments moments;
  std::vector<std::int64_t> positions;
  std::vector<float> samples;  // in front of the activation, [positions][K]
};

class Recipe {
 public:
  Recipe(const Graph& bound, const QuantOptions& options, const MakeNodeRunner& make_runner, CalibrationTable& table)
      : options_(options),
        table_(table),
        float_(lower_float(bound), make_runner),
        static_(lower_static(bound, table, options), make_runner) {}

  void run(const CalibrationImages& images, const std::function<void(int, int)>& progress) {
    const std::int64_t per_image = peak_bytes_per_image(float_.graph(), static_.graph());
    const std::int64_t fits = std::max<std::int64_t>(1, kRecipeBytes / per_image);
    const SharedTensor input = read_images(images, float_.graph().input_node().shape, fits);
    float_.store(0, input);
    static_.store(0, input);
    const int total = static_cast<int>(static_.graph().nodes.size());
    for (int i = 1; i < total; ++i) {
      process(i);
      if (progress) progress(i + 1, total);
    }
  }

 private:
  void process(int index) {
    const int twin = float_.graph().find(static_.node(index).name);
    const bool corrected = twin > 0 && conv_desc(static_.graph(), index) && static_.node(index).integer;
    if (corrected) {
      // One after the other: the float tensor is stored (and its sources let go of) before the integer one exists.
      correct(index, run_float_layer(twin), float_.node(twin));
    } else if (twin > 0) {
      float_.store(twin, float_.run(twin));
    }
    static_.store(index, static_.run(index));
  }

  FloatLayer run_float_layer(int index) {
    Node node = float_.node(index);
    Activation& fused = *fused_activation(node.op);
    const Activation act = std::exchange(fused, Activation::kNone);
    const int images = float_.tensor(node.inputs[0]).shape.n;
    const std::int64_t pixels = node.shape.pixels();
    FloatLayer layer{.moments = ChannelMoments(node.shape.c),
                     .positions = sample_positions(images, pixels, kSamples),
                     .samples = {}};
    auto tensor = std::make_shared<ImageTensor>(DType::kF32, node.shape, images);
    float_.run(index, node, [&](int first, const TensorView& y) {
      layer.moments.add(y, act);
      const auto* values = static_cast<const float*>(y.data);
      const std::int64_t begin = first * pixels, end = begin + y.shape.pixels();
      auto at = std::lower_bound(layer.positions.begin(), layer.positions.end(), begin);
      for (; at != layer.positions.end() && *at < end; ++at) {
        const float* pixel = values + (*at - begin) * y.pitch;
        layer.samples.insert(layer.samples.end(), pixel, pixel + y.shape.c);
      }
      tensor->store(first, y);
    });
    activate(*tensor, act);
    float_.store(index, std::move(tensor));
    return layer;
  }

  static void activate(ImageTensor& tensor, Activation act) {
    if (act == Activation::kNone) return;
    const std::int64_t image = tensor.shape.elements() / tensor.shape.n;
    parallel_for(tensor.shape.n, [&](std::int64_t i) {
      float* values = reinterpret_cast<float*>(tensor.bytes.data()) + i * image;
      std::transform(values, values + image, values, [act](float y) { return activate_value(y, act); });
    });
  }

  void correct(int index, FloatLayer layer, const Node& float_node) {
    Node& node = static_.node(index);
    IntegerOp& op = *node.integer;
    LayerCorrection correction;
    if (options_.corrections.gptq || !options_.weights_per_channel) {
      IntegerWeights weights = fit_weights(index, layer, float_node);
      for (std::size_t k = 0; k < op.m.size(); ++k) {
        op.m[k] = static_cast<float>(double{weights.scale[k]} / scale_of(node, k));
      }
      op.weights = std::make_shared<const std::vector<std::int8_t>>(weights.values);
      correction.weights = std::move(weights.values);
      correction.weight_scale = std::move(weights.scale);
    }
    if (options_.corrections.bias || options_.corrections.bias_after_activation)
      correction.bias = fit_bias(index, layer, float_node);
    set_biases(static_.graph(), index, correction.bias.empty() ? bias_or_zeros(float_node) : correction.bias, op);
    table_.corrections[node.name] = std::move(correction);
  }

  IntegerWeights fit_weights(int index, FloatLayer& layer, const Node& float_node) {
    const Node& node = static_.node(index);
    const std::vector<float>& src_scale = static_.node(node.inputs[0]).type.scale;
    if (!options_.corrections.gptq) return nearest_weights(float_node, src_scale, false);
    const ConvDesc desc = *conv_desc(static_.graph(), index);
    const int source = node.inputs[0], zero_point = static_.node(source).type.zero_point;
    const Patches patches(static_.tensor(source), zero_point, desc, layer.positions);
    if (!options_.corrections.asymmetric) layer.samples.clear();
    if (!layer.samples.empty() && node.inputs.size() > 1) subtract_residual(node, layer);
    return compensated_weights(float_node, src_scale, options_.weights_per_channel, patches, layer.samples);
  }

  void subtract_residual(const Node& node, FloatLayer& layer) const {
    const ImageTensor& residual = static_.tensor(node.inputs[1]);
    const Node& source = static_.graph().node(node.inputs[1]);
    const auto scale = static_cast<float>(scale_of(source));
    const auto channels = static_cast<std::size_t>(node.shape.c);
    for (std::size_t i = 0; i < layer.samples.size(); ++i) {
      const auto at = static_cast<std::size_t>(layer.positions[i / channels]) * channels + i % channels;
      const auto byte = static_cast<std::uint8_t>(residual.bytes[at]);
      const int q = residual.dtype == DType::kU8 ? int{byte} : int{static_cast<std::int8_t>(byte)};
      layer.samples[i] -= scale * static_cast<float>(q - source.type.zero_point);
    }
  }

  // The integer layer's values in real units in front of the activation: the same kernel with float32 output.
  ChannelMoments integer_moments(int index, const std::vector<double>& bias, Activation act) const {
    Node node = static_.graph().node(index);
    IntegerOp& op = *node.integer;
    for (std::size_t k = 0; k < op.m.size(); ++k) op.m[k] = static_cast<float>(op.m[k] * scale_of(node, k));
    op.residual_scale = static_cast<float>(op.residual_scale * scale_of(node));
    const std::vector<double> shares = zero_point_shares(static_.graph(), index, op);
    for (std::size_t k = 0; k < op.b.size(); ++k) op.b[k] = static_cast<float>(bias[k] - shares[k]);
    op.lo = -kInfinity;
    op.hi = kInfinity;
    node.type = TensorType{};
    ChannelMoments moments(node.shape.c);
    static_.run(index, node, [&](int, const TensorView& y) { moments.add(y, act); });
    return moments;
  }

  std::vector<float> fit_bias(int index, const FloatLayer& layer, const Node& float_node) const {
    const std::vector<float> initial = bias_or_zeros(float_node);
    std::vector<double> bias(initial.begin(), initial.end());
    const Activation act = *fused_activation(float_node.op);
    const auto count = static_cast<double>(layer.moments.count);
    const ChannelMoments first = integer_moments(index, bias, act);
    for (std::size_t k = 0; k < bias.size(); ++k) bias[k] += (layer.moments.sum[k] - first.sum[k]) / count;
    const bool after = options_.corrections.bias_after_activation && act != Activation::kNone;
    for (int step = 0; after && step < kActivationSteps; ++step) {
      const ChannelMoments now = integer_moments(index, bias, act);
      for (std::size_t k = 0; k < bias.size(); ++k) {
        const double linear = std::max(kLeastLinear, now.linear[k] / count);
        bias[k] += kStep * (layer.moments.activated[k] - now.activated[k]) / count / linear;
      }
    }
    const Node& node = static_.graph().node(index);
    for (std::size_t k = 0; k < bias.size(); ++k)
      bias[k] = whole_steps(bias[k], node.integer->m[k] * scale_of(node, k));
    return {bias.begin(), bias.end()};
  }

  const QuantOptions& options_;
  CalibrationTable& table_;
  StoredNetwork float_, static_;
};

}  // namespace

bool corrects_layers(const QuantOptions& options) {
  const Corrections& c = options.corrections;
  return c.gptq || c.bias || c.bias_after_activation || !options.weights_per_channel;
}

void correct_layers(const Graph& bound, const CalibrationImages& images, const QuantOptions& options,
                    const MakeNodeRunner& make_runner, CalibrationTable& table,
                    const std::function<void(int done, int total)>& progress) {
  Recipe(bound, options, make_runner, table).run(images, progress);
}

}  // namespace gpueval
