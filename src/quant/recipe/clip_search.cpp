// SPDX-License-Identifier: Apache-2.0
#include "quant/recipe/clip_search.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <numeric>
#include <utility>

#include "core/threads.h"
#include "gpueval/error.h"
#include "quant/recipe/wide.h"

namespace gpueval {
namespace {

constexpr std::array kClipGrid = {1.0f, .97f, .94f, .9f, .86f, .82f, .78f, .74f, .7f, .65f, .6f, .5f, .4f, .3f};
constexpr std::int64_t kPixels = 25000;

// rint() for |x| < 2^22, ties to even, in two additions that every instruction set vectorises.
float round_even(float x) {
  constexpr float kShift = 12582912.0f;
  return (x + kShift) - kShift;
}

// One pixel's squared rounding errors onto the channels' sums.
GPUEVAL_WIDE void add_squares(const float* x, float step, float inverse, float top, float* sum, std::size_t channels) {
  for (std::size_t c = 0; c < channels; ++c) {
    const float q = std::min(std::max(x[c] * inverse, -top), top);
    const float e = x[c] - round_even(q) * step;
    sum[c] += e * e;
  }
}

struct NodeStatistics {
  float largest = 0;                 // magnitude
  SignedHistogram values;            // of tensors with a zero point
  std::vector<double> tensor_error;  // per candidate
  std::vector<StepErrors> folds;
};

class ClipSearch {
 public:
  ClipSearch(Engine& engine, const ClipImages& images, const std::vector<ClipRequest>& request, bool search, int batch)
      : engine_(engine), images_(images), request_(request), search_(search), batch_(batch), nodes_(request.size()) {}

  std::map<std::string, Clips> run() {
    images_seen_ = pass([&](int node, const TensorView& view, std::int64_t) { observe(node, view); });
    if (images_seen_ == 0) fail("calibration found no image to run");
    const bool channels =
        std::any_of(request_.begin(), request_.end(), [](const ClipRequest& r) { return r.channels; });
    if (search_ || channels)
      pass([&](int node, const TensorView& view, std::int64_t first) { add_errors(node, view, first); });
    std::map<std::string, Clips> clips;
    for (std::size_t i = 0; i < nodes_.size(); ++i) clips[engine_.graph().nodes[i].name] = choose(i);
    return clips;
  }

 private:
  template <typename Visit>
  std::int64_t pass(Visit&& visit) {
    const BatchSource source = images_.images();
    std::vector<float> input;
    const OutputBuffers outputs(engine_.graph(), batch_);
    std::int64_t first = 0;
    while (const int n = source(input, batch_)) {
      engine_.run_tapped(input, n, outputs, [&](int node, const TensorView& view) { visit(node, view, first); });
      first += n;
    }
    return first;
  }

  void observe(int node, const TensorView& view) {
    const auto channels = static_cast<std::size_t>(view.shape.c);
    const std::int64_t pixels = view.shape.pixels(), shares = std::min<std::int64_t>(pixels, threads());
    struct Ends {
      float least = 0, largest = 0;
    };
    std::vector<Ends> parts(static_cast<std::size_t>(shares));
    parallel_for(shares, [&](std::int64_t share) {
      Ends ends;
      for (std::int64_t p = pixels * share / shares; p < pixels * (share + 1) / shares; ++p) {
        const float* x = static_cast<const float*>(view.data) + p * view.pitch;
        for (std::size_t c = 0; c < channels; ++c) {
          ends.least = std::min(ends.least, x[c]);
          ends.largest = std::max(ends.largest, x[c]);
        }
      }
      parts[static_cast<std::size_t>(share)] = ends;
    });
    NodeStatistics& own = nodes_[static_cast<std::size_t>(node)];
    for (const Ends& part : parts) {
      own.values.least = std::min(own.values.least, part.least);
      own.values.largest = std::max(own.values.largest, part.largest);
    }
    own.largest = std::max(-own.values.least, own.values.largest);
  }

  // Every step-th pixel of all images, the same whatever the batch.
  std::vector<float> sample(const TensorView& view, std::int64_t first_image) const {
    const std::int64_t image_pixels = view.shape.pixels() / view.shape.n;
    std::int64_t step = std::max<std::int64_t>(1, images_seen_ * image_pixels / kPixels);
    while (std::gcd(step, image_pixels) != 1) ++step;
    std::vector<float> values;
    const std::int64_t begin = first_image * image_pixels;
    for (std::int64_t p = (begin + step - 1) / step * step; p < begin + view.shape.pixels(); p += step) {
      const float* x = static_cast<const float*>(view.data) + (p - begin) * view.pitch;
      values.insert(values.end(), x, x + view.shape.c);
    }
    return values;
  }

