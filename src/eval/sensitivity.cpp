// SPDX-License-Identifier: Apache-2.0
#include "gpueval/sensitivity.h"

#include <algorithm>
#include <cmath>

#include "core/stop_signal.h"
#include "gpueval/accuracy.h"
#include "gpueval/error.h"
#include "task/ranking.h"

namespace gpueval {
namespace {

double noise(const Trial& trial) { return std::pow(10.0, -trial.sqnr_db / 10); }

// The judged images, float32's logits of them, and any mixed-precision network measured against those.
class Trials {
 public:
  Trials(const Graph& bound, const CalibrationTable& table, const QuantOptions& options, const JudgedImages& judged,
         const SensitivityOptions& how)
      : bound_(bound), table_(table), options_(options), how_(how), labels_(judged.labels) {
    Graph lowered = lower_float(bound);
    image_elements_ = static_cast<std::size_t>(lowered.input_node().shape.elements());
    classes_ = static_cast<std::size_t>(lowered.output_node().shape.elements());
    read(judged.images());
    if (!labels_.empty() && labels_.size() != images_) {
      fail("{} labels for {} images to judge", labels_.size(), images_);
    }
    exact_ = logits_of(std::move(lowered));
  }

  std::size_t images() const { return images_; }
  std::optional<double> float_top1() const { return top1(exact_); }

  Trial measure(std::vector<std::string> float_layers) {
    options_.float_layers = std::move(float_layers);
    const std::vector<float> logits = logits_of(lower_static(bound_, table_, options_));
    LogitError error;
    std::size_t agreed = 0;
    for (std::size_t i = 0; i < images_; ++i) {
      error.add(image(exact_, i), image(logits, i));
      agreed += best_class(exact_, i) == best_class(logits, i) ? 1 : 0;
    }
    return {.agreement = static_cast<double>(agreed) / static_cast<double>(images_),
            .sqnr_db = error.sqnr_db(),
            .kl = error.mean_kl(),
            .top1 = top1(logits)};
  }

 private:
  void read(const BatchSource& source) {
    std::vector<float> batch;
    while (const int n = source(batch, how_.batch)) {
      pixels_.insert(pixels_.end(), batch.begin(),
                     batch.begin() + static_cast<std::ptrdiff_t>(static_cast<std::size_t>(n) * image_elements_));
      images_ += static_cast<std::size_t>(n);
    }
    if (images_ == 0) fail("there is no image to judge layers by");
  }

  std::vector<float> logits_of(Graph lowered) const {
    const auto engine = make_engine(how_.device, std::move(lowered), {how_.batch, how_.kernel});
    std::vector<float> logits(images_ * classes_);
    const auto batch = static_cast<std::size_t>(how_.batch);
    for (std::size_t i = 0; i < images_; i += batch) {
      stop_point();
      const std::size_t n = std::min(batch, images_ - i);
      engine->run(std::span(pixels_).subspan(i * image_elements_, n * image_elements_), static_cast<int>(n),
                  std::span(logits).subspan(i * classes_, n * classes_));
    }
    return logits;
  }

  std::span<const float> image(const std::vector<float>& logits, std::size_t i) const {
    return std::span(logits).subspan(i * classes_, classes_);
  }
  int best_class(const std::vector<float>& logits, std::size_t i) const {
    return rank_classes(image(logits, i)).classes[0];
  }

  std::optional<double> top1(const std::vector<float>& logits) const {
    if (labels_.empty()) return std::nullopt;
    std::size_t right = 0;
    for (std::size_t i = 0; i < images_; ++i) right += best_class(logits, i) == labels_[i] ? 1 : 0;
    return static_cast<double>(right) / static_cast<double>(images_);
  }

  const Graph& bound_;
  const CalibrationTable& table_;
  QuantOptions options_;
  const SensitivityOptions& how_;
  const std::vector<int>& labels_;
  std::size_t image_elements_ = 0, classes_ = 0, images_ = 0;
  std::vector<float> pixels_, exact_;
};

std::vector<LayerSensitivity> quantizable_layers(const Graph& bound) {
  const Graph graph = lower_float(bound);
  std::vector<LayerSensitivity> layers;
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    const auto desc = conv_desc(graph, static_cast<int>(i));
    if (!desc) continue;
    LayerSensitivity& layer = layers.emplace_back();
    layer.name = graph.nodes[i].name;
    layer.op = op_name(graph.nodes[i].op);
    layer.multiply_adds = desc->multiply_adds();
  }
  if (layers.empty()) fail("{}: it has no convolution or dense layer to rank", bound.name);
  return layers;
}

}  // namespace

