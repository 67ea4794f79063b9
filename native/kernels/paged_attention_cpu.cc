// One query per sequence over a cache of pages. A task is a key/value head of a few neighbours whose tables begin with the
// same pages: these are read once for all their queries. The sums are those of the packed attention.
#include <algorithm>
#include <vector>

#include "kernels/attention_block.h"
#include "kernels/attention_row.h"
#include "kernels/register.h"
#include "runtime/parallel.h"

namespace zero_rl::kernels::ZERO_RL_ISA {

namespace {

constexpr int64_t kNeighbours = 8;
constexpr int64_t kTasksPerThread = 2;

// Some rows, none of them empty; the first `shared` pages of their tables are the same, and whole.
struct Neighbours {
  int64_t count = 0;
  int64_t rows[kNeighbours];
  int64_t shared;
};

class Neighbourhoods {
 public:
  explicit Neighbourhoods(const PagedDecodeAttention& a) : a_(a) {
    for (int64_t row = 0; row < a.rows; ++row) {
      if (a.positions[row] >= 0) add(row);
    }
  }

  const std::vector<Neighbours>& all() const { return all_; }
  int64_t longest() const { return longest_; }

 private:
  void add(int64_t row) {
    longest_ = std::max<int64_t>(longest_, a_.positions[row] + 1);
    const int64_t whole = a_.positions[row] / kPageTokens;
    if (!all_.empty() && all_.back().count < kNeighbours) {
      Neighbours& last = all_.back();
      const int32_t* table = a_.tables + row * a_.table_stride;
      const int32_t* first = a_.tables + last.rows[0] * a_.table_stride;
      const int64_t most = std::min(last.shared, whole);
      const int64_t shared = std::mismatch(table, table + most, first).first - table;
      // With a row that has little in common the others would share less than before.
      if (shared > 0 && (last.count == 1 || 2 * shared >= last.shared)) {
        last.rows[last.count++] = row;
        last.shared = shared;
        return;
      }
    }
    Neighbours alone;
    alone.rows[alone.count++] = row;
    alone.shared = whole;
    all_.push_back(alone);
  }

  const PagedDecodeAttention& a_;
  std::vector<Neighbours> all_;
  int64_t longest_ = 0;
};

template <class T>
class PagedTask {
 public:
  PagedTask(const PagedDecodeAttention& a, const Neighbours& rows, int64_t kv_head, int64_t longest, const Neighbours* next)
      : a_(a),
        rows_(rows),
        kv_head_(kv_head),
        dim_(a.cache.head_dim),
        group_(a.heads / a.cache.kv_heads),
        width_((a.heads + 2 * a.cache.kv_heads) * dim_),
        padded_(padded_columns(dim_)),
        page_(a.cache.page_stride()),
        score_row_(std::min(kKeyBlock, padded_keys(longest)) + kKeyTile),
        keys_(static_cast<T*>(a.cache.pool) + a.cache.keys_at(a.layer, kv_head)),
        values_(static_cast<T*>(a.cache.pool) + a.cache.values_at(a.layer, kv_head)),
        next_(keys_) {
    const bool last_head = kv_head + 1 == a.cache.kv_heads;
    if (!last_head) next_ = tile(0, keys_ + (a.cache.keys_at(0, 1) - a.cache.keys_at(0, 0)), 0);
    if (last_head && next != nullptr) {
      next_ = static_cast<const T*>(a.cache.pool) + a.tables[next->rows[0] * a.table_stride] * page_ + a.cache.keys_at(a.layer, 0);
    }
  }

  int64_t scratch_floats() const { return kNeighbours * group_ * (score_row_ + dim_ + 2 * padded_ + 4); }

