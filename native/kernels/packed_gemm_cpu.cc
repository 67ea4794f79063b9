// Products with a packed right-hand side: a block of rows of A and a panel of B stay in the caches, sums stay in registers
// over a block of k, and bias, residual, SwiGLU and rounding are applied on the way out.
#include <algorithm>
#include <utility>

#include "kernels/finish_tile.h"
#include "kernels/pack_panel.h"
#include "kernels/panel_product.h"
#include "kernels/register.h"
#include "runtime/parallel.h"

namespace zero_rl::kernels::ZERO_RL_ISA {

namespace {

// Where panels are packed on the way: the rows that share what is packed, the panels that share what is gathered, and the
// floats between two blocks of k.
constexpr int64_t kSharedSums = 1 << 19;
constexpr int64_t kSharingRows = 1 << 10;
constexpr int64_t kSharingPanels = 16;
constexpr int64_t kFewRows = 32;
constexpr int64_t kDepthOfFew = 1 << 14;
constexpr int64_t kProductsPerThread = 1 << 18;

template <class T>
constexpr bool kSquares = kTileUnits && sizeof(T) < sizeof(float);
// Floats between two blocks of k: they stay in the second cache beside the rows.
template <class T>
constexpr int64_t kPartialSums = kSquares<T> ? 1 << 18 : 1 << 16;
template <class T>
constexpr int64_t kRows = kSquares<T> ? 12 * kSquare : 16 * kTileRows;
// Panels that fit the second cache pass by a square's rows in the nearest one.
constexpr int64_t kNearPanelBytes = 3 << 18;
// Of k: so much of a square's rows and of a panel that is packed on the way lie in the nearest cache together.
constexpr int64_t kNearDepth = 256;
template <class T>
constexpr int64_t kLeastDepth = kSquares<T> ? kNearDepth : kDepth;

// A tile's way through one block of k: sums from `partial` unless it is the first, to `partial` unless it is the last.
template <class T>
struct Stage {
  const LeftElement<T>* a;
  int64_t a_stride;
  PanelBlock<T> panel;
  float* partial;
  bool first;
  bool last;
};

template <class T, int64_t Step, int64_t Rows>
void run_tile(const PackedGemm& g, const Stage<T>& stage, int64_t row, int64_t panel) {
  const LeftElement<T>* rows[Rows];
  for (int64_t i = 0; i < Rows; ++i) rows[i] = stage.a + i * stage.a_stride;
  alignas(64) float finished[Rows * kTileColumns];
  if (stage.last) fetch_results<T>(g, Rows, row, panel);
  multiply_panel<Rows, Step>(rows, stage.panel, stage.first ? nullptr : stage.partial,
                             stage.last ? finished : stage.partial);
  if (!stage.last) return;
  if (g.paired) {
    finish_paired<T>(g, finished, Rows, row, panel);
  } else {
    finish_plain<T>(g, finished, Rows, row, panel);
  }
}

template <class T>
using RunTile = void (*)(const PackedGemm&, const Stage<T>&, int64_t, int64_t);

template <class T, int64_t Step, int64_t... Index>
constexpr RunTile<T> tile_runner(int64_t rows, std::integer_sequence<int64_t, Index...>) {
  constexpr RunTile<T> runners[] = {run_tile<T, Step, Index + 1>...};
  return runners[rows - 1];
}

template <class T>
RunTile<T> tile_runner(int64_t rows, bool columns) {
  constexpr auto kHeights = std::make_integer_sequence<int64_t, kTileRows>();
  if constexpr (!LeftRows<T>::kNative) {
    if (columns) return tile_runner<T, kTileRows>(rows, kHeights);
  }
  return tile_runner<T, 1>(rows, kHeights);
}

// The lines of the panel that is packed next, fetched into the second cache a few at a time.
class NextPanel {
 public:
  NextPanel() = default;
  // `first`: its part of the first of `rows` rows; spread over `turns` calls of fetch.
  NextPanel(const void* first, int64_t row_bytes, int64_t rows, int64_t turns)
      : at_(static_cast<const char*>(first)), row_bytes_(row_bytes), rows_(rows), per_turn_((rows + turns - 1) / turns) {}

  void fetch() {
    for (int64_t i = 0; i < per_turn_ && rows_ > 0; ++i, --rows_, at_ += row_bytes_) __builtin_prefetch(at_, 0, 2);
  }

