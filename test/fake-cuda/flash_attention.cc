// ATen's flash attention of sequences of several lengths, which the CPU has none of: by its definition.
#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>
#include <torch/library.h>

#include <cmath>
#include <functional>
#include <limits>
#include <tuple>
#include <vector>

#include "fake_device.h"
#include "host_tensor.h"

namespace zero_rl::fake {

namespace {

struct Operands {
  at::Tensor query;  // [Tq, Hq, D] float32, as are the other two [Tk, Hk, D]
  at::Tensor key;
  at::Tensor value;
  const int32_t* query_offsets;
  const int32_t* key_offsets;
  int64_t sequences;
  bool causal;
  float scale;

  int64_t heads() const { return query.size(1); }
  int64_t dim() const { return query.size(2); }
  int64_t key_head(int64_t head) const { return head / (heads() / key.size(1)); }

  // Calls body(query, head, first key, end of keys): of a causal part the last query sees all keys.
  void each(const std::function<void(int64_t, int64_t, int64_t, int64_t)>& body) const {
    for (int64_t s = 0; s < sequences; ++s) {
      for (int64_t q = query_offsets[s]; q < query_offsets[s + 1]; ++q) {
        const int64_t hidden = causal ? query_offsets[s + 1] - 1 - q : 0;
        for (int64_t h = 0; h < heads(); ++h) body(q, h, key_offsets[s], key_offsets[s + 1] - hidden);
      }
    }
  }
  float score(int64_t q, int64_t head, int64_t k) const {
    const float* a = query.data_ptr<float>() + (q * heads() + head) * dim();
    const float* b = key.data_ptr<float>() + (k * key.size(1) + key_head(head)) * dim();
    float sum = 0;
    for (int64_t d = 0; d < dim(); ++d) sum += a[d] * b[d];
    return sum * scale;
  }
};

Operands operands_of(const at::Tensor& query, const at::Tensor& key, const at::Tensor& value, const at::Tensor& query_offsets,
                     const at::Tensor& key_offsets, bool causal, std::optional<double> scale) {
  const auto wide = [](const at::Tensor& tensor) { return on_host(tensor).to(at::kFloat).contiguous(); };
  return {wide(query),
          wide(key),
          wide(value),
          static_cast<const int32_t*>(query_offsets.data_ptr()),
          static_cast<const int32_t*>(key_offsets.data_ptr()),
          query_offsets.size(0) - 1,
          causal,
          static_cast<float>(scale.value_or(1 / std::sqrt(static_cast<double>(query.size(2)))))};
}

void run_forward(const Operands& operands, const at::Tensor& out, const at::Tensor& lse) {
  const int64_t dim = operands.dim();
  const at::Tensor sums = at::zeros(operands.query.sizes(), at::kFloat);
  std::vector<float> weights;
  operands.each([&](int64_t q, int64_t h, int64_t first, int64_t end) {
    weights.clear();
    float largest = -std::numeric_limits<float>::infinity();
    for (int64_t k = first; k < end; ++k) {
      weights.push_back(operands.score(q, h, k));
      largest = std::max(largest, weights.back());
    }
    float mass = 0;
    for (float& weight : weights) mass += weight = std::exp(weight - largest);
    float* row = sums.data_ptr<float>() + (q * operands.heads() + h) * dim;
    for (int64_t k = first; k < end; ++k) {
      const float* v = operands.value.data_ptr<float>() + (k * operands.value.size(1) + operands.key_head(h)) * dim;
      for (int64_t d = 0; d < dim; ++d) row[d] += weights[k - first] / mass * v[d];
    }
    lse.data_ptr<float>()[h * operands.query.size(0) + q] =
        weights.empty() ? std::numeric_limits<float>::infinity() : largest + std::log(mass);
  });
  out.copy_(sums);
}

std::tuple<at::Tensor, at::Tensor, at::Tensor, at::Tensor, at::Tensor> forward(
    const at::Tensor& query, const at::Tensor& key, const at::Tensor& value, const std::optional<at::Tensor>& query_offsets,
    const std::optional<at::Tensor>& key_offsets, int64_t, int64_t, double, bool causal, bool, std::optional<double> scale,
    std::optional<int64_t>, std::optional<int64_t>, const std::optional<at::Tensor>&, const std::optional<at::Tensor>&) {
  const at::Tensor out = at::empty(query.sizes(), query.options());
  const at::Tensor lse = at::empty({query.size(1), query.size(0)}, query.options().dtype(at::kFloat));
  Device::instance().launch(current_stream(), {{}, [=, to = on_host(out), lse_to = on_host(lse)] {
    run_forward(operands_of(query, key, value, *query_offsets, *key_offsets, causal, scale), to, lse_to);
  }});
  return {out, lse, at::Tensor(), at::Tensor(), at::Tensor()};
}

void run_backward(const Operands& operands, const at::Tensor& dout, const at::Tensor& out, const at::Tensor& lse,
                  const std::vector<at::Tensor>& results) {
  const int64_t dim = operands.dim();
  const at::Tensor dquery = at::zeros(operands.query.sizes(), at::kFloat);
  const at::Tensor dkey = at::zeros(operands.key.sizes(), at::kFloat);
  const at::Tensor dvalue = at::zeros(operands.value.sizes(), at::kFloat);
  operands.each([&](int64_t q, int64_t h, int64_t first, int64_t end) {
    const int64_t row = (q * operands.heads() + h) * dim;
    const float* g = dout.data_ptr<float>() + row;
    const float* o = out.data_ptr<float>() + row;
    float dot = 0;
    for (int64_t d = 0; d < dim; ++d) dot += g[d] * o[d];
    for (int64_t k = first; k < end; ++k) {
      const int64_t at = (k * operands.key.size(1) + operands.key_head(h)) * dim;
      const float weight =
          std::exp(operands.score(q, h, k) - lse.data_ptr<float>()[h * operands.query.size(0) + q]);
      float dweight = -dot;
      for (int64_t d = 0; d < dim; ++d) dweight += g[d] * operands.value.data_ptr<float>()[at + d];
      for (int64_t d = 0; d < dim; ++d) {
        dvalue.data_ptr<float>()[at + d] += weight * g[d];
        dkey.data_ptr<float>()[at + d] += weight * dweight * operands.scale * operands.query.data_ptr<float>()[row + d];
        dquery.data_ptr<float>()[row + d] += weight * dweight * operands.scale * operands.key.data_ptr<float>()[at + d];
      }
    }
  });
  results[0].copy_(dquery);
  results[1].copy_(dkey);
  results[2].copy_(dvalue);
}

std::tuple<at::Tensor, at::Tensor, at::Tensor> backward(
    const at::Tensor& dout, const at::Tensor& query, const at::Tensor& key, const at::Tensor& value, const at::Tensor& out,
    const at::Tensor& lse, const at::Tensor& query_offsets, const at::Tensor& key_offsets, int64_t, int64_t, double,
    bool causal, const at::Tensor&, const at::Tensor&, std::optional<double> scale, std::optional<int64_t>,
    std::optional<int64_t>) {
  const auto like = [](const at::Tensor& tensor) { return at::empty(tensor.sizes(), tensor.options()); };
  std::tuple<at::Tensor, at::Tensor, at::Tensor> results{like(query), like(key), like(value)};
  const std::vector<at::Tensor> to{on_host(std::get<0>(results)), on_host(std::get<1>(results)),
                                   on_host(std::get<2>(results))};
  Device::instance().launch(current_stream(), {{}, [=] {
    const auto wide = [](const at::Tensor& tensor) { return on_host(tensor).to(at::kFloat).contiguous(); };
    run_backward(operands_of(query, key, value, query_offsets, key_offsets, causal, scale), wide(dout), wide(out),
                 wide(lse), to);
  }});
  return results;
}

TORCH_LIBRARY_IMPL(aten, CUDA, library) {
  library.impl("_flash_attention_forward", &forward);
  library.impl("_flash_attention_backward", &backward);
}

}  // namespace

}  // namespace zero_rl::fake