  void add_errors(int node, const TensorView& view, std::int64_t first_image) {
    const auto index = static_cast<std::size_t>(node);
    if (search_) {
      const std::vector<float> values = sample(view, first_image);
      if (request_[index].zero_point) {
        nodes_[index].values.add(values);
      } else {
        add_tensor_errors(nodes_[index], values, view.shape.c, request_[index].levels);
      }
    }
    if (request_[index].channels) add_step_errors(nodes_[index], view, first_image);
  }

  static void add_tensor_errors(NodeStatistics& own, const std::vector<float>& values, int channels, int levels) {
    own.tensor_error.resize(kClipGrid.size(), 0.0);
    parallel_for(std::ssize(kClipGrid), [&](std::int64_t g) {
      const auto candidate = static_cast<std::size_t>(g);
      const std::vector<double> error = squared_errors(values, channels, own.largest * kClipGrid[candidate], levels);
      own.tensor_error[candidate] += std::accumulate(error.begin(), error.end(), 0.0);
    });
  }

  void add_step_errors(NodeStatistics& own, const TensorView& view, std::int64_t first_image) const {
    const std::int64_t originals = std::max<std::int64_t>(1, images_seen_ / images_.copies);
    const std::int64_t folds = std::min<std::int64_t>(kMostFolds, originals);
    own.folds.resize(static_cast<std::size_t>(folds),
                     StepErrors(kClipSteps, std::vector<double>(static_cast<std::size_t>(view.shape.c), 0.0)));
    std::vector<std::vector<float>> values;
    for (int i = 0; i < view.shape.n; ++i) values.push_back(sample(image_of(view, i), first_image + i));
    parallel_for(kClipSteps, [&](std::int64_t step) {
      const float clip = own.largest * clip_ratio(static_cast<int>(step));
      for (std::size_t i = 0; i < values.size(); ++i) {
        const std::int64_t image = (first_image + static_cast<std::int64_t>(i)) % originals;
        std::vector<double>& sum =
            own.folds[static_cast<std::size_t>(image * folds / originals)][static_cast<std::size_t>(step)];
        const std::vector<double> error = squared_errors(values[i], view.shape.c, clip, 255);
        std::transform(sum.begin(), sum.end(), error.begin(), sum.begin(), std::plus<>());
      }
    });
  }

  static TensorView image_of(const TensorView& view, int i) {
    TensorView image = view;
    image.shape.n = 1;
    image.data = static_cast<const float*>(view.data) + i * (view.shape.pixels() / view.shape.n) * view.pitch;
    return image;
  }

  // Per channel, of values [pixels][channels]. A u8 tensor has no negative values, so one lower bound serves both.
  static std::vector<double> squared_errors(const std::vector<float>& values, int channels, float clip, int levels) {
    const auto top = static_cast<float>(levels);
    const float step = std::max(clip, 1e-30f) / top, inverse = 1.0f / step;
    std::vector<float> sum(static_cast<std::size_t>(channels), 0.0f);
    for (std::size_t at = 0; at < values.size(); at += sum.size())
      add_squares(values.data() + at, step, inverse, top, sum.data(), sum.size());
    return {sum.begin(), sum.end()};
  }

  Clips choose(std::size_t node) {
    NodeStatistics& own = nodes_[node];
    Clips clips{.tensor = own.largest, .largest = own.largest, .folds = std::move(own.folds)};
    if (!search_) return clips;
    if (request_[node].zero_point) {
      clips.codes = find_zero_point(own.values, request_[node].functions);
      clips.tensor = clips.codes.range;
      return clips;
    }
    const auto best = std::min_element(own.tensor_error.begin(), own.tensor_error.end());
    clips.tensor *= kClipGrid[static_cast<std::size_t>(best - own.tensor_error.begin())];
    return clips;
  }

  Engine& engine_;
  const ClipImages& images_;
  const std::vector<ClipRequest>& request_;
  bool search_;
  int batch_;
  std::vector<NodeStatistics> nodes_;
  std::int64_t images_seen_ = 0;
};

}  // namespace

float clip_ratio(int step) { return std::exp2(-static_cast<float>(step) / kStepsAnOctave); }

std::map<std::string, Clips> find_clips(Engine& float_engine, const ClipImages& images,
                                        const std::vector<ClipRequest>& request, bool search, int batch) {
  return ClipSearch(float_engine, images, request, search, batch).run();
}

}  // namespace gpueval
