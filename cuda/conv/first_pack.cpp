// SPDX-License-Identifier: Apache-2.0
#include "cuda/conv/first_pack.h"

#include <algorithm>

#include "gpueval/error.h"

namespace gpueval::cuda {
namespace {

// Writes tap t of filter k, a word, at packed[word * 4]; nothing beyond the real ones.
class TapWriter {
 public:
  TapWriter(const ConvProblem& problem, std::span<const std::int8_t> weights, std::size_t words)
      : desc_(problem.desc), weights_(weights), packed_(words * 4, 0) {
    GPUEVAL_CHECK(std::ssize(weights) == desc_.k * desc_.depth() && desc_.c <= 4, "{} weights for {}", weights.size(),
                  to_string(desc_));
  }
  void write(int k, int tap, std::size_t word) {
    const int taps = desc_.window.kernel_h * desc_.window.kernel_w;
    if (k >= desc_.k || tap >= taps) return;
    std::copy_n(weights_.begin() + (std::ptrdiff_t{k} * taps + tap) * desc_.c, desc_.c,
                packed_.begin() + static_cast<std::ptrdiff_t>(word * 4));
  }
  std::vector<std::int8_t> take() { return std::move(packed_); }

 private:
  const ConvDesc& desc_;
  std::span<const std::int8_t> weights_;
  std::vector<std::int8_t> packed_;
};

}  // namespace

std::vector<std::int8_t> pack_first_taps(const ConvProblem& problem, std::span<const std::int8_t> weights,
                                         int channels) {
  const int taps = problem.desc.window.kernel_h * problem.desc.window.kernel_w;
  const int padded = round_up(problem.desc.k, channels);
  TapWriter writer(problem, weights, static_cast<std::size_t>(padded * taps));
  for (int k = 0; k < padded; ++k) {
    for (int tap = 0; tap < taps; ++tap) {
      writer.write(k, tap, static_cast<std::size_t>((k / channels * taps + tap) * channels + k % channels));
    }
  }
  return writer.take();
}

std::vector<std::int8_t> pack_first_fragments(const ConvProblem& problem, std::span<const std::int8_t> weights,
                                              int channels) {
  const int tiles = round_up(problem.desc.k, channels) / channels, steps = first_steps(problem.desc);
  const int parts = channels / 8;
  TapWriter writer(problem, weights, static_cast<std::size_t>(tiles * steps * parts * 64));
  for (int tile = 0; tile < tiles; ++tile) {
    for (int step = 0; step < steps; ++step) {
      for (int part = 0; part < parts; ++part) {
        for (int lane = 0; lane < 32; ++lane) {
          const int k = tile * channels + first_channel_of(part, lane / 4, channels);
          const int word = (((tile * steps + step) * parts + part) * 32 + lane) * 2;
          for (int half = 0; half < 2; ++half) {
            writer.write(k, step * 8 + lane % 4 + 4 * half, static_cast<std::size_t>(word + half));
          }
        }
      }
    }
  }
  return writer.take();
}

}  // namespace gpueval::cuda
