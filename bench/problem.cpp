// SPDX-License-Identifier: Apache-2.0
#include "problem.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>

#include "core/random.h"
#include "gpueval/error.h"

namespace gpueval::bench {

Problem::Problem(const ConvDesc& d, SourceBytes range) : desc(d), src(DType::kU8, {d.n, d.h, d.w, d.c}) {
  Random random(1);
  for (std::size_t i = 0; i < src.bytes.size(); i += 8) {
    const std::uint64_t eight = random.next();
    std::memcpy(src.bytes.data() + i, &eight, std::min<std::size_t>(8, src.bytes.size() - i));
  }
  if (range == SourceBytes::kBelow128) {
    for (std::uint8_t& byte : src.bytes) byte &= 0x7f;
  }
  weights.resize(static_cast<std::size_t>((d.depthwise ? std::int64_t{d.c} : std::int64_t{d.k}) * d.depth()));
  for (auto& w : weights) w = static_cast<std::int8_t>(random.integer(-127, 127));
  // A product of a uniform byte and a uniform weight has a standard deviation of about 148 * 74.
  const double spread = 148.0 * 74.0 * std::sqrt(static_cast<double>(d.depth()));
  for (int k = 0; k < d.k; ++k) {
    m.push_back(static_cast<float>(random.uniform(0.5, 1.5) * 64 / spread));
    b.push_back(static_cast<float>(random.uniform(-20, 60)));
  }
}

// A convolution of the one window, padding written as zeros.
std::vector<std::uint8_t> Problem::expected(int n, int p, int q) const {
  const Window& w = desc.window;
  ConvDesc one = desc;
  one.n = 1;
  one.h = w.kernel_h;
  one.w = w.kernel_w;
  one.window.pad = {};
  reference::QuantTensor patch(DType::kU8, {1, one.h, one.w, one.c});
  for (int r = 0; r < one.h; ++r) {
    for (int s = 0; s < one.w; ++s) {
      const int h = p * w.stride_h - w.pad.top + r, x = q * w.stride_w - w.pad.left + s;
      if (h < 0 || h >= desc.h || x < 0 || x >= desc.w) continue;
      for (int c = 0; c < one.c; ++c) patch.set((std::int64_t{r} * one.w + s) * one.c + c, src.at(n, h, x, c));
    }
  }
  return reference::conv(patch, {.desc = one, .weights = weights, .m = m, .b = b}, DType::kU8).bytes;
}

const std::vector<Problem::Sample>& Problem::samples() const {
  if (!samples_.empty()) return samples_;
  Random random(2);
  for (int i = 0; i < 8; ++i) {
    // The corners of the batch first: borders and ragged last tiles go wrong before the middle does.
    const bool first = i == 0, last = i == 1;
    const int n = first ? 0 : last ? desc.n - 1 : random.integer(0, desc.n - 1);
    const int p = first ? 0 : last ? desc.p() - 1 : random.integer(0, desc.p() - 1);
    const int q = first ? 0 : last ? desc.q() - 1 : random.integer(0, desc.q() - 1);
    samples_.push_back({n, p, q, expected(n, p, q)});
  }
  return samples_;
}

std::string Problem::verify(const std::function<std::vector<std::uint8_t>(std::int64_t)>& pixel, int tolerance) const {
  for (const Sample& want : samples()) {
    const std::vector<std::uint8_t> have = pixel((std::int64_t{want.n} * desc.p() + want.p) * desc.q() + want.q);
    GPUEVAL_CHECK(have.size() == want.bytes.size(), "{} channels of {}", have.size(), to_string(desc));
    for (std::size_t k = 0; k < have.size(); ++k) {
      if (std::abs(have[k] - want.bytes[k]) <= tolerance) continue;
      return fmt::format("result differs from the reference: n {} p {} q {} k {} is {}, expected {}", want.n, want.p,
                         want.q, k, have[k], want.bytes[k]);
    }
  }
  return "";
}

std::shared_ptr<const Problem> shared_problem(const ConvDesc& desc, SourceBytes range) {
  static std::shared_ptr<const Problem> last_of[2];
  std::shared_ptr<const Problem>& last = last_of[range == SourceBytes::kAll ? 0 : 1];
  if (last == nullptr || last->desc != desc) last = std::make_shared<const Problem>(desc, range);
  return last;
}

}  // namespace gpueval::bench
