// SPDX-License-Identifier: Apache-2.0
// Boxes that devices find themselves are trusted behind a comparison with the host's, as kernels are.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "session/parts.h"
#include "task/detection/decode.h"

namespace gpueval {
namespace {

bool same_number(float a, float b) { return a == b || (std::isnan(a) && std::isnan(b)); }

bool same_box(const FoundBox& a, const FoundBox& b) {
  return a.category == b.category && same_number(a.score, b.score) && same_number(a.x1, b.x1) &&
         same_number(a.y1, b.y1) && same_number(a.x2, b.x2) && same_number(a.y2, b.y2);
}

}  // namespace

std::string different_boxes(std::span<const FoundBox> host, std::span<const FoundBox> device) {
  if (host.size() != device.size()) return fmt::format("{} boxes, the host finds {}", device.size(), host.size());
  for (std::size_t i = 0; i < host.size(); ++i) {
    const FoundBox &a = host[i], &b = device[i];
    if (same_box(a, b)) continue;
    return fmt::format("box {} is of class {} with score {:.9g}, the host's of class {} with {:.9g}", i, b.category,
                       b.score, a.category, a.score);
  }
  return "";
}

std::string why_not_on_device(const Detector& detector, Engine& engine, const std::vector<float>& input, int batch) {
  DeviceDetection& device = *engine.detection();
  if (std::string why = device.prepare(detector); !why.empty()) return why;
  OutputBuffers outputs(engine.graph(), batch);
  engine.run(input, batch, outputs);
  std::vector<std::vector<FoundBox>> found(static_cast<std::size_t>(batch));
  device.detect(input, batch, found);
  const auto of_image = [&](std::size_t output, std::size_t i) {
    const std::size_t elements = output_elements(engine.graph(), output);
    return outputs[output].subspan(i * elements, elements);
  };
  for (std::size_t i = 0; i < found.size(); ++i) {
    const std::vector<FoundBox> host =
        detect(detector.priors, thresholds_of(detector.priors), of_image(detector.outputs.boxes, i),
               of_image(detector.outputs.scores, i));
    if (const std::string difference = different_boxes(host, found[i]); !difference.empty())
      return fmt::format("of picture {} of a batch it finds others: {}", i, difference);
  }
  return "";
}

std::vector<DeviceDetection*> device_detections(const Prepared& prepared, const EngineSet& set,
                                                const std::vector<float>& input, int batch,
                                                std::vector<std::string>& notes) {
  std::vector<DeviceDetection*> detections(set.engines.size(), nullptr);
  const Scorer* scorer = prepared.judged.scorer.get();
  const std::optional<Detector> detector = scorer == nullptr ? std::nullopt : scorer->detector();
  for (std::size_t i = 0; i < detections.size() && detector; ++i) {
    Engine& engine = *set.engines[i];
    if (engine.detection() == nullptr) continue;
    const std::string why = why_not_on_device(*detector, engine, input, batch);
    if (why.empty()) {
      detections[i] = engine.detection();
      continue;
    }
    std::string note = fmt::format("Decode and NMS run on the host, not on {}: {}.", engine.device(), why);
    if (std::find(notes.begin(), notes.end(), note) == notes.end()) notes.push_back(std::move(note));
  }
  return detections;
}

}  // namespace gpueval