Sensitivity measure_sensitivity(const Graph& bound, const CalibrationTable& table, const QuantOptions& options,
                                const JudgedImages& judged, const SensitivityOptions& how) {
  std::vector<LayerSensitivity> layers = quantizable_layers(bound);
  Trials trials(bound, table, options, judged, how);
  Sensitivity result{.images = static_cast<int>(trials.images()), .float_top1 = trials.float_top1()};
  result.layers = std::move(layers);
  const int total = 1 + 2 * static_cast<int>(result.layers.size());
  int done = 0;
  const auto measure = [&](std::vector<std::string> float_layers) {
    const Trial trial = trials.measure(std::move(float_layers));
    if (how.progress) how.progress(++done, total);
    return trial;
  };
  result.all_int8 = measure({});
  for (std::size_t i = 0; i < result.layers.size(); ++i) {
    LayerSensitivity& layer = result.layers[i];
    std::vector<std::string> others;
    for (const LayerSensitivity& other : result.layers) {
      if (other.name != layer.name) others.push_back(other.name);
    }
    try {
      layer.alone = measure(std::move(others));
      layer.rest = measure({layer.name});
    } catch (const Interrupted&) {
      if (i == 0) throw;
      result.unmeasured = static_cast<int>(result.layers.size() - i);
      result.layers.resize(i);
    }
  }
  const double everything = noise(result.all_int8);
  const auto weight = [&](const LayerSensitivity& l) { return noise(l.alone) + everything - noise(l.rest); };
  std::stable_sort(result.layers.begin(), result.layers.end(),
                   [&](const LayerSensitivity& a, const LayerSensitivity& b) { return weight(a) > weight(b); });
  return result;
}

MixedPrecision find_mixed_precision(const Graph& bound, const CalibrationTable& table, const QuantOptions& options,
                                    const JudgedImages& judged, const Sensitivity& ranking, double target_loss,
                                    const SensitivityOptions& how) {
  if (!(target_loss >= 0)) fail_usage("--target-loss: points >= 0 are expected");
  if (judged.labels.empty()) fail("a target for the loss of accuracy needs images with labels");
  Trials trials(bound, table, options, judged, how);
  const double float_top1 = *trials.float_top1();
  const int total = static_cast<int>(ranking.layers.size()) + 1;
  int done = 0;
  const auto try_with = [&](const std::vector<std::string>& layers) {
    MixedPrecision result{.float_layers = layers, .loss = 0, .trial = trials.measure(layers)};
    result.loss = float_top1 - *result.trial.top1;
    if (how.progress) how.progress(std::min(++done, total), total);
    return result;
  };
  MixedPrecision best = try_with({});
  for (std::size_t i = 0; i < ranking.layers.size() && best.loss > target_loss; ++i) {
    std::vector<std::string> layers = best.float_layers;
    layers.push_back(ranking.layers[i].name);
    best = try_with(layers);
  }
  // Least sensitive first; the last one taken is needed.
  for (std::size_t i = best.float_layers.empty() ? 0 : best.float_layers.size() - 1; i-- > 0;) {
    std::vector<std::string> layers = best.float_layers;
    layers.erase(layers.begin() + static_cast<std::ptrdiff_t>(i));
    MixedPrecision fewer = try_with(layers);
    if (fewer.loss <= target_loss) best = std::move(fewer);
  }
  if (how.progress) how.progress(total, total);
  return best;
}

Verdict judge_network(const Graph& bound, const CalibrationTable& table, const QuantOptions& options,
                      const JudgedImages& judged, const SensitivityOptions& how) {
  Trials trials(bound, table, options, judged, how);
  Verdict verdict{.images = static_cast<int>(trials.images()), .float_top1 = trials.float_top1()};
  verdict.all_int8 = trials.measure({});
  verdict.trial = options.float_layers.empty() ? verdict.all_int8 : trials.measure(options.float_layers);
  return verdict;
}

}  // namespace gpueval
