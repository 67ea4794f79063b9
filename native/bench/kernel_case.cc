#include "bench/kernel_case.h"

#include <ATen/ops/empty.h>

#include "runtime/error.h"
#include "runtime/parallel.h"

namespace zero_rl::bench {

namespace {

// The finaliser of splitmix64 (Steele, Lea and Flood, OOPSLA 2014).
uint64_t mix(uint64_t value) {
  value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9;
  value = (value ^ (value >> 27)) * 0x94D049BB133111EB;
  return value ^ (value >> 31);
}

// Uniform in [0, 1).
double uniform(uint64_t seed, int64_t index) {
  const uint64_t bits = mix(mix(seed) + static_cast<uint64_t>(index) * 0x9E3779B97F4A7C15);
  return static_cast<double>(bits >> 11) * 0x1.0p-53;
}

}  // namespace

int64_t Sizes::at(const std::string& name) const {
  const auto found = values_.find(name);
  if (found == values_.end()) throw native_error("The kernel case needs the size " + name);
  return found->second;
}

int64_t Sizes::get(const std::string& name, int64_t fallback) const {
  const auto found = values_.find(name);
  return found == values_.end() ? fallback : found->second;
}

void KernelCase::track_in_place(const char* name, const at::Tensor& output) {
  track(name, output);
  restored.emplace_back(output, output.clone());
}

at::Tensor random_tensor(at::IntArrayRef sizes, at::ScalarType dtype, uint64_t seed, double scale) {
  at::Tensor tensor = at::empty(sizes, at::TensorOptions().dtype(dtype));
  const auto fill = [&]<class T>(T* values) {
    parallel_ranges(tensor.numel(), 16384, [&](int64_t begin, int64_t end, int) {
      for (int64_t i = begin; i < end; ++i) values[i] = static_cast<T>(static_cast<float>((2 * uniform(seed, i) - 1) * scale));
    });
  };
  if (dtype == at::kFloat) {
    fill(tensor.data_ptr<float>());
  } else {
    fill(tensor.data_ptr<at::BFloat16>());
  }
  return tensor;
}

std::vector<int32_t> random_integers(int64_t count, int64_t bound, uint64_t seed) {
  std::vector<int32_t> values(count);
  for (int64_t i = 0; i < count; ++i) values[i] = static_cast<int32_t>(uniform(seed, i) * static_cast<double>(bound));
  return values;
}

double bytes_of(std::initializer_list<at::Tensor> tensors) {
  double bytes = 0;
  for (const at::Tensor& tensor : tensors) bytes += static_cast<double>(tensor.nbytes());
  return bytes;
}

KernelCase make_case(const std::string& kernel, at::ScalarType dtype, const Sizes& sizes, uint64_t seed) {
  using Maker = KernelCase (*)(at::ScalarType, const Sizes&, uint64_t);
  static const std::map<std::string, Maker> makers{
      {"gemm", gemm_case},
      {"packed_gemm", packed_gemm_case},
      {"rms_norm", rms_norm_case},
      {"rms_norm_backward", rms_norm_backward_case},
      {"rope", rope_case},
      {"swiglu_backward", swiglu_backward_case},
      {"column_sums", column_sums_case},
      {"attention", attention_case},
      {"attention_backward", attention_backward_case},
      {"one_thread_attention", one_thread_attention_case},
      {"paged_decode_attention", paged_decode_attention_case},
      {"store_pages", store_pages_case},
      {"cached_attention", cached_attention_case},
      {"softmax", softmax_case},
      {"log_prob_gradient", log_prob_gradient_case},
      {"entropy_gradient", entropy_gradient_case},
      {"sampler", sampler_case},
      {"embedding", embedding_case},
      {"embedding_backward", embedding_backward_case},
      {"adamw", adamw_case},
      {"squared_norm", squared_norm_case},
  };
  const auto maker = makers.find(kernel);
  if (maker == makers.end()) throw native_error("There is no kernel named " + kernel);
  return maker->second(dtype, sizes, seed);
}

}  // namespace zero_rl::bench
