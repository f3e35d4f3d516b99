// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "core/clock.h"
#include "core/threads.h"
#include "session/parts.h"

namespace gpueval {
namespace {

constexpr int kRepeats = 11;
constexpr double kOtherThreshold = 0.5;  // far fewer boxes than any that AP is measured with

template <typename Work>
double median_ms(Work&& work) {
  std::vector<double> ms;
  for (int i = 0; i < kRepeats; ++i) {
    const double start = steady_seconds();
    work();
    ms.push_back(1e3 * (steady_seconds() - start));
  }
  std::nth_element(ms.begin(), ms.begin() + kRepeats / 2, ms.end());
  return ms[kRepeats / 2];
}

}  // namespace

std::function<void(const OutputBuffers&, int)> postprocessing(const Prepared& prepared,
                                                              std::optional<double> score_threshold) {
  const Scorer* scorer = prepared.judged.scorer.get();
  if (scorer == nullptr || scorer->postprocessing().empty()) return {};
  std::vector<std::size_t> elements;
  for (const NetworkOutput& output : prepared.model.report.outputs)
    elements.push_back(static_cast<std::size_t>(output.shape.elements()));
  return [scorer, score_threshold, elements = std::move(elements)](const OutputBuffers& outputs, int images) {
    const auto work = [&](std::int64_t image) {
      std::vector<std::span<const float>> parts;
      for (std::size_t i = 0; i < elements.size(); ++i)
        parts.push_back(outputs[i].subspan(static_cast<std::size_t>(image) * elements[i], elements[i]));
      scorer->postprocess(parts, score_threshold);
    };
    images == 1 ? work(0) : parallel_for_dynamic(images, work);  // one alone has all threads to itself
  };
}

std::optional<PostprocessingReport> time_postprocessing(const Prepared& prepared, Engine& engine,
                                                        const std::vector<float>& input, int batch) {
  const auto usual = postprocessing(prepared), other = postprocessing(prepared, kOtherThreshold);
  if (!usual || engine.emulated()) return std::nullopt;
  OutputBuffers outputs(engine.graph(), batch);
  PostprocessingReport report{.what = prepared.judged.scorer->postprocessing(), .other_threshold = kOtherThreshold};
  report.network_ms = median_ms([&] { engine.run(input, batch, outputs); });
  report.ms = median_ms([&] { usual(outputs, batch); });
  report.other_ms = median_ms([&] { other(outputs, batch); });
  return report;
}

std::vector<std::string> postprocessing_costs(const Report& report) {
  std::vector<std::string> sentences;
  for (const RunReport& run : report.runs) {
    if (!run.postprocessing) continue;
    const PostprocessingReport& cost = *run.postprocessing;
    sentences.push_back(
        fmt::format("{}: times and images/s include {}. Of a batch of {} the network alone takes {:.3g} ms, the rest "
                    "{:.3g} ms; with "
                    "scores above {:g} it would take {:.3g} ms (medians, behind the timed run).",
                    run.label(), cost.what, run.batch, cost.network_ms, cost.ms, cost.other_threshold, cost.other_ms));
  }
  return sentences;
}

}  // namespace gpueval
