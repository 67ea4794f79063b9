// The operators over rows, whatever runs their kernels. Launch (device/cpu_launch.h, kernels/cuda_launch.cuh) has, for
// kernels on the device of a tensor,
//   blocks(like, count, threads, shared bytes, body)   body(group, index) for each block
//   warps(like, count, body)                           the same for single warps without shared memory
//   elements(like, count, body)                        body(index) for each thread
#pragma once

#include <ATen/ops/empty.h>
#include <torch/library.h>

#include "device/operator_checks.h"
#include "device/operators.h"
#include "kernels/embedding.cuh"
#include "kernels/rms_norm.cuh"
#include "kernels/sums.cuh"
#include "kernels/swiglu.cuh"

namespace zero_rl::operators {

inline at::Tensor scratch(at::IntArrayRef sizes, at::ScalarType dtype, const at::Tensor& like) {
  return at::empty(sizes, like.options().dtype(dtype));
}

template <class Launch>
struct RowOperators {
  static void embedding(const at::Tensor& table, const at::Tensor& tokens, const at::Tensor& out) {
    check_matrix(table, "table");
    const int64_t width = table.size(1);
    check(table, "table", table.scalar_type(), table.sizes(), table);
    check(tokens, "tokens", at::kInt, {tokens.numel()}, table);
    check(out, "out", table.scalar_type(), {tokens.numel(), width}, table);
    with_dtype(table, [&](auto type) {
      using T = typename decltype(type)::type;
      with_pack<T>(width, {&table, &out}, [&](auto pack) {
        constexpr int V = decltype(pack)::value;
        Launch::elements(table, out.numel() / V,
                         device::EmbeddingBody<T, V>{data<T>(table), data<int32_t>(tokens), data<T>(out), width,
                                                     table.size(0)});
      });
    });
  }

  static void embedding_backward(const at::Tensor& dx, const at::Tensor& tokens, const at::Tensor& order,
                                 const at::Tensor& dtable) {
    check_matrix(dx, "dx");
    const int64_t count = dx.size(0);
    const int64_t width = dx.size(1);
    check(dx, "dx", dx.scalar_type(), dx.sizes(), dx);
    check(tokens, "tokens", at::kInt, {count}, dx);
    check(order, "order", at::kLong, {count}, dx);
    const bool wide = dtable.scalar_type() == at::kFloat;
    check(dtable, "dtable", wide ? at::kFloat : dx.scalar_type(), {dtable.size(0), width}, dx);
    with_dtype(dx, [&](auto type) {
      using T = typename decltype(type)::type;
      with_pack<T>(width, {&dx, &dtable}, [&](auto pack) {
        constexpr int V = decltype(pack)::value;
        const auto run = [&](auto* table) {
          using Sum = std::remove_pointer_t<decltype(table)>;
          const device::EmbeddingBackwardBody<T, Sum, V> body{data<T>(dx),         data<int32_t>(tokens),
                                                              data<int64_t>(order), table,
                                                              count,                width,
                                                              dtable.size(0)};
          Launch::blocks(dx, count, threads_for(width, V, body.kMaxThreads), 0, body);
        };
        wide ? run(data<float>(dtable)) : run(data<T>(dtable));
      });
    });
  }

  static void rms_norm(const at::Tensor& x, const at::Tensor& weight, double eps, const at::Tensor& y,
                       const OptionalTensor& rstd) {
    check_matrix(x, "x");
    const int64_t rows = x.size(0);
    const int64_t width = x.size(1);
    check(weight, "weight", x.scalar_type(), {width}, x);
    check_rows(y, "y", x.scalar_type(), rows, width, x);
    if (rstd.has_value()) check(*rstd, "rstd", at::kFloat, {rows}, x);
    with_dtype(x, [&](auto type) {
      using T = typename decltype(type)::type;
      with_pack<T>(width, {&x, &weight, &y}, [&](auto pack) {
        constexpr int V = decltype(pack)::value;
        const device::RmsNormBody<T, V> body{data<T>(x), data<T>(weight), data<T>(y),
                                             data<float>(rstd), x.stride(0), y.stride(0),
                                             static_cast<int>(width), static_cast<float>(eps)};
        Launch::blocks(x, rows, threads_for(width, V, body.kMaxThreads), 0, body);
      });
    });
  }

