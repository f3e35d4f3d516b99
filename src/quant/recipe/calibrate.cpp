// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <limits>
#include <memory>

#include "gpueval/error.h"
#include "gpueval/quant.h"
#include "graph/passes.h"
#include "quant/calibrators/calibrators.h"
#include "quant/lowering.h"
#include "quant/recipe/analytic_bias.h"
#include "quant/recipe/channel_scales.h"
#include "quant/recipe/clip_search.h"
#include "quant/recipe/images.h"
#include "quant/recipe/layer_weights.h"
#include "quant/recipe/recipe.h"

namespace gpueval {
namespace {

constexpr int kBatch = 8;

// Those that read a tensor; none where something else does, too.
std::vector<Function> functions_alone(const Graph& graph, const std::vector<int>& readers) {
  std::vector<Function> functions;
  for (const int reader : readers) {
    const auto* function = std::get_if<Activate>(&graph.node(reader).op);
    if (function == nullptr) return {};
    functions.push_back(function->function);
  }
  return functions;
}

std::vector<ClipRequest> clip_requests(const Graph& lowered, const std::vector<bool>& scalable, DType activations) {
  const std::vector<bool> positive = non_negative(lowered);
  const std::vector<bool> takers = zero_point_takers(lowered);
  const auto consumers = lowered.consumers();
  std::vector<ClipRequest> requests;
  for (std::size_t i = 0; i < lowered.nodes.size(); ++i) {
    requests.push_back({.levels = positive[i] && activations == DType::kU8 ? 255 : 127, .channels = scalable[i]});
    if (activations != DType::kU8 || !takers[i]) continue;
    requests.back().zero_point = true;
    requests.back().functions = functions_alone(lowered, consumers[i]);
  }
  return requests;
}

void check_options(const QuantOptions& options) {
  const Corrections& c = options.corrections;
  if (!needs_calibration(options.scheme)) fail_usage("scheme '{}' needs no calibration", to_string(options.scheme));
  if (c.analytic_bias && (c.bias || c.bias_after_activation))
    fail_usage("analytic bias correction contradicts the empirical one, which finds the same from images");
  if (c.asymmetric && !c.gptq) fail_usage("the asymmetric target is a part of gptq: switch both on");
}

}  // namespace

// Flips stay off: twice the time, and on held-out images a better SQNR but a worse KL.
Corrections default_corrections(Scheme scheme) {
  Corrections corrections;
  if (scheme != Scheme::kBest) return corrections;
  corrections.bias = true;
  corrections.bias_after_activation = true;
  corrections.channel_scales = true;
  corrections.clip_search = true;
  corrections.gptq = true;
  corrections.asymmetric = true;
  return corrections;
}

CalibrationTable calibrate(const Graph& bound, const CalibrationImages& images, const QuantOptions& options,
                           const Executor& executor, const std::function<void(int done, int total)>& progress) {
  check_options(options);
  const Corrections& corrections = options.corrections;
  const Graph lowered = lower_float(bound);
  const CalibrationImages all = corrections.flips ? with_flips(images, lowered.input_node().shape) : images;
  const std::unique_ptr<Engine> engine = executor.make_engine(lowered, {.batch = kBatch, .every_node = true});

  CalibrationTable table;
  table.isa = executor.isa;
  if (!corrections.clip_search) table.range = calibrated_ranges(*engine, all, kBatch, options);
  if (corrections.clip_search || corrections.channel_scales) {
    const std::vector<bool> scalable = corrections.channel_scales ? scalable_nodes(lowered, options.activations)
                                                                  : std::vector<bool>(lowered.nodes.size(), false);
    const std::map<std::string, Clips> clips =
        find_clips(*engine, {all, corrections.flips ? 2 : 1}, clip_requests(lowered, scalable, options.activations),
                   corrections.clip_search, kBatch);
    if (corrections.clip_search) {
      for (const auto& [name, clip] : clips) {
        table.range[name] = clip.tensor;
        if (clip.codes.zero_point != 0) table.zero_point[name] = clip.codes.zero_point;
      }
    }
    table.channel_scale = all_channel_scales(lowered, scalable, clips);
  }
  for (auto& [name, range] : table.range) {
    if (range >= std::numeric_limits<float>::min()) continue;
    range = 0;  // as good as silent; its scale would overflow
    table.zero_point.erase(name);
  }
  if (corrects_layers(options)) correct_layers(bound, all, options, executor.make_node_runner, table, progress);
  if (corrections.analytic_bias) correct_biases_analytically(bound, options, table);
  return table;
}

std::vector<std::string> uncompensated_layers(const Graph& bound, const QuantOptions& options) {
  std::vector<std::string> names;
  if (!options.corrections.gptq) return names;
  const Graph lowered = lower_float(bound);
  for (std::size_t i = 0; i < lowered.nodes.size(); ++i) {
    const auto desc = conv_desc(lowered, static_cast<int>(i));
    const std::string& name = lowered.nodes[i].name;
    const auto& left = options.float_layers;
    if (desc && !desc->depthwise && desc->depth() > std::int64_t{kDeepestCompensated} &&
        std::find(left.begin(), left.end(), name) == left.end()) {
      names.push_back(name);
    }
  }
  return names;
}

}  // namespace gpueval
