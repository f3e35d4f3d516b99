// SPDX-License-Identifier: Apache-2.0
#include "gpueval/accuracy.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>

#include "core/stop_signal.h"
#include "eval/journal.h"
#include "eval/judge.h"
#include "eval/loader.h"
#include "eval/npy_writer.h"
#include "eval/overlap.h"
#include "eval/statistics.h"
#include "gpueval/error.h"

namespace gpueval {
namespace {

constexpr std::size_t kLeastChunk = 64;  // enough images to keep many decoding threads busy

std::size_t class_count(const Engine& engine) {
  return static_cast<std::size_t>(engine.graph().output_node().shape.elements());
}

void check_labels(const Dataset& data, const AccuracyOptions& options, std::size_t classes) {
  for (std::size_t i = options.first; i < options.first + options.count; ++i) {
    const int label = data.label(i);
    if (label < 0 || static_cast<std::size_t>(label) >= classes) {
      fail("{}: {} has class id {}, but the network has classes 0 to {}; is this the right data for it?", data.path(),
           data.name(i), label, classes - 1);
    }
  }
}

class AccuracySession {
 public:
  AccuracySession(const Dataset& data, std::span<Engine* const> engines, const AccuracyOptions& options)
      : data_(data),
        engines_(engines),
        options_(options),
        classes_(class_count(*engines.front())),
        judge_(data, engines.size(), classes_),
        loader_(data, options.preprocessing, options.first, options.count, chunk_size(options.batch),
                !options.preprocess_on_device),
        pixels_(pixel_table(options.preprocessing.input.normalization)) {
    check_labels(data, options, classes_);
    if (!options.save_logits.empty()) save([&] { saved_.emplace(options.save_logits, classes_); });
    if (!options.journal.empty()) open_journal();
  }

  AccuracyRun run() {
    replay();
    start_ = std::chrono::steady_clock::now();
    ReadAhead chunks(loader_, engines_.front()->pipeline() != nullptr);
    LoadedChunk loaded;
    ChunkResult chunk;
    while (!stopped() && load(chunks, loaded)) {
      if (!infer(loaded, chunk)) break;
      if (journal_) append(chunk);
      accept(chunk);
      report_progress();
    }
    run_.interrupted = done_ < options_.count;
    run_.seconds = seconds();
    run_.rows = judge_.finish();
    check_something_judged();
    check_some_numbers();
    if (saved_) save([&] { saved_->finish(); });
    return std::move(run_);
  }

 private:
  static std::size_t chunk_size(int batch) {
    const auto size = static_cast<std::size_t>(batch);
    return (std::max(size, kLeastChunk) + size - 1) / size * size;
  }

  bool stopped() const { return options_.stop && options_.stop(); }
  double seconds() const { return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count(); }

  // What cannot be read ends the run; the images judged until then stay in the journal.
  bool load(ReadAhead& chunks, LoadedChunk& loaded) const {
    try {
      return chunks.next(loaded);
    } catch (const Error& error) {
      if (!journal_ || done_ == 0) throw;
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
      const JournalShape shape{engines_.size(), classes_, options_.first, options_.count,
                               [this](std::size_t image) { return data_.name(image); }};
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
      accept(chunk);
    }
    run_.replayed = done_;
    loader_.skip_to(options_.first + done_);
  }

  // False if the run was stopped half-way through the chunk.
  bool infer(LoadedChunk& loaded, ChunkResult& chunk) {
    try {
      return infer_all(loaded, chunk);
    } catch (const Interrupted&) {
      return false;
    }
  }

  bool infer_all(LoadedChunk& loaded, ChunkResult& chunk) {
    chunk.first = loaded.first;
    chunk.count = loaded.count;
    chunk.images = loaded.images;
    chunk.skipped = loaded.skipped;
    chunk.logits.assign(engines_.size(), std::vector<float>(loaded.images.size() * classes_));
    const std::span<const float> pixels(loaded.pixels);
    const std::size_t elements = loader_.image_elements(), batch = static_cast<std::size_t>(options_.batch);
    for (std::size_t e = 0; e < engines_.size(); ++e) {
      const std::span<float> logits(chunk.logits[e]);
      Pipelined engine(*engines_[e]);
      for (std::size_t i = 0; i < loaded.images.size(); i += batch) {
        if (stopped()) return false;
        const std::size_t n = std::min(batch, loaded.images.size() - i);
        if (options_.preprocess_on_device) {
          engine.run_decoded(std::span(loaded.decoded).subspan(i, n), pixels_,
                             logits.subspan(i * classes_, n * classes_));
          continue;
        }
        engine.run(pixels.subspan(i * elements, n * elements), static_cast<int>(n),
                   logits.subspan(i * classes_, n * classes_));
      }
      engine.finish();
    }
    return true;
  }

  void accept(const ChunkResult& chunk) {
    judge_.add(chunk);
    run_.skipped.insert(run_.skipped.end(), chunk.skipped.begin(), chunk.skipped.end());
    if (saved_) save([&] { saved_->append(chunk.logits.back()); });
    done_ += chunk.count;
  }

  void report_progress() const {
    if (options_.progress) options_.progress({done_, options_.count, run_.replayed, seconds(), judge_.running_top1()});
  }

  const Dataset& data_;
  std::span<Engine* const> engines_;
  const AccuracyOptions& options_;
  std::size_t classes_;
  Judge judge_;
  Loader loader_;
  const PixelTable pixels_;
  std::optional<NpyWriter> saved_;
  std::optional<Journal> journal_;
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

PairedComparison compare_paired(const AccuracyResult& first, const AccuracyResult& second) {
  GPUEVAL_CHECK(first.images == second.images, "{} images against {}", first.images, second.images);
  PairedComparison result;
  result.images = first.images;
  result.logits = second.against_first;
  std::int64_t agreed = 0;
  for (std::size_t i = 0; i < first.correct.size(); ++i) {
    if (second.correct[i] && !first.correct[i]) ++result.discordant_up;
    if (first.correct[i] && !second.correct[i]) ++result.discordant_down;
    if (first.predicted[i] == second.predicted[i]) ++agreed;
  }
  const double images = static_cast<double>(std::max<std::int64_t>(result.images, 1));
  result.top1_diff = static_cast<double>(result.discordant_up - result.discordant_down) / images;
  result.top1_diff_ci95 = paired_difference_interval(result.discordant_up, result.discordant_down, result.images);
  result.mcnemar_p = mcnemar_exact(result.discordant_up, result.discordant_down);
  result.agreement = result.images == 0 ? 1 : static_cast<double>(agreed) / images;
  return result;
}

}  // namespace gpueval
