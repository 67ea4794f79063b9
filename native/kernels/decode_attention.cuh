// Attention of one new token per sequence over the pages of its cache. Keys are split at fixed multiples of kSplit; a block
// attends with all query heads of one key head over one split, so that keys and values are read once for them, and a second
// kernel merges the splits in order.
//
// A block's keys are four tiles of two pages, one for each warp. A warp brings its keys through shared memory in runs of
// kChunk elements, so that reads are whole lines and every lane then multiplies its own two keys with the queries, which it
// reads by broadcast; for the values every lane owns elements of the head and walks over the keys.
#pragma once

#include <cmath>

#include "kernels/group.cuh"
#include "kernels/pack.cuh"
#include "kernels/paged_cache.cuh"

namespace zero_rl::device {

constexpr int kSplit = 256;
constexpr int kTilePages = 2;
constexpr int kTileKeys = kTilePages * kPageTokens;
constexpr int kTiles = kSplit / kTileKeys;
constexpr int kDecodeThreads = kTiles * kWarpLanes;
constexpr int kChunk = 64;  // elements of a head that are staged at once

template <class T>
struct DecodeOperands {
  const T* qkv;
  PagedCache<const T> cache;  // a row of the tables for each row
  const int32_t* positions;   // [B] of the row's token, the last one it attends to; negative: there is none
  float* partials;            // [B, heads, splits, dim + 2]: Σ weight·value, the maximum score, Σ weight
  T* out;
  int64_t rows;
  int heads;
  int kv_heads;
  int dim;
  float scale;
  bool aligned;  // dim is a multiple of kPack<T>, and so are all addresses

  // N elements at d of a head.
  template <int N>
  ZERO_RL_HOST_DEVICE Pack<T, N> read(const T* head, int d) const {
    if (aligned) return load<N>(head + d);
    Pack<T, N> pack{};
    for (int v = 0; v < N && d + v < dim; ++v) pack[v] = head[d + v];
    return pack;
  }

  ZERO_RL_HOST_DEVICE int siblings() const { return heads / kv_heads; }
  ZERO_RL_HOST_DEVICE int64_t splits() const { return (cache.tokens() + kSplit - 1) / kSplit; }
  ZERO_RL_HOST_DEVICE float* partial(int64_t row, int head, int64_t split) const {
    return partials + ((row * heads + head) * splits() + split) * (dim + 2);
  }
  // Keys of the row in a split.
  ZERO_RL_HOST_DEVICE int keys_in(int64_t row, int64_t split) const {
    ZERO_RL_DEBUG_CHECK(positions[row] < cache.tokens());
    const int64_t left = positions[row] + int64_t{1} - split * kSplit;
    return static_cast<int>(left < 0 ? 0 : left > kSplit ? kSplit : left);
  }
};

// Bytes of shared memory: queries, weights and a tile of staged keys for each warp, then maxima and sums.
template <class T, int kHeads, int kDims>
struct DecodeShared {
  static constexpr int kStride = kChunk + 16 / static_cast<int>(sizeof(T));  // of staged keys: no bank conflicts
  static constexpr int kQueries = kHeads * kDims * 4;
  static constexpr int kWeights = kHeads * kTileKeys * 4;
  static constexpr int kStaged = kTileKeys * kStride * static_cast<int>(sizeof(T));
  static constexpr int kResult = kHeads * kDims * 4;
  static constexpr int kTile = kWeights + (kStaged > kResult ? kStaged : kResult);
  static constexpr int kStatistics = 2 * kTiles * kHeads * 4;
  static constexpr int kBytes = kQueries + kTiles * kTile + kStatistics;
};

// A head's tokens in the two pages of a tile.
template <class T>
struct TilePages {
  const T* first;
  const T* second;

