// SPDX-License-Identifier: Apache-2.0
// What calibrating on images from all over a set is worth where its list goes class by class, as class folders do.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <numeric>

#include "cpu/engine.h"
#include "gpueval/accuracy.h"
#include "gpueval/models.h"
#include "gpueval/quant.h"
#include "gpueval/selection.h"
#include "gpueval/weights.h"
#include "models/demo.h"

namespace gpueval {
namespace {

class SpreadCalibration : public testing::Test {
 protected:
  SpreadCalibration()
      : spec_(find_model("demo")),
        graph_(bind_weights(spec_.build({}), read_demo_weights())),
        data_(open_demo("test", 400)),
        judged_(open_demo("calibration", 200)) {
    std::vector<std::size_t> by_class(data_->size());
    std::iota(by_class.begin(), by_class.end(), std::size_t{0});
    std::stable_sort(by_class.begin(), by_class.end(),
                     [&](std::size_t a, std::size_t b) { return data_->label(a) < data_->label(b); });
    sorted_ = select(*data_, by_class);
  }

  std::vector<float> logits(const Graph& lowered) const {
    const auto engine = cpu::make_cpu_engine(lowered, {.batch = 8, .kernel = {}});
    const auto source = image_source(*judged_, make_preprocessing(spec_.input, *judged_), 0, judged_->size(), nullptr);
    std::vector<float> all, input, batch(8 * 10);
    while (const int n = source(input, 8)) {
      engine->run(input, n, batch);
      all.insert(all.end(), batch.begin(), batch.begin() + 10 * std::ptrdiff_t{n});
    }
    return all;
  }

  // Of the logits of images that calibrate nothing, by the default recipe.
  double sqnr_db(const std::vector<std::size_t>& calibrated_on) const {
    const auto images = select(*sorted_, calibrated_on);
    const QuantOptions options{.scheme = Scheme::kBest, .corrections = default_corrections(Scheme::kBest)};
    const CalibrationTable table = calibrate(
        graph_,
        [&] { return image_source(*images, make_preprocessing(spec_.input, *images), 0, images->size(), nullptr); },
        options);
    const std::vector<float> exact = logits(lower_float(graph_)), int8 = logits(lower_static(graph_, table, options));
    LogitError error;
    for (std::size_t i = 0; i < exact.size(); i += 10)
      error.add(std::span(exact).subspan(i, 10), std::span(int8).subspan(i, 10));
    return error.sqnr_db();
  }

  const ModelSpec& spec_;
  Graph graph_;
  std::unique_ptr<Dataset> data_, judged_, sorted_;
};

TEST_F(SpreadCalibration, IsBetterThanTheFirstImagesOfASortedList) {
  constexpr std::size_t kCount = 32;
  std::vector<std::size_t> first(kCount);
  std::iota(first.begin(), first.end(), std::size_t{0});
  const double of_first = sqnr_db(first), spread = sqnr_db(spread_indices(*sorted_, kCount, 1));
  std::printf("SQNR calibrated on the first %zu: %.1f dB, on %zu spread over the classes: %.1f dB\n", kCount, of_first,
              kCount, spread);
  EXPECT_GE(spread, of_first + 2);
}

}  // namespace
}  // namespace gpueval
