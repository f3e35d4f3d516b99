// SPDX-License-Identifier: Apache-2.0
#if defined(__x86_64__)
#define GPUEVAL_FUNCTION_SET kFunctionsAvx512
#include "cpu/float32/functions.inl.h"
#endif
