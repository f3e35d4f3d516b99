// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <set>
#include <utility>

#include "core/stop_signal.h"
#include "gpueval/error.h"
#include "io/data/encode_picture.h"
#include "session/parts.h"
#include "task/detection/score.h"

namespace gpueval {
namespace {

constexpr int kQuality = 80;
constexpr double kLeastScore = 0.3;  // of boxes that are shown
constexpr std::size_t kMostBoxes = 60;

// A picture whose rows differ.
struct Candidate {
  std::size_t picture = 0, score = 0;  // in the judged set; among the scores
  PairDifference difference;
};

// Scores are of the pictures that could be decoded, in order.
std::vector<Candidate> candidates_of(const JudgedSet& judged, const Report& report) {
  std::set<std::size_t> skipped;
  for (const SkippedImage& image : report.data->skipped) skipped.insert(image.index);
  const std::vector<Score>& pairs = report.runs.back().accuracy->pairs;
  const Task& task = find_task(report.task);
  std::vector<Candidate> candidates;
  std::size_t picture = 0;
  for (std::size_t i = 0; i < pairs.size(); ++i, ++picture) {
    while (picture < judged.indices.size() && skipped.contains(judged.indices[picture])) ++picture;
    PairDifference difference = task.difference(pairs[i]);
    if (difference.amount > 0) candidates.push_back({picture, i, std::move(difference)});
  }
  std::stable_sort(candidates.begin(), candidates.end(),
                   [](const Candidate& a, const Candidate& b) { return a.difference.amount > b.difference.amount; });
  return candidates;
}

std::vector<GalleryPicture::Box> boxes_of(const std::vector<Detection>& found) {
  std::vector<GalleryPicture::Box> boxes;
  for (const Detection& detection : found) {
    if (detection.score >= kLeastScore) boxes.push_back({detection.category, detection.score, detection.box});
  }
  std::stable_sort(boxes.begin(), boxes.end(), [](const auto& a, const auto& b) { return *a.score > *b.score; });
  if (boxes.size() > kMostBoxes) boxes.resize(kMostBoxes);
  return boxes;
}

std::vector<GalleryPicture::Box> boxes_of(const std::vector<TruthBox>& truth) {
  std::vector<GalleryPicture::Box> boxes;
  for (const TruthBox& box : truth) boxes.push_back({box.category, std::nullopt, box.box});
  return boxes;
}

class Gallery {
 public:
  Gallery(const Plan& plan, const Prepared& prepared, const JudgedSet& judged, const KeptMaps& maps,
          const Report& report)
      : plan_(plan), prepared_(prepared), judged_(judged), maps_(maps), report_(report) {}

  // Nothing of a picture that cannot be decoded any more, or whose maps an interrupted run would have to compute.
  std::optional<GalleryPicture> picture(const Candidate& candidate) {
    try {
      const Dataset& images = *judged_.images;
      const bool boxes = images.truth() == TruthKind::kBoxes;
      if (!boxes && report_.interrupted && maps_.of(candidate.picture) == nullptr) return std::nullopt;
      const Image image = images.decode(candidate.picture);
      const Image small = shrunk(image, plan_.gallery->side);
      GalleryPicture shown{
          images.name(candidate.picture), candidate.difference.text, image.height, image.width, {}, {}};
      shown.jpeg = encode_jpeg(small, kQuality);
      shown.answers = boxes ? with_boxes(candidate) : with_maps(candidate, image, small);
      return shown;
    } catch (const BadImage&) {
      return std::nullopt;
    }
  }

 private:
  std::vector<GalleryPicture::Answer> with_boxes(const Candidate& candidate) const {
    std::vector<GalleryPicture::Answer> answers;
    for (const RunReport* run : {&report_.runs.front(), &report_.runs.back()})
      answers.push_back({run->label(), boxes_of(detections_of(run->accuracy->samples[candidate.score]))});
    answers.push_back({"truth", boxes_of(judged_.images->boxes(candidate.picture))});
    return answers;
  }