  static void rms_norm_backward(const at::Tensor& dy, const at::Tensor& x, const at::Tensor& weight,
                                const at::Tensor& rstd, const at::Tensor& dx, bool accumulate,
                                const at::Tensor& dweight) {
    check_matrix(x, "x");
    const int64_t rows = x.size(0);
    const int64_t width = x.size(1);
    check_rows(dy, "dy", x.scalar_type(), rows, width, x);
    check(weight, "weight", x.scalar_type(), {width}, x);
    check(rstd, "rstd", at::kFloat, {rows}, x);
    check_rows(dx, "dx", x.scalar_type(), rows, width, x);
    check(dweight, "dweight", at::kFloat, {width}, x);
    if (rows == 0) return;
    const int64_t parts = device::row_parts(rows);
    const at::Tensor partials = scratch({parts, width}, at::kFloat, x);
    with_dtype(x, [&](auto type) {
      using T = typename decltype(type)::type;
      with_pack<T>(width, {&dy, &x, &weight, &dx}, [&](auto pack) {
        constexpr int V = decltype(pack)::value;
        const device::RmsNormBackwardBody<T, V> body{
            data<T>(dy),  data<T>(x),  data<T>(weight), data<float>(rstd), data<T>(dx), data<float>(partials),
            dy.stride(0), x.stride(0), dx.stride(0),    rows,              parts,       static_cast<int>(width),
            accumulate};
        Launch::blocks(x, parts, threads_for(width, V, body.kMaxThreads), width * 4, body);
      });
    });
    add_parts(partials, dweight);
  }

  static void swiglu(const at::Tensor& gate_up, const at::Tensor& act) {
    const int64_t width = check_gated(gate_up, act);
    with_dtype(act, [&](auto type) {
      using T = typename decltype(type)::type;
      with_pack<T>(width, {&gate_up, &act}, [&](auto pack) {
        constexpr int V = decltype(pack)::value;
        Launch::elements(act, act.numel() / V, device::SwiGluBody<T, V>{data<T>(gate_up), data<T>(act), width});
      });
    });
  }

  static void swiglu_backward(const at::Tensor& gate_up, const at::Tensor& dact) {
    const int64_t width = check_gated(gate_up, dact);
    with_dtype(dact, [&](auto type) {
      using T = typename decltype(type)::type;
      with_pack<T>(width, {&gate_up, &dact}, [&](auto pack) {
        constexpr int V = decltype(pack)::value;
        Launch::elements(dact, dact.numel() / V,
                         device::SwiGluBackwardBody<T, V>{data<T>(gate_up), data<T>(dact), width});
      });
    });
  }

  static void column_sums(const at::Tensor& x, const at::Tensor& sums) {
    check_matrix(x, "x");
    const int64_t rows = x.size(0);
    const int64_t width = x.size(1);
    check(sums, "sums", at::kFloat, {width}, x);
    if (rows == 0) return;
    const int64_t parts = device::row_parts(rows);
    const at::Tensor partials = scratch({parts, width}, at::kFloat, x);
    with_dtype(x, [&](auto type) {
      using T = typename decltype(type)::type;
      with_pack<T>(width, {&x}, [&](auto pack) {
        constexpr int V = decltype(pack)::value;
        const device::ColumnSumsBody<T, V> body{data<T>(x), data<float>(partials),   x.stride(0), rows,
                                                parts,      static_cast<int>(width)};
        Launch::blocks(x, parts * body.tiles(), device::kSumThreads, 0, body);
      });
    });
    add_parts(partials, sums);
  }

  // sums += the rows of partials, in their order.
  static void add_parts(const at::Tensor& partials, const at::Tensor& sums) {
    Launch::elements(sums, sums.numel(), device::AddPartsBody{data<float>(partials), data<float>(sums),
                                                              partials.size(0), sums.numel()});
  }

  static void implement(torch::Library& library) {
    library.impl("embedding", &embedding);
    library.impl("embedding_backward", &embedding_backward);
    library.impl("rms_norm", &rms_norm);
    library.impl("rms_norm_backward", &rms_norm_backward);
    library.impl("swiglu", &swiglu);
    library.impl("swiglu_backward", &swiglu_backward);
    library.impl("column_sums", &column_sums);
  }

 private:
  // The width of the activation.
  static int64_t check_gated(const at::Tensor& gate_up, const at::Tensor& act) {
    check_matrix(act, "act");
    check(act, "act", act.scalar_type(), act.sizes(), act);
    check(gate_up, "gate_up", act.scalar_type(), {act.size(0), 2 * act.size(1)}, act);
    return act.size(1);
  }
};

}  // namespace zero_rl::operators
