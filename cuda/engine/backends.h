// SPDX-License-Identifier: Apache-2.0
// Rows of src/backend/backends.inc.
#pragma once

#include "backend/backend.h"

namespace gpueval::cuda {

const Backend& gpu_backend();
const Backend& emu_backend();

}  // namespace gpueval::cuda
