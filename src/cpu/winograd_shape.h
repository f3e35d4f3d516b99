// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace gpueval::cpu {

// Winograd's F(4x4, 3x3): 4x4 outputs of 6x6 source pixels by 36 products in place of 144.
constexpr int kWinogradOut = 4, kWinogradIn = 6, kWinogradPoints = kWinogradIn * kWinogradIn;

}  // namespace gpueval::cpu
