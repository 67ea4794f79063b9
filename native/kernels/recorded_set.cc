#include "kernels/recorded_set.h"

#include <array>

#include "kernels/cost.h"

namespace zero_rl::kernels {

namespace {

constexpr int64_t kFloatBytes = 4;
constexpr int64_t kBfloat16Bytes = 2;

template <bool kBfloat16>
const Table& own_table() {
  return kBfloat16 ? instruction_set().bfloat16 : instruction_set().float32;
}

template <bool kBfloat16>
constexpr int64_t kElement = kBfloat16 ? kBfloat16Bytes : kFloatBytes;

// A model keeps the tables of the time it was made in, so a profile may have ended.
template <uint8_t kId, auto kEntry, bool kBfloat16, class Call>
void recorded(const Call& call) {
  const auto kernel = own_table<kBfloat16>().*kEntry;
  if (!profiler::on()) return kernel(call);
  // Before the call: it may write over what the arguments point to.
  const Cost cost = cost_of(call, kElement<kBfloat16>);
  const int64_t start = profiler::now();
  kernel(call);
  profiler::record_kernel(kId, kBfloat16, start, cost.bytes, cost.flops);
}

constexpr uint8_t kSquaredNorm = 0;

template <bool kBfloat16>
double recorded_squared_norm(const float* values, int64_t count) {
  const auto kernel = own_table<kBfloat16>().squared_norm;
  if (!profiler::on()) return kernel(values, count);
  const Cost cost = squared_norm_cost(count);
  const int64_t start = profiler::now();
  const double result = kernel(values, count);
  profiler::record_kernel(kSquaredNorm, kBfloat16, start, cost.bytes, cost.flops);
  return result;
}

constexpr std::array kNames{
    "squared_norm", "gemm", "pack_panels", "packed_gemm", "rms_norm", "rms_norm_backward", "rope", "swiglu_backward",
    "column_sums", "attention", "attention_backward", "softmax", "log_prob_gradient", "embedding",
    "embedding_backward", "adamw", "entropy_gradient", "paged_decode_attention", "store_pages"};

template <bool kBfloat16>
Table recorded_table() {
  Table table = own_table<kBfloat16>();
  table.squared_norm = recorded_squared_norm<kBfloat16>;
  const auto wrap = [&]<uint8_t kId, auto kEntry, class Call>(void (*&entry)(const Call&)) {
    entry = recorded<kId, kEntry, kBfloat16, Call>;
  };
#define ZERO_RL_RECORD(id, entry) wrap.template operator()<id, &Table::entry>(table.entry)
  ZERO_RL_RECORD(1, gemm);
  ZERO_RL_RECORD(2, pack_panels);
  ZERO_RL_RECORD(3, packed_gemm);
  ZERO_RL_RECORD(4, rms_norm);
  ZERO_RL_RECORD(5, rms_norm_backward);
  ZERO_RL_RECORD(6, rope);
  ZERO_RL_RECORD(7, swiglu_backward);
  ZERO_RL_RECORD(8, column_sums);
  ZERO_RL_RECORD(9, attention);
  ZERO_RL_RECORD(10, attention_backward);
  ZERO_RL_RECORD(11, softmax);
  ZERO_RL_RECORD(12, log_prob_gradient);
  ZERO_RL_RECORD(13, embedding);
  ZERO_RL_RECORD(14, embedding_backward);
  ZERO_RL_RECORD(15, adamw);
  ZERO_RL_RECORD(16, entropy_gradient);
  ZERO_RL_RECORD(17, paged_decode_attention);
  ZERO_RL_RECORD(18, store_pages);
#undef ZERO_RL_RECORD
  return table;
}

InstructionSet make() {
  InstructionSet set = instruction_set();
  set.float32 = recorded_table<false>();
  set.bfloat16 = recorded_table<true>();
  return set;
}

}  // namespace

const InstructionSet& recorded_set() {
  static const InstructionSet set = make();
  return set;
}

const char* kernel_name(uint8_t id) { return kNames.at(id); }

uint8_t kernel_count() { return kNames.size(); }

}  // namespace zero_rl::kernels
