// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "gpueval/outputs.h"
#include "gpueval/task.h"

namespace gpueval {

// One engine's outputs of the images of a chunk: an array an output, image behind image.
class ChunkOutputs {
 public:
  void resize(const Graph& graph, std::size_t images) {
    values_.resize(graph.outputs.size());
    elements_.resize(values_.size());
    for (std::size_t i = 0; i < values_.size(); ++i) {
      elements_[i] = output_elements(graph, i);
      values_[i].resize(images * elements_[i]);
    }
  }
  // Of images [first, first + count), in the order of the network's outputs.
  std::vector<std::span<float>> of(std::size_t first, std::size_t count) {
    std::vector<std::span<float>> parts;
    for (std::size_t i = 0; i < values_.size(); ++i)
      parts.push_back(std::span(values_[i]).subspan(first * elements_[i], count * elements_[i]));
    return parts;
  }
  std::vector<std::span<const float>> of_image(std::size_t image) const {
    std::vector<std::span<const float>> parts;
    for (std::size_t i = 0; i < values_.size(); ++i)
      parts.push_back(std::span(values_[i]).subspan(image * elements_[i], elements_[i]));
    return parts;
  }
  std::span<const float> first() const { return values_.front(); }

 private:
  std::vector<std::vector<float>> values_;
  std::vector<std::size_t> elements_;
};

// Every engine's outputs of one image.
class ImageRows {
 public:
  ImageRows(std::span<const ChunkOutputs> engines, std::size_t image) {
    for (const ChunkOutputs& outputs : engines) parts_.push_back(outputs.of_image(image));
    rows_.assign(parts_.begin(), parts_.end());
  }
  ImageRows(const ImageRows&) = delete;
  ImageRows& operator=(const ImageRows&) = delete;
  std::span<const ImageOutputs> rows() const { return rows_; }

 private:
  std::vector<std::vector<std::span<const float>>> parts_;
  std::vector<ImageOutputs> rows_;  // of parts_
};

}  // namespace gpueval
