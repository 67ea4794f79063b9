#include "kernels/register.h"
#include "kernels/vector_math.h"
#include "runtime/parallel.h"

namespace zero_rl::kernels::ZERO_RL_ISA {

namespace {

constexpr int64_t kColumns = 4 * kLanes;
constexpr int64_t kRows = 256;  // of one partial sum

// Threads share out the columns.
template <class T>
void column_sums(const ColumnSums& c) {
  const int64_t blocks = (c.width + kColumns - 1) / kColumns;
  parallel_ranges(blocks, 1 + (1 << 16) / (c.rows * kColumns), [&](int64_t begin, int64_t end, int) {
    const int64_t first = begin * kColumns;
    const int64_t last = end * kColumns < c.width ? end * kColumns : c.width;
    Scratch partial(last - first);
    for (int64_t row = 0; row < c.rows; row += kRows) {
      const int64_t rows = c.rows - row < kRows ? c.rows - row : kRows;
      std::memset(partial.data(), 0, static_cast<size_t>(last - first) * sizeof(float));
      for (int64_t t = row; t < row + rows; ++t) {
        const T* x = static_cast<const T*>(c.x) + t * c.stride + first;
        for_vectors(last - first, [&](int64_t i, int64_t count) {
          store_part(partial.data() + i, load_part(partial.data() + i, count) + load_part(x + i, count), count);
        });
      }
      for (int64_t i = first; i < last; ++i) c.sums[i] += partial.data()[i - first];
    }
  });
}

}  // namespace

void register_column_sums(Table& float32, Table& bfloat16) {
  float32.column_sums = column_sums<float>;
  bfloat16.column_sums = column_sums<Bfloat16>;
}

}  // namespace zero_rl::kernels::ZERO_RL_ISA