 private:
  const char* at_ = nullptr;
  int64_t row_bytes_ = 0;
  int64_t rows_ = 0;
  int64_t per_turn_ = 0;
};

// Squares made by the processor's tiles. The sums of the latest one are finished while the next is multiplied.
template <class T>
class Squares {
 public:
  explicit Squares(const PackedGemm& g) : g_(g) {}
  ~Squares() { finish(kSquare); }
  Squares(const Squares&) = delete;
  Squares& operator=(const Squares&) = delete;

  void run(const Stage<T>& stage, int64_t row, int64_t height, int64_t panel, NextPanel& next) {
    const float* before = stage.first ? nullptr : stage.partial;
    if (!stage.last) {
      multiply_square(stage.a, stage.a_stride, height, stage.panel, before, stage.partial, [&] { next.fetch(); });
      return;
    }
    float* sums = buffers_[turn_];
    const int64_t steps = panel_depth<T>(stage.panel.depth) / kPairDepth;
    const int64_t rows = (kSquare + steps - 1) / steps;
    int64_t fetched = 0;
    multiply_square(stage.a, stage.a_stride, height, stage.panel, before, sums, [&] {
      const int64_t end = fetched + rows < height ? fetched + rows : height;
      for (; fetched < end; ++fetched) fetch_result(g_, row + fetched, panel);
      next.fetch();
      finish(rows);
    });
    sums_ = sums;
    row_ = row;
    panel_ = panel;
    next_ = 0;
    height_ = height;
    turn_ = 1 - turn_;
  }

 private:
  void finish(int64_t rows) {
    if (next_ == height_) return;
    if (g_.transposed) {
      finish_transposed(g_, sums_, row_, height_, panel_);
      next_ = height_;
      return;
    }
    const int64_t end = next_ + rows < height_ ? next_ + rows : height_;
    if (finish_whole(g_, sums_, row_, next_, end, panel_)) next_ = end;
    for (; next_ < end; ++next_) {
      const float* sums = sums_ + next_ * kTileColumns;
      if (g_.paired) {
        finish_paired<T>(g_, sums, 1, row_ + next_, panel_);
      } else {
        finish_plain<T>(g_, sums, 1, row_ + next_, panel_);
      }
    }
  }

  const PackedGemm& g_;
  alignas(64) float buffers_[2][kSquare * kTileColumns];
  int turn_ = 0;
  const float* sums_ = nullptr;  // of the latest square, from whose rows [next_, height_) the product is still to come
  int64_t row_ = 0;
  int64_t panel_ = 0;
  int64_t next_ = 0;
  int64_t height_ = 0;
};

struct NoSquares {
  explicit NoSquares(const PackedGemm&) {}
};
template <class T>
using Finisher = std::conditional_t<kSquares<T>, Squares<T>, NoSquares>;

// The scratch of a thread.
template <class T>
struct Buffers {
  Buffers(const PackedGemm& g, int64_t partial_sums, int64_t packed_panels)
      : rows(gathered_floats(g)),
        sums(g.k > kLeastDepth<T> ? partial_sums : 0),
        memory(rows + sums + packed_panels * kTileColumns * kDepth) {}

  float* gathered() { return memory.data(); }
  float* partial() { return memory.data() + rows; }
  T* packed() { return reinterpret_cast<T*>(memory.data() + rows + sums); }

  static int64_t gathered_floats(const PackedGemm& g) {
    if (sizeof(T) == sizeof(float) && g.a_depth_stride == 1) return 0;
    const int64_t few = g.k <= kDepthOfFew ? kFewRows * row_pitch(g.k) : 0;
    const int64_t columns = kRows<T> / kTileRows * LeftRows<T>::kTilePitch;
    const int64_t many = kRows<T> * row_pitch(kDepth);
    const int64_t most = columns > many ? columns : many;
    return few > most ? few : most;
  }

