// SPDX-License-Identifier: Apache-2.0
// The kernels that find a detector's boxes, each by itself on what the reference gives it, so that the wrong one is
// named. All that they read and write are words of 32 bits; those that one has no reason to write have to stay.
#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <string>
#include <utility>

#include "core/random.h"
#include "cuda/selftest/check.h"
#include "cuda/selftest/op_tensor.h"
#include "reference/detector.h"

namespace gpueval::cuda {
namespace {

using Words = std::vector<std::uint32_t>;
constexpr std::uint32_t kUntouched = 0xA5A5A5A5, kNoNumber = 0x7fc00000;
constexpr std::size_t kBehind = 16;

template <typename T>
T* data_of(const DeviceBuffer& buffer) {
  return static_cast<T*>(buffer.data());
}

std::uint32_t word_of(float value) { return std::isnan(value) ? kNoNumber : std::bit_cast<std::uint32_t>(value); }

void put(Words& words, std::size_t at, std::initializer_list<std::uint32_t> values) {
  std::copy(values.begin(), values.end(), words.begin() + static_cast<std::ptrdiff_t>(at));
}

class DetectorChecker {
 public:
  explicit DetectorChecker(Runtime& runtime) : runtime_(runtime) {}
  const CheckResult& result() const { return result_; }
  int integer(int lo, int hi) { return random_.integer(lo, hi); }

  // Some are none, infinite or huge.
  std::vector<float> numbers(std::size_t count, double lo, double hi) {
    constexpr float kInfinite = std::numeric_limits<float>::infinity();
    constexpr float kHostile[] = {
        kInfinite, -kInfinite, 3e38f, -3e38f, -0.0f, 500.0f, std::numeric_limits<float>::quiet_NaN()};
    std::vector<float> values;
    for (std::size_t i = 0; i < count; ++i) {
      const bool hostile = integer(0, 31) == 0;
      values.push_back(hostile ? kHostile[integer(0, 6)] : static_cast<float>(random_.uniform(lo, hi)));
    }
    return values;
  }
  // Every other one 0, of the others many equal.
  std::vector<float> few_scores(std::size_t count) {
    std::vector<float> values;
    for (std::size_t i = 0; i < count; ++i) {
      const bool passes = integer(0, 1) == 1;
      values.push_back(passes ? static_cast<float>(integer(1, 40)) / 64 : 0.0f);
    }
    return values;
  }
  Priors priors(int boxes, int classes) {
    Priors priors;
    for (int k = 0; k < classes; ++k) priors.classes.push_back(std::to_string(k));
    const auto part = [&] { return static_cast<float>(random_.uniform(0.1, 0.6)); };
    for (int i = 0; i < boxes; ++i) priors.boxes.push_back({part(), part(), part(), part()});
    return priors;
  }

  DeviceBuffer blank(std::size_t words) { return upload_all(runtime_, Words(words + kBehind, kUntouched)); }

  template <typename Run>
  void run(const std::string& what, Run&& run) {
    if (!result_.failure.empty()) return;
    ++result_.cases;
    what_ = what;
    try {
      run();
    } catch (const Error& error) {
      throw Error(fmt::format("{}: {}", what, error.what()));
    }
  }
  // want: without the words behind.
  void expect(const char* name, Words want, const DeviceBuffer& buffer) {
    Words got = download_all<std::uint32_t>(runtime_, buffer);
    for (std::uint32_t& word : got) word = word_of(std::bit_cast<float>(word));
    want.resize(want.size() + kBehind, kUntouched);
    const auto [a, b] = std::mismatch(want.begin(), want.end(), got.begin(), got.end());
    if (a == want.end() || !result_.failure.empty()) return;
    result_.failure = fmt::format("{}: {}: first difference at word {}: expected {:#010x}, found {:#010x}", what_, name,
                                  a - want.begin(), *a, *b);
  }

