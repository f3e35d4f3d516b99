// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "backend/backend.h"

namespace gpueval::cpu {

const Backend& cpu_backend();  // a row of src/backend/backends.inc

}  // namespace gpueval::cpu
