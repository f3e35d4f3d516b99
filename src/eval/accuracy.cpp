// SPDX-License-Identifier: Apache-2.0
#include "gpueval/accuracy.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>

#include "core/stop_signal.h"
#include "eval/chunk_size.h"
#include "eval/journal.h"
#include "eval/judge.h"
#include "eval/loader.h"
#include "eval/npy_writer.h"
#include "eval/overlap.h"
#include "gpueval/classification.h"
#include "gpueval/error.h"

namespace gpueval {
namespace {

std::size_t all_output_elements(const Engine& engine) {
  std::size_t elements = 0;
  for (std::size_t i = 0; i < engine.graph().outputs.size(); ++i) elements += output_elements(engine.graph(), i);
  return elements;
}

class AccuracySession {
 public:
  AccuracySession(const Dataset& data, std::span<Engine* const> engines, const AccuracyOptions& options)
      : data_(data),
        engines_(engines),
        options_(options),
        task_(options.task != nullptr ? *options.task : classification_task()),
        own_scorer_(options.scorer == nullptr ? classification_scorer(classes_of(engines.front()->graph())) : nullptr),
        scorer_(options.scorer != nullptr ? *options.scorer : *own_scorer_),
        size_(
            chunk_size(static_cast<std::size_t>(options.batch), all_output_elements(*engines.front()), engines.size())),
        judge_(task_, scorer_, data, engines.size()),
        loader_(data, options.preprocessing, options.first, options.count, size_.images, !options.preprocess_on_device),
        pixels_(pixel_table(options.preprocessing.input.normalization)) {
    scorer_.check_truth(data, options.first, options.count);
    const std::size_t elements = output_elements(engines.front()->graph(), 0);
    if (!options.save_logits.empty()) save([&] { saved_.emplace(options.save_logits, elements, options.resume); });
    if (!options.journal.empty()) open_journal();
  }

  AccuracyRun run() {
    replay();
    start_ = std::chrono::steady_clock::now();
    ReadAhead chunks(loader_, engines_.front()->pipeline() != nullptr);
    LoadedChunk loaded;
    ChunkResult chunk;
    while (!stopped() && load(chunks, loaded)) {
      if (!infer(loaded)) break;
      judge(loaded, chunk);
      report_progress();
    }
    run_.interrupted = done_ < options_.count;
    run_.seconds = seconds();
    run_.rows = judge_.finish();
    check_something_judged();
    check_some_numbers();
    if (saved_) save([&] { saved_->finish(); });
    for (std::string& error : scorer_.output_errors()) run_.output_errors.push_back(std::move(error));
    return std::move(run_);
  }

 private:
  bool stopped() const { return options_.stop && options_.stop(); }
  double seconds() const { return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count(); }

  // What cannot be read ends the run; the images judged until then stay in the journal.
  bool load(ReadAhead& chunks, LoadedChunk& loaded) {
    try {
      return chunks.next(loaded);
    } catch (const Error& error) {
      if (!journal_ || done_ == 0) throw;
      if (saved_) saved_->leave_part();
      throw Error(
          fmt::format("{}; the {} images before it are kept: --resume goes on behind them", error.what(), done_),
          error.kind());
    }
  }

  // A table of zeros would look like an accuracy.
  void check_some_numbers() const {
    for (const AccuracyResult& row : run_.rows) {
      if (row.images == 0 || row.nan_images < row.images) continue;
      fail(
          "all {} images gave NaN logits: the numbers of the network overflow; its weights are damaged or their "
          "training went wrong",
          row.images);
    }
  }

  void check_something_judged() const {
    if (run_.interrupted || run_.rows.front().images > 0) return;
    const std::string path = data_.path();
    if (run_.skipped.empty()) fail("{}: there is no image to judge", path);
    fail("{}: none of the {} images could be decoded, so nothing was judged; the first: {}", path, run_.skipped.size(),
         run_.skipped.front().reason);
  }

  void open_journal() {
    try {
      const JournalShape shape{
          engines_.size(), options_.first, options_.count, [this](std::size_t image) { return data_.name(image); },
          [this](std::size_t image, std::size_t engine, const Score& sample, const Score& pair) {
            return scorer_.possible(sample, data_, image) && (engine == 0 ? pair.empty() : scorer_.possible_pair(pair));
          }};
      journal_.emplace(options_.journal, options_.journal_key, shape, options_.resume);
    } catch (const Error& error) {
      if (options_.resume) throw;
      lose_journal(error);
    }
  }

  void append(const ChunkResult& chunk) {
    try {
      journal_->append(chunk);
    } catch (const Error& error) {
      if (options_.resume) run_.output_errors.push_back(error.what());
      lose_journal(error);
    }
  }

