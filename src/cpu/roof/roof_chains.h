// SPDX-License-Identifier: Apache-2.0
// Independent accumulators as variables of their own: an array of them stays in memory, loop unrolled or not.
#pragma once

#define GPUEVAL_ROOF_CHAINS_12(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11)
#define GPUEVAL_ROOF_CHAINS_16(X) GPUEVAL_ROOF_CHAINS_12(X) X(12) X(13) X(14) X(15)