 private:
  Runtime& runtime_;
  Random random_{13};
  CheckResult result_;
  std::string what_;
};

// Two images; the threads of one end within a block.
CheckResult check_keys(Runtime& runtime, const Ops& ops) {
  DetectorChecker check(runtime);
  Priors priors = check.priors(150, 3);
  for (const ScoreForm form : {ScoreForm::kProbabilities, ScoreForm::kSigmoid, ScoreForm::kSoftmax}) {
    for (const Background background : {Background::kNone, Background::kFirst, Background::kLast}) {
      for (const double threshold : {0.0, 0.3}) {
        priors.scores = form;
        priors.background = background;
        priors.score_threshold = threshold;
        DetectorPlan plan = detector_plan(priors);
        plan.images = 2;
        const bool logits = form != ScoreForm::kProbabilities;
        const std::size_t image = 150 * static_cast<std::size_t>(plan.channels);
        const std::vector<float> scores = check.numbers(2 * image, logits ? -4 : 0, logits ? 4 : 1);
        Words want;
        for (const std::size_t begin : {std::size_t{0}, image}) {
          for (const float score : reference::passing_scores(priors, std::span(scores).subspan(begin, image)))
            want.push_back(word_of(score));
        }
        check.run(fmt::format("scores of form {}, background {}, above {}", static_cast<int>(form),
                              static_cast<int>(background), threshold),
                  [&] {
                    const DeviceBuffer in = upload_all(runtime, scores), keys = check.blank(want.size());
                    ops.detector_keys(plan, data_of<float>(in), data_of<ScoreKey>(keys), {});
                    check.expect("keys", want, keys);
                  });
      }
    }
  }
  return check.result();
}

// Rows of few different keys, of one key and of none; all of them, or a cut among equal ones.
CheckResult check_best(Runtime& runtime, const Ops& ops) {
  DetectorChecker check(runtime);
  constexpr std::size_t kRows = 4;
  for (const auto& [places, most] : {std::pair<std::size_t, std::size_t>{1, 1}, {33, 32}, {300, 300}, {700, 100}}) {
    const DetectorPlan plan{
        .images = 2, .priors = static_cast<int>(places), .classes = 2, .candidates = static_cast<int>(most)};
    Words keys, counts, want(2 * kRows * most, kUntouched);
    for (std::size_t row = 0; row < kRows; ++row) {
      std::vector<float> scores = check.few_scores(places);
      if (row >= 2) scores.assign(places, row == 2 ? 0.25f : 0.0f);
      const std::vector<std::size_t> best = reference::best_places(scores, most);
      for (const float score : scores) keys.push_back(word_of(score));
      for (std::size_t i = 0; i < best.size(); ++i)
        put(want, 2 * (row * most + i), {word_of(scores[best[i]]), static_cast<std::uint32_t>(best[i])});
      counts.push_back(static_cast<std::uint32_t>(best.size()));
    }
    check.run(fmt::format("the best {} of {} keys", most, places), [&] {
      const DeviceBuffer in = upload_all(runtime, keys), best = check.blank(want.size()), count = check.blank(kRows);
      ops.detector_best(plan, data_of<ScoreKey>(in), data_of<Candidate>(best), data_of<int>(count), {});
      check.expect("candidates", want, best);
      check.expect("counts", counts, count);
    });
  }
  return check.result();
}

struct Suppressed {
  Words best, counts, kept, boxes;
};

// The first row has no candidates, the last one as many as there is room for.
Suppressed suppressed(DetectorChecker& check, const Priors& priors, const DetectorPlan& plan,
                      const std::vector<float>& offsets) {
  const auto room = static_cast<std::size_t>(plan.candidates);
  const int rows = plan.images * plan.classes;
  Suppressed all;
  for (int row = 0; row < rows; ++row) {
    const std::size_t count = room * static_cast<std::size_t>(row) / static_cast<std::size_t>(rows - 1);
    std::vector<detector::Edges> boxes;
    for (std::size_t i = 0; i < room; ++i) {
      const auto prior = static_cast<std::size_t>(check.integer(0, plan.priors - 1));
      const auto image = static_cast<std::size_t>(row / plan.classes * plan.priors);
      const Prior& at = priors.boxes[prior];
      const float place[] = {at.cx, at.cy, at.width, at.height};
      if (i < count) boxes.push_back(detector::decoded_edges(place, &offsets[(image + prior) * 4], plan.variances));
      all.best.insert(all.best.end(), {word_of(1 - static_cast<float>(i) / 1024), static_cast<std::uint32_t>(prior)});
    }
    const std::vector<bool> stays = reference::staying(boxes, plan.nms_threshold);
    for (std::size_t i = 0; i < room; ++i) {
      const detector::Edges box = i < count ? boxes[i] : detector::Edges{};
      all.kept.push_back(i < count && stays[i] ? all.best[all.best.size() - 2 * (room - i)] : 0);
      for (const float edge : {box.x1, box.y1, box.x2, box.y2})
        all.boxes.push_back(i < count ? word_of(edge) : kUntouched);
    }
    all.counts.push_back(static_cast<std::uint32_t>(count));
  }
  return all;
}

CheckResult check_suppress(Runtime& runtime, const Ops& ops) {
  DetectorChecker check(runtime);
  Priors priors = check.priors(kMostCandidates, 2);
  const std::vector<float> offsets = check.numbers(std::size_t{2} * 4 * kMostCandidates, -2, 2);
  for (const double threshold : {0.2, 0.6}) {
    for (const int room : {3, 64, kMostCandidates}) {
      priors.nms_threshold = threshold;
      priors.keep_before_nms = static_cast<std::size_t>(room);
      DetectorPlan plan = detector_plan(priors);
      plan.images = 2;
      const Suppressed want = suppressed(check, priors, plan, offsets);
      check.run(fmt::format("up to {} boxes of a class, IoU above {}", room, threshold), [&] {
        const DeviceBuffer best = upload_all(runtime, want.best), counts = upload_all(runtime, want.counts),
                           places = upload_all(runtime, priors.boxes), moves = upload_all(runtime, offsets),
                           kept = check.blank(want.kept.size()), boxes = check.blank(want.boxes.size());
        ops.detector_suppress(plan, data_of<Candidate>(best), data_of<int>(counts), data_of<Prior>(places),
                              data_of<float>(moves), data_of<ScoreKey>(kept), data_of<BoxEdges>(boxes), {});
        check.expect("kept keys", want.kept, kept);
        check.expect("edges", want.boxes, boxes);
      });
    }
  }
  return check.result();
}

// Fewer than there are, among equal ones, and all.
CheckResult check_gather(Runtime& runtime, const Ops& ops) {
  DetectorChecker check(runtime);
  constexpr std::size_t kImages = 2, kRoom = 100, kPlaces = 3 * kRoom, kWords = 6;
  for (const std::size_t most : {std::size_t{1}, std::size_t{40}, kPlaces}) {
    const DetectorPlan plan{.images = kImages, .classes = 3, .candidates = kRoom, .found = static_cast<int>(most)};
    Words keys, counts, edges, want(kImages * most * kWords, kUntouched);
    for (std::uint32_t i = 0; i < 4 * kImages * kPlaces; ++i) edges.push_back(i);
    for (std::size_t image = 0; image < kImages; ++image) {
      const std::vector<float> scores = check.few_scores(kPlaces);
      for (const float score : scores) keys.push_back(word_of(score));
      std::vector<std::size_t> best = reference::best_places(scores, most);
      std::sort(best.begin(), best.end());
      for (std::size_t i = 0; i < best.size(); ++i) {
        const auto edge = static_cast<std::uint32_t>(4 * (image * kPlaces + best[i]));
        put(want, (image * most + i) * kWords,
            {static_cast<std::uint32_t>(best[i] / kRoom), word_of(scores[best[i]]), edge, edge + 1, edge + 2,
             edge + 3});
      }
      counts.push_back(static_cast<std::uint32_t>(best.size()));
    }
    check.run(fmt::format("the best {} of {} boxes", most, kPlaces), [&] {
      const DeviceBuffer kept = upload_all(runtime, keys), boxes = upload_all(runtime, edges),
                         found = check.blank(want.size()), count = check.blank(kImages);
      ops.detector_gather(plan, data_of<ScoreKey>(kept), data_of<BoxEdges>(boxes), data_of<FoundBox>(found),
                          data_of<int>(count), {});
      check.expect("boxes", want, found);
      check.expect("counts", counts, count);
    });
  }
  return check.result();
}

static_assert(sizeof(Candidate) == 8 && sizeof(BoxEdges) == 16 && sizeof(FoundBox) == 24 && sizeof(Prior) == 16);

constexpr OperationCheck kDetectorChecks[] = {{"detector_keys", check_keys, true},
                                              {"detector_best", check_best, true},
                                              {"detector_suppress", check_suppress, true},
                                              {"detector_gather", check_gather, true}};

}  // namespace

std::span<const OperationCheck> detector_checks() { return kDetectorChecks; }

}  // namespace gpueval::cuda
