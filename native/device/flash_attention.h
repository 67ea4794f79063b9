// Packed attention by ATen's flash attention (Dao, arXiv 2307.08691), which CUDA builds of libtorch have.
#pragma once

#include <ATen/core/Tensor.h>

#include "kernels/attention.cuh"

namespace zero_rl::operators {

// bfloat16 with heads whose dimension is a multiple of 8.
bool takes_flash_attention(const at::Tensor& qkv, int64_t head_dim);

void flash_attention(const at::Tensor& qkv, const at::Tensor& offsets, int64_t max_length,
                     const device::PackedHeads& packed, const at::Tensor& out, const at::Tensor& lse);
void flash_attention_backward(const at::Tensor& dout, const at::Tensor& qkv, const at::Tensor& out,
                              const at::Tensor& lse, const at::Tensor& offsets, int64_t max_length,
                              const device::PackedHeads& packed, const at::Tensor& dqkv);

}  // namespace zero_rl::operators
