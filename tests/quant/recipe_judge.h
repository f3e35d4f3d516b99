// SPDX-License-Identifier: Apache-2.0
// Calibrates on the first images of the real sample and judges on the others.
#pragma once

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "cpu/engine.h"
#include "gpueval/accuracy.h"
#include "gpueval/models.h"
#include "gpueval/quant.h"
#include "support/data_files.h"
#include "task/statistics.h"

namespace gpueval::test {

struct Judgement {
  double agreement = 0, sqnr_db = 0, kl = 0, top1 = 0, top1_diff = 0, p = 1;
};

class Judge {
 public:
  static constexpr std::size_t kCalibrated = 128;

  // network: "mobilenet" (0.25) or "squeezenet".
  explicit Judge(const std::string& network) : spec_(find_model(network)) {
    const ModelOptions options{.alpha = network == "mobilenet" ? 0.25 : 1.0, .variant = {}};
    data_ = open_pickle(real_data("imagenet/val224_sample.pkl"));
    graph_ = bind_weights(spec_.build(options), read_weight_file(weight_file(network)));
  }
  static std::string weight_file(const std::string& network) {
    return real_data(network == "mobilenet" ? "weights/mobilenet_2_5_224_tf.h5"
                                            : "weights/squeezenet_weights_tf_dim_ordering_tf_kernels.h5");
  }

  const Graph& graph() const { return graph_; }
  // Of images [first, first + count).
  CalibrationImages images(std::size_t first = 0, std::size_t count = kCalibrated) const {
    return [this, first, count] {
      return image_source(*data_, make_preprocessing(spec_.input, *data_), first, count, nullptr);
    };
  }

  std::vector<float> logits(const Graph& lowered, std::size_t first, std::size_t count) const {
    const auto engine = cpu::make_cpu_engine(lowered, {.batch = 8, .kernel = {}});
    const auto classes = static_cast<std::size_t>(lowered.output_node().shape.elements());
    std::vector<float> all, input, batch(8 * classes);
    const BatchSource source = images(first, count)();
    while (const int n = source(input, 8)) {
      engine->run(input, n, batch);
      all.insert(all.end(), batch.begin(), batch.begin() + static_cast<std::ptrdiff_t>(classes) * n);
    }
    return all;
  }

  // Images [first, first + count); by default all that calibration does not see.
  Judgement judge(const CalibrationTable& table, const QuantOptions& options, std::size_t first = kCalibrated,
                  std::size_t count = 372) {
    if (reference_.empty() || first != first_) reference_ = logits(lower_float(graph_), first, count);
    first_ = first;
    const std::vector<float> judged = logits(lower_static(graph_, table, options), first, count);
    const std::size_t classes = judged.size() / count;
    Judgement result;
    double signal = 0, noise = 0;
    std::int64_t up = 0, down = 0, right = 0, agreed = 0;
    for (std::size_t i = 0; i < count; ++i) {
      const float *f = reference_.data() + i * classes, *q = judged.data() + i * classes;
      const auto top_f = std::max_element(f, f + classes) - f, top_q = std::max_element(q, q + classes) - q;
      const auto label = data_->label(first + i);
      agreed += top_f == top_q;
      right += top_q == label;
      up += top_q == label && top_f != label;
      down += top_q != label && top_f == label;
      const Sums a = sums(f, classes), b = sums(q, classes);
      for (std::size_t c = 0; c < classes; ++c) {
        const double x = f[c] - a.mean, e = x - (q[c] - b.mean);
        signal += x * x;
        noise += e * e;
        const double log_p = f[c] - a.log_sum, log_q = q[c] - b.log_sum;
        result.kl += std::exp(log_p) * (log_p - log_q) / static_cast<double>(count);
      }
    }
    const auto n = static_cast<double>(count);
    result.agreement = static_cast<double>(agreed) / n;
    result.top1 = static_cast<double>(right) / n;
    result.top1_diff = static_cast<double>(up - down) / n;
    result.sqnr_db = 10 * std::log10(signal / noise);
    result.p = mcnemar_exact(up, down);
    return result;
  }

 private:
  struct Sums {
    double mean, log_sum;
  };
  static Sums sums(const float* logits, std::size_t classes) {
    double sum = 0, exponentials = 0;
    for (std::size_t c = 0; c < classes; ++c) {
      sum += logits[c];
      exponentials += std::exp(double{logits[c]});
    }
    return {sum / static_cast<double>(classes), std::log(exponentials)};
  }

  const ModelSpec& spec_;
  std::unique_ptr<Dataset> data_;
  Graph graph_;
  std::vector<float> reference_;
  std::size_t first_ = 0;
};

}  // namespace gpueval::test
