// SPDX-License-Identifier: Apache-2.0
// What the files of the imitated CUDA runtime share. Streams do everything at once: the order in which the host asks is
// one that they allow.
#pragma once

#include <driver_types.h>

#include <functional>
#include <string>

namespace gpueval::ptx {

inline constexpr int kSharedPerBlock = 227 << 10;

// Returns `error`; cudaGetErrorString gives the message of cudaErrorLaunchFailure.
cudaError_t set_error(cudaError_t error, const std::string& message);

// Does the work, or adds it to the graph that the stream is being captured into.
cudaError_t enqueue(cudaStream_t stream, std::function<void()> work);

}  // namespace gpueval::ptx
