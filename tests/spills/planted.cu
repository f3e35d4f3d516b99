// SPDX-License-Identifier: Apache-2.0
// A kernel that indexes an array at run time: its array lies on the stack, which scripts/check_spills.py must report.
namespace gpueval {

__global__ void planted_stack(float* values, int count) {
  float array[100];
  for (int i = 0; i < 100; ++i) array[i] = values[i * count];
  for (int i = 0; i < count; ++i) values[i] = array[i * 7 % 100] + array[i % 100];
}

}  // namespace gpueval
