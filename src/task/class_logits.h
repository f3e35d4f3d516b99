// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <span>

namespace gpueval {

// The logits of a classifier's classes: a single output x is that of the second of two, beside 0.
class ClassLogits {
 public:
  explicit ClassLogits(std::span<const float> outputs) : logits_(outputs) {
    if (outputs.size() != 1) return;
    two_[1] = outputs[0];
    logits_ = two_;
  }
  ClassLogits(const ClassLogits&) = delete;
  ClassLogits& operator=(const ClassLogits&) = delete;
  operator std::span<const float>() const { return logits_; }

 private:
  std::array<float, 2> two_{};
  std::span<const float> logits_;
};

}  // namespace gpueval
