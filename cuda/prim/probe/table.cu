// SPDX-License-Identifier: Apache-2.0
#include "cuda/prim/probe/probe_kernels.h"

namespace gpueval::GPUEVAL_TARGET {

const cuda::Probes& probes() {
  static const cuda::Probes table = {.dp4a_s8 = probe_dp4a_s8,
                                     .dp4a_u8 = probe_dp4a_u8,
                                     .mma_m16n8k32_s8 = probe_mma_m16n8k32_s8,
                                     .mma_m16n8k32_u8 = probe_mma_m16n8k32_u8,
                                     .mma_m8n8k16_s8 = probe_mma_m8n8k16_s8,
                                     .mma_m8n8k16_u8 = probe_mma_m8n8k16_u8,
                                     .wgmma = {{kWgmmaProbes[0][0], kWgmmaProbes[0][1]},
                                               {kWgmmaProbes[1][0], kWgmmaProbes[1][1]},
                                               {kWgmmaProbes[2][0], kWgmmaProbes[2][1]}},
                                     .tma = {kTmaProbes[0], kTmaProbes[1]},
                                     .ldmatrix = probe_ldmatrix,
                                     .cp_async = probe_cp_async,
                                     .shuffle = probe_shuffle,
                                     .ballot = probe_ballot,
                                     .atomics = probe_atomics,
                                     .arithmetic = probe_arithmetic,
                                     .bytes = probe_bytes,
                                     .saturate = probe_saturate,
                                     .half = probe_half,
                                     .reverse = probe_reverse,
                                     .place = probe_place};
  return table;
}

}  // namespace gpueval::GPUEVAL_TARGET
