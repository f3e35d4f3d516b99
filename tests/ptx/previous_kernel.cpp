// SPDX-License-Identifier: Apache-2.0
// griddepcontrol: kernels run one behind the other here (cudaLaunchKernelExC), so that there is nothing to wait for.
#include "ptx/decoder.h"
#include "ptx/families.h"

namespace gpueval::ptx {
namespace {

void nothing(Warp&, const Instruction&) {}

}  // namespace

void decode_griddepcontrol(Decoder& decoder, Instruction& out) {
  if (!decoder.take("wait") && !decoder.take("launch_dependents")) decoder.fail_here("griddepcontrol of what?");
  out.execute = nothing;
}

}  // namespace gpueval::ptx
