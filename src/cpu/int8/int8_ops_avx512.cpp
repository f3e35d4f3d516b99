// SPDX-License-Identifier: Apache-2.0
#if defined(__x86_64__)
#define GPUEVAL_OPS_SET kOpsAvx512
#include "cpu/int8/int8_ops.inl.h"
#endif
