// SPDX-License-Identifier: Apache-2.0
// A kernel that indexes an array at run time: its array lies on the stack, which scripts/check_spills.py must report.
namespace gpueval {

__global__ void planted_stack(float* values, int index) {
  float array[32];
  for (int i = 0; i < 32; ++i) array[i] = values[i * index];
  values[0] = array[index % 32];
}

}  // namespace gpueval
