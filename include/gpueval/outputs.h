// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "gpueval/graph.h"

namespace gpueval {

// Where the outputs of n images go: output i of Graph::outputs to [i], n times its tensor, dense float32. Refers to
// memory of its maker.
class Outputs {
 public:
  // Of a network with one output.
  Outputs(std::span<float> only) : only_(only) {}
  Outputs(std::vector<float>& only) : only_(only) {}
  // Of any other.
  Outputs(std::span<const std::span<float>> all) : all_(all) {}

  std::size_t size() const { return all_.empty() ? 1 : all_.size(); }
  std::span<float> operator[](std::size_t i) const { return all_.empty() ? only_ : all_[i]; }

 private:
  std::span<float> only_;
  std::span<const std::span<float>> all_;
};

// Elements of output i of one image.
std::size_t output_elements(const Graph& graph, std::size_t i);
// Internal error unless the outputs have room for those of n images.
void check_outputs(const Graph& graph, int n, const Outputs& outputs);

// Memory for all outputs of up to `batch` images.
class OutputBuffers {
 public:
  OutputBuffers(const Graph& graph, int batch);
  OutputBuffers(OutputBuffers&&) = default;
  OutputBuffers& operator=(OutputBuffers&&) = default;
  operator Outputs() const { return Outputs(std::span<const std::span<float>>(spans_)); }
  std::span<float> operator[](std::size_t i) const { return spans_[i]; }

 private:
  std::vector<std::vector<float>> values_;
  std::vector<std::span<float>> spans_;
};

}  // namespace gpueval
