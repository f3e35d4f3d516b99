// SPDX-License-Identifier: Apache-2.0
// The score of a pair is the number of pixels that get the same class, then that of all pixels, and signal and noise of
// the raw outputs.
#include "task/segmentation/scorer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <functional>
#include <mutex>
#include <numeric>
#include <utility>

#include "gpueval/error.h"
#include "io/data/write_label_map.h"
#include "task/output_error.h"
#include "task/segmentation/confusion.h"
#include "task/segmentation/upsample.h"

namespace gpueval {
namespace {

class SegmentationScorer : public Scorer {
 public:
  SegmentationScorer(const Shape& input, const Shape& map, const TaskOptions& options)
      : input_(input),
        map_(map),
        classes_(std::max(map.c, 2)),
        upsample_(options.aligned ? Upsample::kAligned : Upsample::kHalfPixel),
        masks_(options.save_masks) {}

  void check_truth(const Dataset& data, std::size_t, std::size_t) const override {
    if (data.truth() != TruthKind::kLabelMap) fail("{}: has no label maps to judge a segmentation by", data.path());
  }

  void score(const JudgedImage& image, std::span<const ImageOutputs> outputs, std::span<Score> samples,
             std::span<Score> pairs) const override {
    const LabelMap truth = image.data.label_map(image.index);
    check_classes(image, truth);
    std::vector<std::uint8_t> first;
    for (std::size_t row = 0; row < outputs.size(); ++row) {
      std::vector<std::uint8_t> found =
          label_pixels(outputs[row][0], map_, input_, upsample_, image.geometry, image.height, image.width);
      samples[row] = confusion_score(truth, found, classes_, any_nan(outputs[row]));
      if (row + 1 == outputs.size()) save(image, found);
      if (row == 0) {
        first = std::move(found);
        continue;
      }
      const auto same = std::transform_reduce(first.begin(), first.end(), found.begin(), std::size_t{0}, std::plus(),
                                              [](std::uint8_t a, std::uint8_t b) { return std::size_t{a == b}; });
      const OutputError error = output_error(outputs[0], outputs[row]);
      pairs[row] = {static_cast<double>(same), static_cast<double>(found.size()), error.signal, error.noise};
    }
  }

  bool possible(const Score& sample, const Dataset& data, std::size_t image) const override {
    return possible_confusion_score(sample, classes_, data.label_map(image));
  }
  bool possible_pair(const Score& pair) const override {
    const bool finite = std::all_of(pair.begin(), pair.end(), [](double v) { return std::isfinite(v) && v >= 0; });
    return pair.size() == 4 && finite && pair[0] <= pair[1];
  }
  LabelMap label_map(const JudgedImage& image, ImageOutputs outputs) const override {
    return {image.height, image.width,
            label_pixels(outputs[0], map_, input_, upsample_, image.geometry, image.height, image.width)};
  }
  std::vector<std::string> output_errors() const override {
    const std::lock_guard lock(mutex_);
    return errors_;
  }

 private:
  void check_classes(const JudgedImage& image, const LabelMap& truth) const {
    if (truth.height != image.height || truth.width != image.width) {
      fail("{}: {} has a label map of {} x {} pixels for a picture of {} x {}", image.data.path(),
           image.data.name(image.index), truth.width, truth.height, image.width, image.height);
    }
    for (const std::uint8_t value : truth.classes) {
      if (value < classes_ || value == LabelMap::kVoid) continue;
      fail(
          "{}: the label map of {} has class {}, but the network has classes 0 to {}; --map-classes says what its "
          "values are",
          image.data.path(), image.data.name(image.index), value, classes_ - 1);
    }
  }

  // What cannot be written costs no result, and is said once.
  void save(const JudgedImage& image, const std::vector<std::uint8_t>& classes) const {
    if (masks_.empty()) return;
    const std::lock_guard lock(mutex_);
    if (!errors_.empty()) return;
    try {
      const std::string stem = std::filesystem::path(image.data.name(image.index)).stem().string();
      write_label_map((std::filesystem::path(masks_) / (stem + ".png")).string(), {image.height, image.width, classes});
    } catch (const Error& error) {
      errors_.emplace_back(error.what());
    }
  }

  const Shape input_, map_;
  const int classes_;
  const Upsample upsample_;
  const std::string masks_;
  mutable std::mutex mutex_;
  mutable std::vector<std::string> errors_;
};

}  // namespace

Shape label_map_shape(const Shape& input, const NetworkOutput& output) {
  const Shape& found = output.shape;
  if (found.w > 1 && found.h > 1) return found;
  // Pixels in one line: of the input, or of a map that a whole number of its pixels make one of.
  for (int factor = 1; factor <= 32; ++factor) {
    const int h = (input.h + factor - 1) / factor, w = (input.w + factor - 1) / factor;
    if (std::int64_t{h} * w == std::int64_t{found.h} * found.w) return {1, h, w, found.c};
  }
  fail("segmentation is of networks whose output is a map of class logits, and '{}' is {} for an input of {}",
       output.layer, to_string(found), to_string(input));
}

std::unique_ptr<Scorer> segmentation_scorer(const Shape& input, const NetworkOutput& output,
                                            const TaskOptions& options) {
  if (output.shape.c > LabelMap::kVoid)
    fail("'{}' has {} channels; a segmentation has at most 255", output.layer, output.shape.c);
  return std::make_unique<SegmentationScorer>(input, label_map_shape(input, output), options);
}

}  // namespace gpueval
