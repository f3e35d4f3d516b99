// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <utility>

#include "core/stop_signal.h"
#include "eval/judge.h"
#include "eval/loader.h"
#include "gpueval/classification.h"
#include "gpueval/error.h"
#include "gpueval/sensitivity.h"

namespace gpueval {
namespace {

std::optional<double> if_number(double value) { return std::isnan(value) ? std::nullopt : std::optional(value); }

}  // namespace

class Trials::Images {
 public:
  Images(const JudgedImages& judged, int classes, const SensitivityOptions& how)
      : data_(judged.images),
        task_(judged.task != nullptr ? *judged.task : classification_task()),
        own_scorer_(judged.scorer == nullptr ? classification_scorer(classes) : nullptr),
        scorer_(judged.scorer != nullptr ? *judged.scorer : *own_scorer_),
        how_(how) {
    scorer_.check_truth(data_, 0, data_.size());
    Loader loader(data_, judged.preprocessing, 0, data_.size(), static_cast<std::size_t>(how.batch));
    LoadedChunk chunk;
    while (loader.next(chunk)) {
      skipped.insert(skipped.end(), chunk.skipped.begin(), chunk.skipped.end());
      if (!chunk.images.empty()) chunks_.push_back({std::move(chunk), {}});
    }
    if (chunks_.empty()) fail("{}: there is no image to judge layers by", data_.path());
  }

  void run_float32(Graph lowered) {
    for_each_chunk(std::move(lowered), [&](Chunk& chunk, ChunkOutputs& outputs) {
      chunk.exact = std::move(outputs);
      add(score(chunk, std::span(&chunk.exact, 1)).front(), float32);
    });
    task_.summarise(float32);
  }

  Trial measure(Graph lowered) {
    AccuracyResult row;
    std::vector<ChunkOutputs> outputs(2);
    for_each_chunk(std::move(lowered), [&](Chunk& chunk, ChunkOutputs& found) {
      std::swap(outputs[0], chunk.exact);
      std::swap(outputs[1], found);
      add(score(chunk, outputs).back(), row);
      std::swap(outputs[0], chunk.exact);
    });
    const Agreement agreement = task_.agreement(row.pairs);
    const bool classifies = task_.truth() == TruthKind::kClass;
    return {.agreement = agreement.share,
            .sqnr_db = agreement.logits.sqnr_db(),
            .kl = classifies ? std::optional(agreement.logits.mean_kl()) : std::nullopt,
            .headline = task_.headline(row.samples)};
  }

  std::vector<SkippedImage> skipped;
  AccuracyResult float32;

 private:
  struct Chunk {
    LoadedChunk loaded;
    ChunkOutputs exact;  // float32's
  };

  template <typename Use>
  void for_each_chunk(Graph lowered, Use&& use) {
    const auto engine = make_engine(how_.device, std::move(lowered), {how_.batch, how_.kernel});
    ChunkOutputs outputs;
    for (Chunk& chunk : chunks_) {
      stop_point();
      const std::size_t images = chunk.loaded.images.size();
      outputs.resize(engine->graph(), images);
      const std::vector<std::span<float>> all = outputs.of(0, images);
      engine->run(chunk.loaded.pixels, static_cast<int>(images), Outputs(all));
      use(chunk, outputs);
    }
  }

  std::vector<ChunkScores> score(const Chunk& chunk, std::span<const ChunkOutputs> outputs) const {
    return score_images(scorer_, data_, chunk.loaded.images, chunk.loaded.placed, outputs);
  }

  static void add(const ChunkScores& scores, AccuracyResult& row) {
    row.samples.insert(row.samples.end(), scores.samples.begin(), scores.samples.end());
    row.pairs.insert(row.pairs.end(), scores.pairs.begin(), scores.pairs.end());
  }

  const Dataset& data_;
  const Task& task_;
  const std::unique_ptr<Scorer> own_scorer_;
  const Scorer& scorer_;
  const SensitivityOptions& how_;
  std::vector<Chunk> chunks_;
};

Trials::Trials(const Graph& bound, const CalibrationTable& table, const QuantOptions& options,
               const JudgedImages& judged, SensitivityOptions how)
    : bound_(bound), table_(table), options_(options), how_(std::move(how)) {
  Graph lowered = lower_float(bound);
  images_ = std::make_unique<Images>(judged, classes_of(lowered), how_);
  images_->run_float32(std::move(lowered));
}

Trials::~Trials() = default;

const Graph& Trials::bound() const { return bound_; }
const SensitivityOptions& Trials::how() const { return how_; }
const std::vector<SkippedImage>& Trials::skipped() const { return images_->skipped; }
const AccuracyResult& Trials::float32() const { return images_->float32; }
std::optional<double> Trials::float32_headline() const { return if_number(float32().headline()); }

double Trials::loss(const Trial& trial) const { return float32_headline().value_or(0) - trial.headline.value_or(0); }

Trial Trials::measure(const std::vector<std::string>& float_layers) {
  options_.float_layers = float_layers;
  return images_->measure(lower_static(bound_, table_, options_));
}

std::size_t trial_bytes(const Graph& bound) {
  std::int64_t elements = bound.input_node().shape.elements();
  for (std::size_t i = 0; i < bound.outputs.size(); ++i) elements += std::int64_t(output_elements(bound, i));
  return static_cast<std::size_t>(elements) * sizeof(float);
}

}  // namespace gpueval