  int64_t rows;
  int64_t sums;
  Scratch memory;
};

// Few rows meet a panel from end to end, as it lies in memory.
template <class T>
int64_t depth_of_blocks(const PackedGemm& g, int64_t rows) {
  if (kSquares<T> && g.panels == nullptr) return kNearDepth;
  return rows <= kFewRows && g.k <= kDepthOfFew && g.panels != nullptr && g.a_depth_stride == 1 ? g.k : kDepth;
}

// Tiles as equal as can be, so that none is nearly empty. `sums`: the partial ones of the first row.
template <class T>
void run_tiles(const PackedGemm& g, const LeftRows<T>& a, PanelBlock<T> b, int64_t row, int64_t rows, int64_t panel,
               float* sums, bool first, bool last) {
  const int64_t tiles = (rows + kTileRows - 1) / kTileRows;
  int64_t at = 0;
  for (int64_t t = 0; t < tiles; ++t) {
    const int64_t height = rows / tiles + (t < rows % tiles ? 1 : 0);
    const Stage<T> stage{a.row(t, at), a.stride(at), b, sums + at * kTileColumns, first, last};
    tile_runner<T>(height, a.columns())(g, stage, row + at, panel);
    b.next = nullptr;
    at += height;
  }
}

template <class T>
void run_squares(const PackedGemm& g, const LeftRows<T>& a, PanelBlock<T> b, int64_t row, int64_t rows, int64_t panel,
                 float* sums, bool first, bool last, NextPanel& next, Squares<T>& squares) {
  for (int64_t at = 0; at < rows; at += kSquare) {
    const int64_t height = rows - at < kSquare ? rows - at : kSquare;
    const Stage<T> stage{a.row(0, at), a.stride(at), b, sums + at * kTileColumns, first, last};
    squares.run(stage, row + at, height, panel, next);
    b.next = nullptr;
  }
}

// Rows [row, row + rows) times panels [panel0, panel1), all of k. `far`: the panels have not been read before.
template <class T>
void run_block(const PackedGemm& g, int64_t row, int64_t rows, int64_t panel0, int64_t panel1, bool far,
               Buffers<T>& buffers, Finisher<T>& squares) {
  const int64_t padded_rows = (rows + kSquare - 1) / kSquare * kSquare;
  const int64_t block_depth = depth_of_blocks<T>(g, rows);
  for (int64_t k = 0; k < g.k; k += block_depth) {
    const int64_t depth = g.k - k < block_depth ? g.k - k : block_depth;
    const T* block = static_cast<const T*>(g.a) + row * g.a_stride + k * g.a_depth_stride;
    const LeftRows<T> a(block, g.a_stride, g.a_depth_stride, rows, depth, buffers.gathered());
    for (int64_t panel = panel0; panel < panel1; ++panel) {
      PanelBlock<T> b{buffers.packed(), nullptr, depth};
      NextPanel next;
      if (g.panels == nullptr) {
        pack_panel<T>(*g.source, panel, k, k + depth, buffers.packed());
        if (kSquares<T> && g.source->stride == 1 && panel + 1 < panel1) {
          const int64_t stride = g.source->depth_stride;
          const T* first = static_cast<const T*>(g.source->matrix) + (panel + 1) * kTileColumns + k * stride;
          const int64_t turns = padded_rows / kSquare * depth / kPairDepth + 1;
          next = {first, stride * static_cast<int64_t>(sizeof(T)), depth, turns};
        }
      } else {
        b.data = static_cast<const T*>(g.panels) + (panel * panel_depth<T>(g.k) + k) * kTileColumns;
        if (far) b.next = b.data + panel_depth<T>(g.k) * kTileColumns;
      }
      float* sums = buffers.partial() + (panel - panel0) * padded_rows * kTileColumns;
      const bool last = k + depth == g.k;
      if constexpr (kSquares<T>) {
        run_squares<T>(g, a, b, row, rows, panel, sums, k == 0, last, next, squares);
      } else {
        run_tiles<T>(g, a, b, row, rows, panel, sums, k == 0, last);
      }
    }
  }
}

// Rows [row0, row1) times panels [panel0, panel1) that are packed on the way: a block of k of some panels for many rows.
template <class T>
void run_packing(const PackedGemm& g, int64_t row0, int64_t row1, int64_t panel0, int64_t panel1) {
  const int64_t most_rows = row1 - row0 < kSharingRows ? row1 - row0 : kSharingRows;
  const int64_t shared = kSharedSums / (most_rows * kTileColumns);
  const int64_t some = std::clamp(shared, kSharingPanels, 2 * kSharingPanels);
  const int64_t most_panels = panel1 - panel0 < some ? panel1 - panel0 : some;
  Buffers<T> buffers(g, most_panels * most_rows * kTileColumns, most_panels);
  const auto* matrix = static_cast<const T*>(g.a);
  for (int64_t rows0 = row0; rows0 < row1; rows0 += most_rows) {
    const int64_t rows1 = rows0 + most_rows < row1 ? rows0 + most_rows : row1;
    for (int64_t panels0 = panel0; panels0 < panel1; panels0 += most_panels) {
      const int64_t panels = panel1 - panels0 < most_panels ? panel1 - panels0 : most_panels;
      for (int64_t k = 0; k < g.k; k += kDepth) {
        const int64_t depth = g.k - k < kDepth ? g.k - k : kDepth;
        for (int64_t i = 0; i < panels; ++i) {
          pack_panel<T>(*g.source, panels0 + i, k, k + depth, buffers.packed() + i * kTileColumns * kDepth);
        }
        for (int64_t row = rows0; row < rows1; row += kRows<T>) {
          const int64_t rows = rows1 - row < kRows<T> ? rows1 - row : kRows<T>;
          const T* block = matrix + row * g.a_stride + k * g.a_depth_stride;
          const LeftRows<T> a(block, g.a_stride, g.a_depth_stride, rows, depth, buffers.gathered());
          for (int64_t i = 0; i < panels; ++i) {
            const PanelBlock<T> b{buffers.packed() + i * kTileColumns * kDepth, nullptr, depth};
            float* sums = buffers.partial() + (i * most_rows + row - rows0) * kTileColumns;
            run_tiles<T>(g, a, b, row, rows, panels0 + i, sums, k == 0, k + depth == g.k);
          }
        }
      }
    }
  }
}

template <class T>
void run_range(const PackedGemm& g, int64_t row0, int64_t row1, int64_t panel0, int64_t panel1) {
  if constexpr (!kSquares<T>) {
    if (g.panels == nullptr) {
      run_packing<T>(g, row0, row1, panel0, panel1);
      return;
    }
  }
  Buffers<T> buffers(g, kPartialSums<T>, g.panels == nullptr ? 1 : 0);
  const TileUnits units;
  Finisher<T> finisher(g);
  const auto run = [&](int64_t row, int64_t rows, int64_t panel, int64_t panels, bool far) {
    run_block<T>(g, row, row1 - row < rows ? row1 - row : rows, panel, panel + panels < panel1 ? panel + panels : panel1,
                 far, buffers, finisher);
  };
  const auto panels_of = [&](int64_t rows) {
    return g.k > kLeastDepth<T> ? kPartialSums<T> / (rows * kTileColumns) : panel1 - panel0;
  };
  if (kSquares<T> && g.panels != nullptr && row1 - row0 > kFewRows) {
    const int64_t bytes = panel_depth<T>(g.k) * kTileColumns * static_cast<int64_t>(sizeof(T));
    const int64_t near = kNearPanelBytes / bytes > 0 ? kNearPanelBytes / bytes : 1;
    const int64_t panels = near < panels_of(kSquare) ? near : panels_of(kSquare);
    for (int64_t panel = panel0; panel < panel1; panel += panels) {
      for (int64_t row = row0; row < row1; row += kSquare) run(row, kSquare, panel, panels, row == row0);
    }
    return;
  }
  const int64_t panels = panels_of(kRows<T>);
  for (int64_t row = row0; row < row1; row += kRows<T>) {
    for (int64_t panel = panel0; panel < panel1; panel += panels) run(row, kRows<T>, panel, panels, true);
  }
}

template <class T>
void packed_gemm(const PackedGemm& g) {
  constexpr int64_t kUnit = kSquares<T> ? kSquare : kTileRows;
  const int64_t panels = panel_count(g.n);
  // What is packed on the way, panels of B or columns of A, is packed once where the threads share it out: the more of it.
  const bool by_rows = g.panels != nullptr || (g.a_depth_stride != 1 && g.m > g.n);
  if (by_rows && g.m >= 8 * kTileRows && g.m >= g.n / 8) {
    const int64_t units = (g.m + kUnit - 1) / kUnit;
    parallel_ranges(units, 1 + kProductsPerThread / (kUnit * g.n * g.k), [&](int64_t begin, int64_t end, int) {
      run_range<T>(g, begin * kUnit, end * kUnit < g.m ? end * kUnit : g.m, 0, panels);
    });
  } else {
    parallel_ranges(panels, 1 + kProductsPerThread / (kTileColumns * g.m * g.k),
                    [&](int64_t begin, int64_t end, int) { run_range<T>(g, 0, g.m, begin, end); });
  }
}

}  // namespace

void register_packed_gemm(Table& float32, Table& bfloat16) {
  float32.packed_gemm = packed_gemm<float>;
  bfloat16.packed_gemm = packed_gemm<Bfloat16>;
}

}  // namespace zero_rl::kernels::ZERO_RL_ISA
