// SPDX-License-Identifier: Apache-2.0
// Accuracy of several engines on the same images in the same order, by a task (gpueval/task.h).
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
#include "gpueval/task.h"

namespace gpueval {

struct SkippedImage {
  std::size_t index = 0;
  std::string name, reason;
};

struct AccuracyProgress {
  std::size_t done = 0, total = 0;
  std::size_t replayed = 0;  // of done: taken from the journal of an earlier run
  double seconds = 0;        // spent on the done - replayed others
  const Task* task = nullptr;
  std::span<const AccuracyResult> rows{};  // one an engine: their scores until now
};

struct AccuracyOptions {
  const Task* task = nullptr;      // null: classification
  const Scorer* scorer = nullptr;  // the task's, of the engines' network; null: of a classifier
  Preprocessing preprocessing;
  bool preprocess_on_device = false;  // engines that preprocess, where preprocessing.only_resizes()
  std::size_t first = 0, count = 0;   // judges images [first, first + count)
  int batch = 16;                     // largest batch given to the engines; smaller where outputs are large
  // Journal of finished images (src/eval/journal.h), empty: none. A resumed run replays the journal whose key is equal.
  // A journal that cannot be written ends no run but one that resumes: it goes on without.
  std::string journal, journal_key;
  bool resume = false;
  // .npy, float32 (judged images, elements), the first output of the last engine; empty: none. A resumed run goes on
  // with the rows of the .part file (or of the file) that are those of the journal, and computes again from the first
  // one that is not.
  std::string save_logits;
  std::function<void(const AccuracyProgress&)> progress;
  // Called with each image that is scored, in order, with its last row's pair and every row's outputs; not with those
  // of a journal.
  std::function<void(const JudgedImage& image, const Score& pair, std::span<const ImageOutputs> rows)> scored;
  std::function<bool()> stop;  // asked between batches; true ends the run with what is there
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

// Decodes each image once and gives it to every engine. Throws Error for a truth that is none of the network's answers,
// for a file that cannot be read, and where not one image could be decoded.
AccuracyRun run_accuracy(const Dataset& data, std::span<Engine* const> engines, const AccuracyOptions& options);

// Images, metrics and hash of the hashes, from a row's scores.
void summarise(const Task& task, AccuracyResult& row);

// A BatchSource. Images that it could not decode are appended to skipped; where that is all of them, it throws Error.
std::function<int(std::vector<float>&, int)> image_source(const Dataset& data, const Preprocessing& preprocessing,
                                                          std::size_t first, std::size_t count,
                                                          std::vector<SkippedImage>* skipped);

// Seeded images without meaning (gradients, discs and noise; every label 0): for speed runs without data. kind() is
// "synthetic". Arrays of other channels than 1 and 3, which pictures serve.
std::unique_ptr<Dataset> open_synthetic(int height, int width, std::size_t count, std::uint64_t seed, int channels = 3);

}  // namespace gpueval
