// SPDX-License-Identifier: Apache-2.0
#define GPUEVAL_FUNCTION_SET kFunctionsPortable
#include "cpu/float32/functions.inl.h"
