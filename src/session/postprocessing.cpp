// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "core/clock.h"
#include "core/threads.h"
#include "session/parts.h"
#include "task/statistics.h"

namespace gpueval {
namespace {

constexpr int kRepeats = 11;
constexpr double kOtherThreshold = 0.5;  // far fewer boxes than any that AP is measured with

// Of what `seconds` gives.
template <typename Seconds>
double median_ms_of(Seconds&& seconds) {
  std::vector<double> ms;
  for (int i = 0; i < kRepeats; ++i) ms.push_back(1e3 * seconds());
  return median(std::move(ms));
}

template <typename Work>
double median_ms(Work&& work) {
  return median_ms_of([&] {
    const double start = steady_seconds();
    work();
    return steady_seconds() - start;
  });
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

// A first pass of each is not counted: nothing of it is loaded or captured yet.
PostprocessingReport time_on_device(const Detector& usual, const Detector& other, DeviceClock& clock,
                                    DeviceDetection& detection) {
  const auto detecting = [&](const Detector& detector) {
    detection.prepare(detector);
    for (int i = 0; i < 2; ++i) detection.detect_loaded();
    return median_ms_of([&] { return detection.detect_loaded(); });
  };
  PostprocessingReport report{.on_device = true, .other_threshold = other.priors.score_threshold};
  clock.run_loaded();
  report.network_ms = median_ms_of([&] { return clock.run_loaded(); });
  report.other_ms = std::max(0.0, detecting(other) - report.network_ms);
  report.ms = std::max(0.0, detecting(usual) - report.network_ms);
  return report;
}

std::optional<PostprocessingReport> time_postprocessing(const Prepared& prepared, Engine& engine,
                                                        DeviceDetection* detection, const std::vector<float>& input,
                                                        int batch) {
  const auto usual = postprocessing(prepared), other = postprocessing(prepared, kOtherThreshold);
  if (!usual || engine.emulated()) return std::nullopt;
  if (detection != nullptr) {
    const Scorer& scorer = *prepared.judged.scorer;
    engine.device_clock()->load(input, batch);
    PostprocessingReport report =
        time_on_device(*scorer.detector(), *scorer.detector(kOtherThreshold), *engine.device_clock(), *detection);
    report.what = scorer.postprocessing();
    return report;
  }
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
        fmt::format("{}: times and images/s include {}, {}. Of a batch of {} the network alone takes {:.3g} ms, the "
                    "rest {:.3g} ms; with scores above {:g} it would take {:.3g} ms (medians, behind the timed run).",
                    run.label(), cost.what, cost.on_device ? "on the device" : "on the host", run.batch,
                    cost.network_ms, cost.ms, cost.other_threshold, cost.other_ms));
  }
  return sentences;
}

}  // namespace gpueval
