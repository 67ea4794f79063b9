#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdlib>
#include <string_view>

#include "kernels/kernels.h"
#include "kernels/register.h"

ZERO_RL_DECLARE_KERNELS(portable)
ZERO_RL_DECLARE_KERNELS(avx2)
ZERO_RL_DECLARE_KERNELS(avx512)
ZERO_RL_DECLARE_KERNELS(avx512bf16)
ZERO_RL_DECLARE_KERNELS(amx)

namespace zero_rl::kernels {

namespace {

#define ZERO_RL_FILL(isa)                                        \
  [] {                                                           \
    InstructionSet set{};                                        \
    set.name = #isa;                                             \
    isa::register_gemm(set.float32, set.bfloat16);               \
    isa::register_pack_panels(set.float32, set.bfloat16);        \
    isa::register_packed_gemm(set.float32, set.bfloat16);        \
    isa::register_rms_norm(set.float32, set.bfloat16);           \
    isa::register_rope(set.float32, set.bfloat16);               \
    isa::register_swiglu(set.float32, set.bfloat16);             \
    isa::register_column_sums(set.float32, set.bfloat16);        \
    isa::register_attention(set.float32, set.bfloat16);          \
    isa::register_attention_backward(set.float32, set.bfloat16); \
    isa::register_paged_attention(set.float32, set.bfloat16);    \
    isa::register_softmax(set.float32, set.bfloat16);            \
    isa::register_entropy_gradient(set.float32, set.bfloat16);   \
    isa::register_embedding(set.float32, set.bfloat16);          \
    isa::register_adamw(set.float32, set.bfloat16);              \
    return set;                                                  \
  }()

InstructionSet choose() {
  const char* variable = std::getenv("ZERO_RL_ISA");
  const std::string_view wanted = variable == nullptr ? "" : variable;
  if (wanted == "portable") return ZERO_RL_FILL(portable);
  __builtin_cpu_init();
  const bool avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                      __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq");
  if (avx512 && wanted != "avx2") {
    if (wanted == "avx512" || !__builtin_cpu_supports("avx512bf16")) return ZERO_RL_FILL(avx512);
    if (wanted == "avx512bf16" || !tile_units_usable()) return ZERO_RL_FILL(avx512bf16);
    return ZERO_RL_FILL(amx);
  }
  const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  if (avx2) return ZERO_RL_FILL(avx2);
  return ZERO_RL_FILL(portable);
}

}  // namespace

bool tile_units_usable() {
  constexpr unsigned kTile = 1U << 24;
  constexpr unsigned kBfloat16 = 1U << 22;
  constexpr long kRequestPermission = 0x1023;
  constexpr long kTileData = 18;
  unsigned eax = 0;
  unsigned ebx = 0;
  unsigned ecx = 0;
  unsigned edx = 0;
  if (__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) == 0) return false;
  if ((edx & kTile) == 0 || (edx & kBfloat16) == 0) return false;
  return syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
}

const InstructionSet& instruction_set() {
  static const InstructionSet chosen = choose();
  return chosen;
}

}  // namespace zero_rl::kernels