  ZERO_RL_HOST_DEVICE const T* at(int key, int dim) const {
    return key < kPageTokens ? first + key * dim : second + (key - kPageTokens) * dim;
  }
};

// One block per (split, key head with a run of kHeads query heads, row); the rows come fastest, so that neighbours which
// share pages read them from the cache of the device. kDims is dim, rounded up to 64, 128 or 256.
template <class T, int kHeads, int kDims>
struct DecodeSplitBody {
  static constexpr int kMaxThreads = kDecodeThreads;
  using Shared = DecodeShared<T, kHeads, kDims>;

  DecodeOperands<T> a;

  ZERO_RL_HOST_DEVICE int runs() const { return (a.siblings() + kHeads - 1) / kHeads; }
  ZERO_RL_HOST_DEVICE int64_t blocks() const { return a.rows * a.kv_heads * runs() * a.splits(); }

  template <class Group>
  ZERO_RL_HOST_DEVICE void operator()(const Group& group, int64_t index) const {
    const int64_t row = index % a.rows;
    const int run = static_cast<int>(index / a.rows % runs());
    const int kv_head = static_cast<int>(index / a.rows / runs() % a.kv_heads);
    const int64_t split = index / a.rows / runs() / a.kv_heads;
    const int count = a.keys_in(row, split);
    if (count == 0) return;
    const int first_head = kv_head * a.siblings() + run * kHeads;
    const int left = a.siblings() - run * kHeads;
    const int heads = left < kHeads ? left : kHeads;
    read_queries(group, row, first_head, heads);
    group.sync();
    for (int tile = group.warp(); tile < kTiles; tile += group.warps()) {
      const int keys = count - tile * kTileKeys;
      if (keys <= 0) break;
      const int64_t m = split * (kSplit / kPageTokens) + tile * kTilePages;
      const int64_t first = a.cache.page(row, m, kv_head);
      // Entries behind the row's length may be anything.
      const int64_t second = keys > kPageTokens ? a.cache.page(row, m + 1, kv_head) : first;
      attend(group, tile, keys < kTileKeys ? keys : kTileKeys, {a.cache.keys + first, a.cache.keys + second},
             {a.cache.values + first, a.cache.values + second});
    }
    group.sync();
    write_partial(group, row, first_head, heads, split, (count + kTileKeys - 1) / kTileKeys);
  }

 private:
  template <class Group>
  ZERO_RL_HOST_DEVICE float* statistics(const Group& group) const {  // [kTiles, kHeads, 2]
    return group.template shared<float>(Shared::kQueries + kTiles * Shared::kTile);
  }
  template <class Group>
  ZERO_RL_HOST_DEVICE float* weights_of(const Group& group, int tile) const {  // [kHeads, kTileKeys]
    return group.template shared<float>(Shared::kQueries + tile * Shared::kTile);
  }
  template <class Group>
  ZERO_RL_HOST_DEVICE float* result_of(const Group& group, int tile) const {  // [kHeads, kDims], over the staged keys
    return group.template shared<float>(Shared::kQueries + tile * Shared::kTile + Shared::kWeights);
  }

  template <class Group>
  ZERO_RL_HOST_DEVICE void read_queries(const Group& group, int64_t row, int first_head, int heads) const {
    float* queries = group.template shared<float>();
    const T* from = a.qkv + (row * (a.heads + 2 * a.kv_heads) + first_head) * a.dim;
    for (int i = group.rank(); i < kHeads * kDims; i += group.size()) {
      const int d = i % kDims;
      const bool there = i / kDims < heads && d < a.dim;
      queries[i] = there ? widen(from[i / kDims * a.dim + d]) * a.scale : 0.0f;
    }
  }

  // A warp's tile: `keys` of at most kTileKeys, which begin at key 64·tile of the split.
  template <class Group>
  ZERO_RL_HOST_DEVICE void attend(const Group& group, int tile, int keys, const TilePages<T>& tile_keys,
                                  const TilePages<T>& tile_values) const {
    constexpr int kOwned = kTileKeys / Group::kLanes;
    float scores[kHeads][kOwned] = {};
    for (int chunk = 0; chunk < kDims; chunk += kChunk) {
      if (chunk >= a.dim) break;
      stage(group, tile, keys, chunk, tile_keys);
      group.sync_warp();
      multiply(group, tile, chunk, scores);
      group.sync_warp();
    }
    exponentiate(group, tile, keys, scores);
    group.sync_warp();
    add_values(group, tile, keys, tile_values);
  }

