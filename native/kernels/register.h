// What every kernel file of an instruction set puts into its tables.
#pragma once

#include "kernels/kernels.h"

#define ZERO_RL_DECLARE_KERNELS(isa)                                 \
  namespace zero_rl::kernels::isa {                                  \
  void register_gemm(Table& float32, Table& bfloat16);               \
  void register_pack_panels(Table& float32, Table& bfloat16);        \
  void register_packed_gemm(Table& float32, Table& bfloat16);        \
  void register_rms_norm(Table& float32, Table& bfloat16);           \
  void register_rope(Table& float32, Table& bfloat16);               \
  void register_swiglu(Table& float32, Table& bfloat16);             \
  void register_column_sums(Table& float32, Table& bfloat16);        \
  void register_attention(Table& float32, Table& bfloat16);          \
  void register_attention_backward(Table& float32, Table& bfloat16); \
  void register_paged_attention(Table& float32, Table& bfloat16);    \
  void register_softmax(Table& float32, Table& bfloat16);            \
  void register_entropy_gradient(Table& float32, Table& bfloat16);   \
  void register_embedding(Table& float32, Table& bfloat16);          \
  void register_adamw(Table& float32, Table& bfloat16);              \
  }

#ifdef ZERO_RL_ISA
ZERO_RL_DECLARE_KERNELS(ZERO_RL_ISA)
#endif
