// SPDX-License-Identifier: Apache-2.0
// Arrays in memory as a labelled data set.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "gpueval/dataset.h"
#include "gpueval/error.h"
#include "gpueval/preprocessing.h"

namespace gpueval::test {

class ArrayImages : public Dataset {
 public:
  // values: whole images of the shape, n = 1. labels: one of each, all 0 by default.
  ArrayImages(const Shape& shape, std::vector<float> values, std::vector<int> labels = {})
      : shape_(shape), values_(std::move(values)), labels_(std::move(labels)) {
    labels_.resize(size());
  }
  std::size_t size() const override { return values_.size() / elements(); }
  int label(std::size_t index) const override { return labels_.at(index); }
  Image decode(std::size_t) const override { fail("an array is no picture"); }
  std::optional<ArrayForm> array() const override { return ArrayForm{shape_}; }
  void read(std::size_t index, std::span<float> dst) const override {
    std::copy_n(values_.begin() + static_cast<std::ptrdiff_t>(index * elements()), elements(), dst.begin());
  }
  std::string name(std::size_t index) const override { return "array " + std::to_string(index); }
  std::string path() const override { return "arrays"; }
  std::string kind() const override { return "npy"; }
  bool images_are_cropped() const override { return true; }
  std::string state() const override { return std::to_string(size()) + " arrays"; }

  Preprocessing preprocessing() const {
    return make_preprocessing({.height = shape_.h, .width = shape_.w, .channels = shape_.c}, *this);
  }

 private:
  std::size_t elements() const { return static_cast<std::size_t>(shape_.elements()); }

  Shape shape_;
  std::vector<float> values_;
  std::vector<int> labels_;
};

}  // namespace gpueval::test