  // Copies elements [chunk, chunk + kChunk) of the tile's keys to shared memory; what lies beyond is 0.
  template <class Group>
  ZERO_RL_HOST_DEVICE void stage(const Group& group, int tile, int keys, int chunk,
                                 const TilePages<T>& from) const {
    constexpr int kPacks = kChunk / kPack<T>;
    T* staged = reinterpret_cast<T*>(result_of(group, tile));
#ifdef __CUDA_ARCH__
#pragma unroll 8
#endif
    for (int i = group.lane(); i < kTileKeys * kPacks; i += Group::kLanes) {
      const int key = i / kPacks;
      const int d = chunk + i % kPacks * kPack<T>;
      Pack<T, kPack<T>> pack{};
      if (key < keys && d < a.dim) pack = a.template read<kPack<T>>(from.at(key, a.dim), d);
      store(staged + key * Shared::kStride + i % kPacks * kPack<T>, pack);
    }
  }

  template <class Group, int kOwned>
  ZERO_RL_HOST_DEVICE void multiply(const Group& group, int tile, int chunk, float (&scores)[kHeads][kOwned]) const {
    const T* staged = reinterpret_cast<const T*>(result_of(group, tile));
    const float* queries = group.template shared<float>() + chunk;
#ifdef __CUDA_ARCH__
#pragma unroll 2
#endif
    for (int d = 0; d < kChunk; d += kPack<T>) {
      Pack<T, kPack<T>> key[kOwned];
      for (int k = 0; k < kOwned; ++k) {
        key[k] = load<kPack<T>>(staged + (group.lane() + k * Group::kLanes) * Shared::kStride + d);
      }
      for (int head = 0; head < kHeads; ++head) {
        for (int first = 0; first < kPack<T>; first += 4) {
          const auto query = load<4>(queries + head * kDims + d + first);
          for (int k = 0; k < kOwned; ++k) {
            for (int v = 0; v < 4; ++v) scores[head][k] += query[v] * widen(key[k][first + v]);
          }
        }
      }
    }
  }

  // Scores become weights relative to the tile's maximum, in shared memory, with their sums.
  template <class Group, int kOwned>
  ZERO_RL_HOST_DEVICE void exponentiate(const Group& group, int tile, int keys, float (&scores)[kHeads][kOwned]) const {
    float* weights = weights_of(group, tile);
    float* results = statistics(group) + tile * kHeads * 2;
    for (int head = 0; head < kHeads; ++head) {
      float maximum = -INFINITY;
      for (int k = 0; k < kOwned; ++k) {
        if (group.lane() + k * Group::kLanes < keys) maximum = scores[head][k] > maximum ? scores[head][k] : maximum;
      }
      maximum = group.warp_maximum(maximum);
      float sum = 0;
      for (int k = 0; k < kOwned; ++k) {
        const int key = group.lane() + k * Group::kLanes;
        const float weight = key < keys ? std::exp(scores[head][k] - maximum) : 0.0f;
        weights[head * kTileKeys + key] = weight;
        sum += weight;
      }
      sum = group.warp_sum(sum);
      if (group.lane() == 0) {
        results[head * 2] = maximum;
        results[head * 2 + 1] = sum;
      }
    }
  }