  void run(float* scratch) {
    const int64_t queries = rows_.count * group_;
    scores_ = scratch;
    queries_ = scores_ + queries * score_row_;
    sums_ = queries_ + queries * dim_;
    block_sums_ = sums_ + queries * padded_;
    states_ = reinterpret_cast<RowSums*>(block_sums_ + queries * padded_);
    blocks_ = states_ + queries;
    int64_t longest = 0;
    for (int64_t i = 0; i < rows_.count; ++i) {
      store_token(rows_.rows[i]);
      load_queries(rows_.rows[i], queries_ + i * group_ * dim_);
      longest = std::max<int64_t>(longest, length(i));
    }
    for (int64_t start = 0; start < longest; start += kKeyBlock) run_block(start);
    for (int64_t i = 0; i < queries; ++i) {
      T* out = static_cast<T*>(a_.out) + (rows_.rows[i / group_] * a_.heads + kv_head_ * group_ + i % group_) * dim_;
      write_row(sums_ + i * padded_, 1.0f / states_[i].total, dim_, out);
    }
  }

 private:
  int64_t length(int64_t i) const { return a_.positions[rows_.rows[i]] + 1; }
  const int32_t* table(int64_t i, int64_t position) const {
    return a_.tables + rows_.rows[i] * a_.table_stride + position / kPageTokens;
  }

  // Of the keys or the values in the page of a position.
  const T* tile(int64_t i, const T* tiles, int64_t position) const { return tiles + *table(i, position) * page_; }

  void store_token(int64_t row) const {
    const T* qkv = static_cast<const T*>(a_.qkv) + row * width_;
    const T* key = qkv + (a_.heads + kv_head_) * dim_;
    const T* value = key + a_.cache.kv_heads * dim_;
    const int64_t t = a_.positions[row];
    const int64_t page = a_.tables[row * a_.table_stride + t / kPageTokens] * page_;
    T* keys = keys_ + page + t % kPageTokens;
    for (int64_t d = 0; d < dim_; ++d) keys[d * kPageTokens] = key[d];
    std::memcpy(values_ + page + t % kPageTokens * dim_, value, static_cast<size_t>(dim_) * sizeof(T));
  }

  void load_queries(int64_t row, float* query) const {
    const float scale = 1.0f / std::sqrt(static_cast<float>(dim_));
    const T* from = static_cast<const T*>(a_.qkv) + row * width_ + kv_head_ * group_ * dim_;
    for (int64_t d = 0; d < group_ * dim_; ++d) query[d] = to_float(from[d]) * scale;
  }

  // Keys of positions [start, start + kKeyBlock): those in shared pages for all queries, then each row's own.
  void run_block(int64_t start) {
    const int64_t shared = std::clamp<int64_t>(rows_.shared * kPageTokens - start, 0, kKeyBlock);
    const auto own = [&](int64_t i) { return std::clamp<int64_t>(length(i) - start, 0, kKeyBlock) - shared; };
    float* sums = start == 0 ? sums_ : block_sums_;
    // What is read after the keys or the values of row i, to be fetched meanwhile.
    const auto after = [&](int64_t i, const T* tiles, const T* then) {
      return i + 1 < rows_.count && own(i + 1) > 0 ? tile(i + 1, tiles, start + shared) : then;
    };
    const T* then = start + kKeyBlock < length(0) ? tile(0, keys_, start + kKeyBlock) : next_;
    if (shared > 0) score(0, rows_.count, start, shared, 0, after(-1, keys_, tile(0, values_, start)));
    for (int64_t i = 0; i < rows_.count; ++i) {
      if (own(i) > 0) score(i, 1, start + shared, own(i), shared, after(i, keys_, tile(i, values_, start)));
      for (int64_t q = i * group_; q < (i + 1) * group_ && shared + own(i) > 0; ++q) {
        blocks_[q] = block_exponentials(scores_ + q * score_row_, shared + own(i));
      }
    }
    if (shared > 0) add_values(0, rows_.count, start, shared, 0, after(-1, values_, then), sums);
    for (int64_t i = 0; i < rows_.count; ++i) {
      if (own(i) > 0) add_values(i, 1, start + shared, own(i), shared, after(i, values_, then), sums);
      for (int64_t q = i * group_; q < (i + 1) * group_ && shared + own(i) > 0; ++q) {
        if (start == 0) {
          states_[q] = blocks_[q];
        } else {
          merge_block(states_[q], sums_ + q * padded_, blocks_[q], block_sums_ + q * padded_, padded_);
        }
      }
    }
  }

