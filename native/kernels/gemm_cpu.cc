// Products of matrices in any layout by way of packed panels: all of them first where threads with few rows each share them,
// else block by block while they are multiplied.
#include <utility>

#include "kernels/panel_product.h"
#include "kernels/register.h"
#include "runtime/thread_pool.h"

namespace zero_rl::kernels::ZERO_RL_ISA {

namespace {

constexpr int64_t kRowsPerPacking = 1024;
// Of a thread: fewer would wait for the panels that each thread packs for itself.
constexpr int64_t kRowsOfThread = 256;

const Table& panel_kernels(bool wide) {
  static const auto tables = [] {
    struct Tables {
      Table float32{};
      Table bfloat16{};
    } made;
    register_pack_panels(made.float32, made.bfloat16);
    register_packed_gemm(made.float32, made.bfloat16);
    return made;
  }();
  return wide ? tables.float32 : tables.bfloat16;
}

// A product of two operands whose rows run along k wants the rows of one of them turned: that of the fewer, which all fit
// the scratch of a thread.
template <class T>
bool is_transposed_better(const Gemm& g) {
  constexpr int64_t kMostRows = 384;
  if (!kTileUnits || sizeof(T) == sizeof(float)) return false;
  return g.a_depth_stride != 1 && g.b_depth_stride != 1 && g.float_out && g.bias == nullptr && g.n < g.m && g.n <= kMostRows;
}

template <class T>
bool is_packed_first(const Gemm& g) {
  if (kTileUnits && sizeof(T) < sizeof(float)) return g.m > kRowsPerPacking;
  return g.m >= kRowsOfThread && g.m < kRowsOfThread * ThreadPool::instance().threads() / 2;
}

// With `transposed` the operands have changed places and C is that of the product before.
template <class T>
void multiply(const Gemm& g, bool transposed) {
  const Table& kernels = panel_kernels(sizeof(T) == sizeof(float));
  const bool once = is_packed_first<T>(g);
  const int64_t elements = once ? kernels.panel_elements(g.n, g.k) : 0;
  Scratch panels(elements * static_cast<int64_t>(sizeof(T)) / 4 + 1);
  const PackPanels source{.matrix = g.b,
                          .stride = g.b_stride,
                          .depth_stride = g.b_depth_stride,
                          .panels = panels.data(),
                          .n = g.n,
                          .k = g.k,
                          .paired = false};
  if (once) kernels.pack_panels(source);
  kernels.packed_gemm({.a = g.a,
                       .a_stride = g.a_stride,
                       .panels = once ? panels.data() : nullptr,
                       .bias = g.bias,
                       .c = g.c,
                       .c_stride = g.c_stride,
                       .m = g.m,
                       .n = g.n,
                       .k = g.k,
                       .accumulate = g.accumulate,
                       .float_out = g.float_out,
                       .activated = nullptr,
                       .activated_stride = 0,
                       .paired = false,
                       .a_depth_stride = g.a_depth_stride,
                       .source = &source,
                       .transposed = transposed});
}

template <class T>
void gemm(const Gemm& g) {
  if (!is_transposed_better<T>(g)) {
    multiply<T>(g, /*transposed=*/false);
    return;
  }
  Gemm other = g;
  std::swap(other.a, other.b);
  std::swap(other.a_stride, other.b_stride);
  std::swap(other.a_depth_stride, other.b_depth_stride);
  std::swap(other.m, other.n);
  multiply<T>(other, /*transposed=*/true);
}

}  // namespace

void register_gemm(Table& float32, Table& bfloat16) {
  float32.gemm = gemm<float>;
  bfloat16.gemm = gemm<Bfloat16>;
}

}  // namespace zero_rl::kernels::ZERO_RL_ISA
