// SPDX-License-Identifier: Apache-2.0
#include "quant/recipe/clip_search.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>

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
GPUEVAL_WIDE void add_squares(const float* x, const float* step, const float* inverse, float top, float* sum,
                              std::size_t channels) {
  for (std::size_t c = 0; c < channels; ++c) {
    const float q = std::min(std::max(x[c] * inverse[c], -top), top);
    const float e = x[c] - round_even(q) * step[c];
    sum[c] += e * e;
  }
}

struct NodeStatistics {
  std::vector<float> largest;        // per channel
  std::vector<double> tensor_error;  // per candidate
  std::vector<double> error;         // per candidate and channel
};

class ClipSearch {
 public:
  ClipSearch(Engine& engine, const CalibrationImages& images, const std::vector<ClipRequest>& request, int batch)
      : engine_(engine), images_(images), request_(request), batch_(batch), nodes_(request.size()) {}

  std::map<std::string, Clips> run(bool search) {
    images_seen_ = pass([&](int node, const TensorView& view, std::int64_t) { observe(node, view); });
    if (images_seen_ == 0) fail("calibration found no image to run");
    if (search) pass([&](int node, const TensorView& view, std::int64_t first) { add_errors(node, view, first); });
    std::map<std::string, Clips> clips;
    for (std::size_t i = 0; i < nodes_.size(); ++i) clips[engine_.graph().nodes[i].name] = choose(i, search);
    return clips;
  }

 private:
  template <typename Visit>
  std::int64_t pass(Visit&& visit) {
    const BatchSource source = images_();
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
    std::vector<std::vector<float>> parts(static_cast<std::size_t>(shares));
    parallel_for(shares, [&](std::int64_t share) {
      std::vector<float> largest(channels, 0.0f);
      for (std::int64_t p = pixels * share / shares; p < pixels * (share + 1) / shares; ++p) {
        const float* x = static_cast<const float*>(view.data) + p * view.pitch;
        for (std::size_t c = 0; c < channels; ++c) largest[c] = std::max(largest[c], std::abs(x[c]));
      }
      parts[static_cast<std::size_t>(share)] = std::move(largest);
    });
    std::vector<float>& largest = nodes_[static_cast<std::size_t>(node)].largest;
    largest.resize(channels, 0.0f);
    for (const std::vector<float>& part : parts) {
      for (std::size_t c = 0; c < channels; ++c) largest[c] = std::max(largest[c], part[c]);
    }
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
    NodeStatistics& own = nodes_[index];
    const std::size_t channels = own.largest.size();
    const bool each = request_[index].channels;
    own.tensor_error.resize(kClipGrid.size(), 0.0);
    own.error.resize(each ? kClipGrid.size() * channels : 0, 0.0);
    const std::vector<float> values = sample(view, first_image);
    const float most = *std::max_element(own.largest.begin(), own.largest.end());
    parallel_for(std::ssize(kClipGrid), [&](std::int64_t g) {
      const auto candidate = static_cast<std::size_t>(g);
      std::vector<float> clip(channels, most * kClipGrid[candidate]);
      const std::vector<double> error = squared_errors(values, clip, request_[index].levels);
      own.tensor_error[candidate] += std::accumulate(error.begin(), error.end(), 0.0);
      if (!each) return;
      for (std::size_t c = 0; c < channels; ++c) clip[c] = own.largest[c] * kClipGrid[candidate];
      const std::vector<double> own_error = squared_errors(values, clip, request_[index].levels);
      for (std::size_t c = 0; c < channels; ++c) own.error[candidate * channels + c] += own_error[c];
    });
  }

  // Per channel, of values [pixels][channels]. A u8 tensor has no negative values, so one lower bound serves both.
  static std::vector<double> squared_errors(const std::vector<float>& values, const std::vector<float>& clip,
                                            int levels) {
    const std::size_t channels = clip.size();
    const auto top = static_cast<float>(levels);
    std::vector<float> step(channels), inverse(channels), sum(channels, 0.0f);
    for (std::size_t c = 0; c < channels; ++c) {
      step[c] = std::max(clip[c], 1e-30f) / top;
      inverse[c] = 1.0f / step[c];
    }
    for (std::size_t at = 0; at < values.size(); at += channels) {
      add_squares(values.data() + at, step.data(), inverse.data(), top, sum.data(), channels);
    }
    return {sum.begin(), sum.end()};
  }

  Clips choose(std::size_t node, bool search) const {
    const NodeStatistics& own = nodes_[node];
    const std::size_t channels = own.largest.size();
    Clips clips{.tensor = *std::max_element(own.largest.begin(), own.largest.end())};
    if (request_[node].channels) clips.channel = own.largest;
    if (!search) return clips;
    const auto best = [](const auto& error_of) {
      std::size_t at = 0;
      for (std::size_t g = 1; g < kClipGrid.size(); ++g) at = error_of(g) < error_of(at) ? g : at;
      return kClipGrid[at];
    };
    clips.tensor *= best([&](std::size_t g) { return own.tensor_error[g]; });
    for (std::size_t c = 0; c < clips.channel.size(); ++c) {
      clips.channel[c] *= best([&](std::size_t g) { return own.error[g * channels + c]; });
    }
    return clips;
  }

  Engine& engine_;
  const CalibrationImages& images_;
  const std::vector<ClipRequest>& request_;
  int batch_;
  std::vector<NodeStatistics> nodes_;
  std::int64_t images_seen_ = 0;
};

}  // namespace

std::map<std::string, Clips> find_clips(Engine& float_engine, const CalibrationImages& images,
                                        const std::vector<ClipRequest>& request, bool search, int batch) {
  return ClipSearch(float_engine, images, request, batch).run(search);
}

}  // namespace gpueval
