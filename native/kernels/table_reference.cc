#include "kernels/reference.h"
#include "kernels/register.h"

ZERO_RL_DECLARE_KERNELS(reference)

namespace zero_rl::kernels {

const InstructionSet& reference_set() {
  static const InstructionSet set = [] {
    InstructionSet twins{.name = "aten", .float32 = {}, .bfloat16 = {}};
    reference::register_gemm(twins.float32, twins.bfloat16);
    reference::register_pack_panels(twins.float32, twins.bfloat16);
    reference::register_packed_gemm(twins.float32, twins.bfloat16);
    reference::register_rms_norm(twins.float32, twins.bfloat16);
    reference::register_rope(twins.float32, twins.bfloat16);
    reference::register_swiglu(twins.float32, twins.bfloat16);
    reference::register_column_sums(twins.float32, twins.bfloat16);
    reference::register_attention(twins.float32, twins.bfloat16);
    reference::register_attention_backward(twins.float32, twins.bfloat16);
    reference::register_paged_attention(twins.float32, twins.bfloat16);
    reference::register_softmax(twins.float32, twins.bfloat16);
    reference::register_entropy_gradient(twins.float32, twins.bfloat16);
    reference::register_embedding(twins.float32, twins.bfloat16);
    reference::register_adamw(twins.float32, twins.bfloat16);
    return twins;
  }();
  return set;
}

}  // namespace zero_rl::kernels
