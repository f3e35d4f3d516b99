// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <utility>

#include "gpueval/error.h"
#include "task/detection/scorer.h"

namespace gpueval {
namespace {

std::size_t elements(const NetworkOutput& output) { return static_cast<std::size_t>(output.shape.elements()); }

std::string outputs_text(std::span<const NetworkOutput> outputs) {
  std::vector<std::string> texts;
  for (const NetworkOutput& output : outputs)
    texts.push_back(fmt::format("'{}' of {}", output.layer, to_string(output.shape)));
  return fmt::format("{}", fmt::join(texts, ", "));
}

std::size_t find_output(const Priors& priors, std::span<const NetworkOutput> outputs, const std::string& name,
                        const char* what, std::size_t each) {
  const std::size_t size = priors.boxes.size() * each;
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    const bool named = outputs[i].name == name || outputs[i].layer == name;
    if (name.empty() ? elements(outputs[i]) != size : !named) continue;
    if (elements(outputs[i]) == size) return i;
    fail("priors {}: output '{}' has {} numbers, but {} priors have {} {}: these priors are of another network",
         priors.name, name, elements(outputs[i]), priors.boxes.size(), size, what);
  }
  fail("priors {}: the network has no output {} for the {}; it has {}", priors.name,
       name.empty() ? fmt::format("of {} numbers", size) : "'" + name + "'", what, outputs_text(outputs));
}

}  // namespace

Priors priors_for(const Shape& input, std::span<const NetworkOutput> outputs, const TaskOptions& options) {
  if (options.priors.empty()) {
    fail_usage("a detector needs its priors: --priors F.json (docs/priors-schema.json), or embedded ones: {}",
               fmt::join(embedded_priors(), ", "));
  }
  Priors priors = read_priors(options.priors);
  if (priors.input_height != input.h || priors.input_width != input.w) {
    fail("priors {}: they are for an input of {} x {}, but the network takes {} x {}", options.priors,
         priors.input_height, priors.input_width, input.h, input.w);
  }
  if (!options.anchors.empty()) {
    std::vector<Prior> boxes = read_priors(options.anchors).boxes;
    if (boxes.size() != priors.boxes.size()) {
      fail("priors {}: they are {} boxes, but those of {} are {}", options.anchors, boxes.size(), options.priors,
           priors.boxes.size());
    }
    priors.boxes = std::move(boxes);
  }
  if (options.score_threshold) priors.score_threshold = *options.score_threshold;
  if (options.nms_threshold) priors.nms_threshold = *options.nms_threshold;
  const std::string& head = outputs[detector_outputs(priors, outputs).scores].head;
  if (head == "none") return priors;
  if (priors.scores != ScoreForm::kProbabilities) {
    fail("priors {}: say that scores are logits, but the network's file has a {} itself: there they are probabilities",
         options.priors, head);
  }
  priors.scores = head == "softmax" ? ScoreForm::kSoftmax : ScoreForm::kSigmoid;
  return priors;
}

DetectorOutputs detector_outputs(const Priors& priors, std::span<const NetworkOutput> outputs) {
  const auto channels = static_cast<std::size_t>(priors.score_channels());
  DetectorOutputs which{find_output(priors, outputs, priors.boxes_output, "offsets of boxes", 4),
                        find_output(priors, outputs, priors.scores_output, "scores", channels)};
  if (which.boxes == which.scores) {
    fail("priors {}: boxes and scores are one output; `outputs` names both where shapes do not tell them apart",
         priors.name);
  }
  return which;
}

}  // namespace gpueval
