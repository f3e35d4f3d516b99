// SPDX-License-Identifier: Apache-2.0
// Accuracy of several engines on the same images in the same order: top-1, top-5, 95% intervals, exact McNemar test.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "gpueval/dataset.h"
#include "gpueval/engine.h"
#include "gpueval/preprocessing.h"

namespace gpueval {

struct Interval {
  double low = 0, high = 0;
};

struct SkippedImage {
  std::size_t index = 0;
  std::string name, reason;
};

struct AccuracyProgress {
  std::size_t done = 0, total = 0;
  std::size_t replayed = 0;  // of done: taken from the journal of an earlier run
  double seconds = 0;        // spent on the done - replayed others
  std::vector<double> top1;  // running, per engine
};

struct AccuracyOptions {
  Preprocessing preprocessing;
  bool preprocess_on_device = false;  // engines that preprocess, where preprocessing.only_resizes()
  std::size_t first = 0, count = 0;   // judges images [first, first + count)
  int batch = 16;                     // largest batch given to the engines
  // Journal of finished images (src/eval/journal.h), empty: none. A resumed run replays the journal whose key is equal.
  // A journal that cannot be written ends no run but one that resumes: it goes on without.
  std::string journal, journal_key;
  bool resume = false;
  std::string save_logits;  // .npy, float32 (judged images, classes), of the last engine; empty: none
  std::function<void(const AccuracyProgress&)> progress;
  std::function<bool()> stop;  // asked between batches; true ends the run with what is there
};

// How far logits are from another network's, summed over images. An image's logits count without their mean, which
// changes no probability; images with a logit that is not finite in either are left out.
struct LogitError {
  double signal = 0, noise = 0, kl = 0;  // sums of squares; sum of KL(softmax(reference) || softmax(logits))
  std::int64_t images = 0;

  void add(std::span<const float> reference, std::span<const float> logits);
  double sqnr_db() const;  // 10 log10(signal / noise); infinite for equal logits
  double mean_kl() const { return images == 0 ? 0 : kl / static_cast<double>(images); }
};

// One engine's part. Fractions are counts / images. An image whose logits hold a NaN counts as wrong.
struct AccuracyResult {
  std::int64_t images = 0, top1 = 0, top5 = 0, nan_images = 0;
  std::vector<std::int32_t> predicted;  // top-1 class of each judged image in order; -1 where a logit is NaN
  std::vector<bool> correct;            // top-1 is right
  std::string logits_sha256;            // of all judged images' float32 logits, in order
  LogitError against_first;             // of its logits against the first engine's
  std::int64_t one_below = 0;           // predictions that are the label - 1: many where labels count from 1

  double top1_fraction() const { return images == 0 ? 0 : static_cast<double>(top1) / static_cast<double>(images); }
  double top5_fraction() const { return images == 0 ? 0 : static_cast<double>(top5) / static_cast<double>(images); }
};

struct AccuracyRun {
  std::vector<AccuracyResult> rows;   // one an engine
  std::vector<SkippedImage> skipped;  // could not be decoded: judged by no engine
  std::size_t replayed = 0;           // images taken from the journal
  double seconds = 0;                 // decoding and inference of the others
  bool interrupted = false;
  // Files that could not be written (--save-logits, the journal of a resumed run): the run went on without them.
  std::vector<std::string> output_errors;
  std::string journal_problem;  // why there is no journal to resume from; empty: there is one, or none was asked for
};

// Decodes each image once and gives it to every engine. Throws Error for a label outside the engines' classes, for a
// file that cannot be read, and where not one image could be decoded.
AccuracyRun run_accuracy(const Dataset& data, std::span<Engine* const> engines, const AccuracyOptions& options);

// Second engine against the first, image by image.
struct PairedComparison {
  std::int64_t images = 0;
  double top1_diff = 0;              // second - first, fraction
  Interval top1_diff_ci95;           // Bonett and Price 2012: adjusted Wald for paired proportions
  std::int64_t discordant_up = 0;    // second right, first wrong
  std::int64_t discordant_down = 0;  // first right, second wrong
  double mcnemar_p = 1;              // exact, two-sided
  double agreement = 1;              // same top-1 class, right or wrong
  LogitError logits;                 // second against first; images = 0: not measured against it
};
PairedComparison compare_paired(const AccuracyResult& first, const AccuracyResult& second);

// A BatchSource. Images that it could not decode are appended to skipped; where that is all of them, it throws Error.
std::function<int(std::vector<float>&, int)> image_source(const Dataset& data, const Preprocessing& preprocessing,
                                                          std::size_t first, std::size_t count,
                                                          std::vector<SkippedImage>* skipped);

// Seeded images without meaning (gradients, discs and noise; every label 0): for speed runs without data. kind() is
// "synthetic".
std::unique_ptr<Dataset> open_synthetic(int height, int width, std::size_t count, std::uint64_t seed);

}  // namespace gpueval