  // Σ weight·value, each lane for its elements of the head.
  template <class Group>
  ZERO_RL_HOST_DEVICE void add_values(const Group& group, int tile, int keys, const TilePages<T>& from) const {
    constexpr int kLaneDims = kDims / Group::kLanes;
    constexpr int kOnce = kLaneDims < 8 ? kLaneDims : kPack<T> < 8 ? kPack<T> : 8;  // elements that are read at once
    constexpr int kParts = kLaneDims / kOnce;
    const float* weights = weights_of(group, tile);
    float sums[kHeads][kLaneDims] = {};
#ifdef __CUDA_ARCH__
#pragma unroll
#endif
    for (int part = 0; part < kParts; ++part) {
      const int d = (part * Group::kLanes + group.lane()) * kOnce;
      if (d >= a.dim) continue;
#ifdef __CUDA_ARCH__
#pragma unroll 2
#endif
      for (int first = 0; first < keys; first += 4) {
        const T* values = from.at(first, a.dim);  // runs of 4 lie in one page
        Pack<T, kOnce> value[4];
        for (int k = 0; k < 4; ++k) {
          value[k] = {};
          if (first + k < keys) value[k] = a.template read<kOnce>(values + k * a.dim, d);
        }
        for (int head = 0; head < kHeads; ++head) {
          const auto weight = load<4>(weights + head * kTileKeys + first);  // 0 beyond the keys
          for (int k = 0; k < 4; ++k) {
            for (int v = 0; v < kOnce; ++v) sums[head][part * kOnce + v] += weight[k] * widen(value[k][v]);
          }
        }
      }
    }
    float* result = result_of(group, tile);
    for (int head = 0; head < kHeads; ++head) {
      for (int part = 0; part < kParts; ++part) {
        const int d = (part * Group::kLanes + group.lane()) * kOnce;
        for (int v = 0; v < kOnce; ++v) result[head * kDims + d + v] = sums[head][part * kOnce + v];
      }
    }
  }

  template <class Group>
  ZERO_RL_HOST_DEVICE void write_partial(const Group& group, int64_t row, int first_head, int heads, int64_t split,
                                         int tiles) const {
    const float* results = statistics(group);
    for (int i = group.rank(); i < heads * kDims; i += group.size()) {
      const int head = i / kDims;
      const int d = i % kDims;
      if (d >= a.dim) continue;
      float maximum = -INFINITY;
      for (int tile = 0; tile < tiles; ++tile) {
        const float own = results[(tile * kHeads + head) * 2];
        maximum = own > maximum ? own : maximum;
      }
      float value = 0;
      float total = 0;
      for (int tile = 0; tile < tiles; ++tile) {
        const float factor = std::exp(results[(tile * kHeads + head) * 2] - maximum);
        value += factor * result_of(group, tile)[i];
        total += factor * results[(tile * kHeads + head) * 2 + 1];
      }
      float* partial = a.partial(row, first_head + head, split);
      partial[d] = value;
      if (d == 0) {
        partial[a.dim] = maximum;
        partial[a.dim + 1] = total;
      }
    }
  }
};

// One warp per row and query head: merges the splits in order.
template <class T>
struct DecodeMergeBody {
  DecodeOperands<T> a;

  template <class Group>
  ZERO_RL_HOST_DEVICE void operator()(const Group& group, int64_t index) const {
    const int64_t row = index / a.heads;
    const int head = static_cast<int>(index % a.heads);
    float maximum = -INFINITY;
    for (int64_t split = 0; split < a.splits(); ++split) {
      if (a.keys_in(row, split) == 0) continue;
      const float own = a.partial(row, head, split)[a.dim];
      maximum = own > maximum ? own : maximum;
    }
    float total = 0;
    for (int64_t split = 0; split < a.splits(); ++split) {
      if (a.keys_in(row, split) == 0) continue;
      const float* partial = a.partial(row, head, split);
      total += std::exp(partial[a.dim] - maximum) * partial[a.dim + 1];
    }
    T* out = a.out + index * a.dim;
    for (int d = group.rank(); d < a.dim; d += group.size()) {
      float value = 0;
      for (int64_t split = 0; split < a.splits(); ++split) {
        if (a.keys_in(row, split) == 0) continue;
        const float* partial = a.partial(row, head, split);
        value += std::exp(partial[a.dim] - maximum) * partial[d];
      }
      out[d] = narrow<T>(a.positions[row] < 0 ? 0.0f : value / total);
    }
  }
};

}  // namespace zero_rl::device
