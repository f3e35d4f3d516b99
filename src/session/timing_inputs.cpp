// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "gpueval/accuracy.h"
#include "session/parts.h"

namespace gpueval {
namespace {

constexpr int kInputImages = 16;  // batches to take turns: together at least so many images, where the data has them

}  // namespace

std::vector<std::vector<float>> timing_inputs(const Plan& plan, const LoadedModel& model, const LoadedData& data,
                                              int batch) {
  const InputSpec& input = model.input;
  const auto synthetic = open_synthetic(input.height, input.width, kInputImages, plan.model.seed, input.channels);
  const Dataset& images = data.images ? *data.images : *synthetic;
  const std::size_t elements = input.elements();
  const auto wanted = static_cast<std::size_t>(batch) * static_cast<std::size_t>(std::max(1, kInputImages / batch));
  std::vector<float> pixels;
  const auto source = image_source(images, preprocessing_of(plan, model, images), 0, images.size(), nullptr);
  for (std::vector<float> part;
       pixels.size() < wanted * elements && source(part, std::min<int>(batch, kInputImages)) > 0;) {
    pixels.insert(pixels.end(), part.begin(), part.end());
  }
  const std::size_t found = pixels.size();
  pixels.resize(wanted * elements);
  for (std::size_t i = found; i < pixels.size(); ++i) pixels[i] = pixels[i - found];
  std::vector<std::vector<float>> inputs;
  const std::size_t step = static_cast<std::size_t>(batch) * elements;
  for (std::size_t i = 0; i < pixels.size(); i += step) {
    inputs.emplace_back(pixels.begin() + static_cast<std::ptrdiff_t>(i),
                        pixels.begin() + static_cast<std::ptrdiff_t>(i + step));
  }
  return inputs;
}

}  // namespace gpueval
