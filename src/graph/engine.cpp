// SPDX-License-Identifier: Apache-2.0
#include "gpueval/engine.h"

#include "gpueval/error.h"

namespace gpueval {

void Engine::submit(std::span<const float>, int) { fail("the device {} has no pipeline of batches", device()); }

void Engine::collect(std::span<float>) { fail("the device {} has no pipeline of batches", device()); }

double Engine::load(std::span<const float>, int) { fail("the device {} has no memory of its own", device()); }

double Engine::run_loaded() { fail("the device {} has no memory of its own", device()); }

double Engine::fetch(std::span<float>) { fail("the device {} has no memory of its own", device()); }

}  // namespace gpueval