  std::vector<GalleryPicture::Answer> with_maps(const Candidate& candidate, const Image& image, const Image& small) {
    std::vector<GalleryPicture::Answer> answers;
    if (const KeptMaps::Maps* kept = maps_.of(candidate.picture)) {
      answers = {{report_.runs.front().label(), {}, kept->first}, {report_.runs.back().label(), {}, kept->last}};
    } else {
      answers = with_new_maps(candidate, image, small);
    }
    const LabelMap truth = judged_.images->label_map(candidate.picture);
    answers.push_back({"truth", {}, shrunk(truth, small.height, small.width)});
    return answers;
  }

  // Scores of a journal have no maps: the two networks compute these once more.
  std::vector<GalleryPicture::Answer> with_new_maps(const Candidate& candidate, const Image& image,
                                                    const Image& small) {
    start_engines();
    const Preprocessing preprocessing = preprocessing_of(plan_, prepared_.model, *prepared_.data.images);
    std::vector<float> pixels(preprocessing.input.elements());
    JudgedImage judged{*judged_.images, candidate.picture, image.height, image.width, {}};
    judged.geometry = preprocessing.apply(image, pixels);
    std::vector<GalleryPicture::Answer> answers;
    for (const auto& [label, engine] : engines_) {
      stop_point();
      OutputBuffers outputs(engine->graph(), 1);
      engine->run(pixels, 1, outputs);
      std::vector<std::span<const float>> values;
      for (std::size_t i = 0; i < engine->graph().outputs.size(); ++i) values.emplace_back(outputs[i]);
      const LabelMap map = prepared_.judged.scorer->label_map(judged, values);
      answers.push_back({label, {}, shrunk(map, small.height, small.width)});
    }
    return answers;
  }

  void start_engines() {
    if (!engines_.empty()) return;
    engines_.emplace_back(report_.runs.front().label(), make_engine(plan_, prepared_.rows.front(), 1));
    engines_.emplace_back(report_.runs.back().label(), make_engine(plan_, prepared_.rows.back(), 1));
  }

  const Plan& plan_;
  const Prepared& prepared_;
  const JudgedSet& judged_;
  const KeptMaps& maps_;
  const Report& report_;
  std::vector<std::pair<std::string, std::unique_ptr<Engine>>> engines_;
};

std::size_t bytes_of(const GalleryPicture& picture) {
  std::size_t bytes = picture.jpeg.size();
  for (const GalleryPicture::Answer& answer : picture.answers)
    bytes += 100 * answer.boxes.size() + answer.map.classes.size() / 16;  // as text; a map's PNG is about that
  return bytes;
}

void fill_gallery(const Plan& plan, const Prepared& prepared, const JudgedSet& judged, const KeptMaps& maps,
                  Report& report) {
  Gallery gallery(plan, prepared, judged, maps, report);
  std::size_t bytes = 0;
  for (const Candidate& candidate : candidates_of(judged, report)) {
    if (report.gallery.size() == plan.gallery->pictures) return;
    std::optional<GalleryPicture> picture = gallery.picture(candidate);
    if (!picture) continue;
    bytes += bytes_of(*picture);
    if (bytes > plan.gallery->bytes) return;
    report.gallery.push_back(std::move(*picture));
  }
}

}  // namespace

void collect_gallery(const Plan& plan, const Prepared& prepared, const JudgedSet& judged, const KeptMaps& maps,
                     Observer& observer, Report& report) {
  const TruthKind truth = judged.images->truth();
  if (!plan.gallery || plan.shard || report.runs.size() < 2) return;
  if (truth != TruthKind::kBoxes && truth != TruthKind::kLabelMap) return;
  observer.on_step("looking for the pictures that differ most");
  try {
    fill_gallery(plan, prepared, judged, maps, report);
  } catch (const Interrupted&) {
    throw;
  } catch (const Error& error) {  // costs no result
    report.notes.push_back(fmt::format("Not all pictures that differ can be shown: {}.", error.what()));
  }
}

}  // namespace gpueval