  void lose_journal(const Error& error) {
    journal_.reset();
    run_.journal_problem = error.what();
  }

  // A full disk must not cost what has been computed.
  template <typename Write>
  void save(Write&& write) {
    try {
      write();
    } catch (const Error& error) {
      run_.output_errors.push_back(error.what());
      saved_.reset();
    }
  }

  void replay() {
    if (!journal_ || !options_.resume) return;
    ChunkResult chunk;
    while (done_ < options_.count && journal_->replay(chunk)) {
      // What is to be saved must be at hand: from here on it is computed again.
      if (saved_ && !chunk.images.empty() && !saved_->keeps(chunk.engines.back().image_sha256)) {
        journal_->take_back(chunk);
        break;
      }
      judge_.accept(chunk);
      count(chunk);
    }
    run_.replayed = done_;
    loader_.skip_to(options_.first + done_);
  }

  // False if the run was stopped half-way through the chunk.
  bool infer(LoadedChunk& loaded) {
    try {
      return infer_all(loaded);
    } catch (const Interrupted&) {
      return false;
    }
  }

  bool infer_all(LoadedChunk& loaded) {
    outputs_.resize(engines_.size());
    const std::span<const float> pixels(loaded.pixels);
    const std::size_t image = loader_.image_elements(), images = loaded.images.size();
    for (std::size_t e = 0; e < engines_.size(); ++e) {
      outputs_[e].resize(engines_[e]->graph(), images);
      Pipelined engine(*engines_[e]);
      for (std::size_t i = 0; i < images; i += size_.batch) {
        if (stopped()) return false;
        const std::size_t n = std::min(size_.batch, images - i);
        if (options_.preprocess_on_device) {
          engine.run_decoded(std::span(loaded.decoded).subspan(i, n), pixels_, outputs_[e].of(i, n));
        } else {
          engine.run(pixels.subspan(i * image, n * image), static_cast<int>(n), outputs_[e].of(i, n));
        }
      }
      engine.finish();
    }
    return true;
  }

  void judge(LoadedChunk& loaded, ChunkResult& chunk) {
    chunk.first = loaded.first;
    chunk.count = loaded.count;
    chunk.images = loaded.images;
    chunk.skipped = loaded.skipped;
    judge_.score(chunk, loaded.placed, outputs_);
    if (options_.scored) tell(loaded, chunk.engines.back());
    if (saved_) save([&] { saved_->append(outputs_.back().first()); });
    if (journal_) append(chunk);
    count(chunk);
  }

  void tell(const LoadedChunk& loaded, const ChunkScores& last) const {
    for (std::size_t i = 0; i < loaded.images.size(); ++i) {
      const auto& [height, width, geometry] = loaded.placed[i];
      const ImageRows rows(outputs_, i);
      options_.scored({data_, loaded.images[i], height, width, geometry}, last.pairs[i], rows.rows());
    }
  }

  void count(const ChunkResult& chunk) {
    run_.skipped.insert(run_.skipped.end(), chunk.skipped.begin(), chunk.skipped.end());
    done_ += chunk.count;
  }

  void report_progress() const {
    if (options_.progress) options_.progress({done_, options_.count, run_.replayed, seconds(), &task_, judge_.rows()});
  }

  const Dataset& data_;
  std::span<Engine* const> engines_;
  const AccuracyOptions& options_;
  const Task& task_;
  const std::unique_ptr<Scorer> own_scorer_;
  const Scorer& scorer_;
  const ChunkSize size_;
  Judge judge_;
  Loader loader_;
  const PixelTable pixels_;
  std::optional<NpyWriter> saved_;
  std::optional<Journal> journal_;
  std::vector<ChunkOutputs> outputs_;  // engine by engine
  AccuracyRun run_;
  std::size_t done_ = 0;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

}  // namespace

AccuracyRun run_accuracy(const Dataset& data, std::span<Engine* const> engines, const AccuracyOptions& options) {
  GPUEVAL_CHECK(!engines.empty() && options.batch > 0, "{} engines, batch {}", engines.size(), options.batch);
  for (Engine* engine : engines) {
    const bool able =
        engine->preprocessing() != nullptr && engine->pipeline() != nullptr && options.preprocessing.only_resizes();
    GPUEVAL_CHECK(!options.preprocess_on_device || able, "{} preprocesses {} on the device {}", data.path(),
                  options.preprocessing.only_resizes() ? "not" : "more than resizing", engine->device());
  }
  return AccuracySession(data, engines, options).run();
}

}  // namespace gpueval