  // The queries of rows [i, i + rows) and `count` keys from a position on; their scores begin at `column`.
  void score(int64_t i, int64_t rows, int64_t position, int64_t count, int64_t column, const T* after) const {
    const int64_t q = i * group_;
    const PagedColumns<T> keys{keys_, table(i, position), page_, padded_keys(count), after};
    small_product<true>(rows * group_, padded_keys(count), dim_, LeftSide{queries_ + q * dim_, dim_, 1}, keys,
                        scores_ + q * score_row_ + column, score_row_, false);
  }

  // Likewise their values, weighted.
  void add_values(int64_t i, int64_t rows, int64_t position, int64_t count, int64_t column, const T* after,
                  float* sums) const {
    const int64_t q = i * group_;
    const PagedRows<T> values{values_, table(i, position), page_, dim_, count, after};
    small_product<true>(rows * group_, padded_, count, LeftSide{scores_ + q * score_row_ + column, score_row_, 1}, values,
                        sums + q * padded_, padded_, column > 0);
  }

  const PagedDecodeAttention& a_;
  const Neighbours& rows_;
  int64_t kv_head_;
  int64_t dim_;
  int64_t group_;
  int64_t width_;
  int64_t padded_;
  int64_t page_;
  int64_t score_row_;
  T* keys_;
  T* values_;
  const T* next_;  // the keys that the next task reads first
  float* scores_ = nullptr;
  float* queries_ = nullptr;
  float* sums_ = nullptr;
  float* block_sums_ = nullptr;
  RowSums* states_ = nullptr;
  RowSums* blocks_ = nullptr;
};

template <class T>
void paged_decode_attention(const PagedDecodeAttention& a) {
  const int64_t row = a.heads * a.cache.head_dim;
  for (int64_t i = 0; i < a.rows; ++i) {
    if (a.positions[i] < 0) std::memset(static_cast<T*>(a.out) + i * row, 0, static_cast<size_t>(row) * sizeof(T));
  }
  const Neighbourhoods rows(a);
  const int64_t tasks = static_cast<int64_t>(rows.all().size()) * a.cache.kv_heads;
  if (tasks == 0) return;
  parallel_ranges(tasks, kTasksPerThread, [&](int64_t begin, int64_t end, int) {
    const auto task_at = [&](int64_t task) {
      const auto at = static_cast<size_t>(task / a.cache.kv_heads);
      return PagedTask<T>(a, rows.all()[at], task % a.cache.kv_heads, rows.longest(),
                          at + 1 < rows.all().size() ? &rows.all()[at + 1] : nullptr);
    };
    Scratch scratch(task_at(begin).scratch_floats());
    for (int64_t task = begin; task < end; ++task) task_at(task).run(scratch.data());
  });
}

template <class T>
void store_pages(const StorePages& a) {
  const PagedCache& cache = a.cache;
  const int64_t dim = cache.head_dim;
  const int64_t width = (a.heads + 2 * cache.kv_heads) * dim;
  parallel_ranges(a.rows, 16, [&](int64_t begin, int64_t end, int) {
    for (int64_t t = begin; t < end; ++t) {
      if (a.pages[t] < 0) continue;
      T* page = static_cast<T*>(cache.pool) + a.pages[t] * cache.page_stride();
      const T* row = static_cast<const T*>(a.qkv) + t * width + a.heads * dim;
      for (int64_t kv_head = 0; kv_head < cache.kv_heads; ++kv_head) {
        const T* key = row + kv_head * dim;
        T* keys = page + cache.keys_at(a.layer, kv_head) + a.slots[t];
        for (int64_t d = 0; d < dim; ++d) keys[d * kPageTokens] = key[d];
        std::memcpy(page + cache.values_at(a.layer, kv_head) + a.slots[t] * dim, key + cache.kv_heads * dim,
                    static_cast<size_t>(dim) * sizeof(T));
      }
    }
  });
}

}  // namespace

void register_paged_attention(Table& float32, Table& bfloat16) {
  float32.paged_decode_attention = paged_decode_attention<float>;
  float32.store_pages = store_pages<float>;
  bfloat16.paged_decode_attention = paged_decode_attention<Bfloat16>;
  bfloat16.store_pages = store_pages<Bfloat16>;
}

}  // namespace zero_rl::kernels::ZERO_RL_ISA
