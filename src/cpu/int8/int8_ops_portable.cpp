// SPDX-License-Identifier: Apache-2.0
#define GPUEVAL_OPS_SET kOpsPortable
#include "cpu/int8/int8_ops.inl.h"
