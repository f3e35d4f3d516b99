// SPDX-License-Identifier: Apache-2.0
#include "gpueval/engine.h"

#include "gpueval/dataset.h"
#include "gpueval/error.h"

namespace gpueval {

void Engine::submit(std::span<const float>, int) { fail("the device {} has no pipeline of batches", device()); }

void Engine::collect(std::span<float>) { fail("the device {} has no pipeline of batches", device()); }

void Engine::submit_decoded(std::span<const Image>, const PixelTable&) {
  fail("the device {} does not preprocess images", device());
}

double Engine::load(std::span<const float>, int) { fail("the device {} has no memory of its own", device()); }

double Engine::run_loaded() { fail("the device {} has no memory of its own", device()); }

double Engine::fetch(std::span<float>) { fail("the device {} has no memory of its own", device()); }

}  // namespace gpueval
