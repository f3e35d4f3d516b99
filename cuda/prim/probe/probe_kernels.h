// SPDX-License-Identifier: Apache-2.0
// The launchers behind the rows of Probes, each defined in one .cu of this folder.
#pragma once

#include "cuda/prim/probe/probes.h"
#include "cuda/prim/target.h"

namespace gpueval::GPUEVAL_TARGET {

using cuda::ProbeArgs;

void probe_dp4a_s8(const ProbeArgs& args, cuda::Stream stream);
void probe_dp4a_u8(const ProbeArgs& args, cuda::Stream stream);
void probe_mma_m16n8k32_s8(const ProbeArgs& args, cuda::Stream stream);
void probe_mma_m16n8k32_u8(const ProbeArgs& args, cuda::Stream stream);
void probe_mma_m8n8k16_s8(const ProbeArgs& args, cuda::Stream stream);
void probe_mma_m8n8k16_u8(const ProbeArgs& args, cuda::Stream stream);
void probe_ldmatrix(const ProbeArgs& args, cuda::Stream stream);
void probe_cp_async(const ProbeArgs& args, cuda::Stream stream);
void probe_shuffle(const ProbeArgs& args, cuda::Stream stream);
void probe_ballot(const ProbeArgs& args, cuda::Stream stream);
void probe_atomics(const ProbeArgs& args, cuda::Stream stream);
void probe_arithmetic(const ProbeArgs& args, cuda::Stream stream);
void probe_bytes(const ProbeArgs& args, cuda::Stream stream);
void probe_saturate(const ProbeArgs& args, cuda::Stream stream);
void probe_half(const ProbeArgs& args, cuda::Stream stream);
void probe_reverse(const ProbeArgs& args, cuda::Stream stream);
void probe_place(const ProbeArgs& args, cuda::Stream stream);

extern const cuda::Probe kWgmmaProbes[3][2];
extern const cuda::Probe kTmaProbes[2];

inline unsigned probe_blocks(int items, int per_block) {
  return static_cast<unsigned>((items + per_block - 1) / per_block);
}

}  // namespace gpueval::GPUEVAL_TARGET
