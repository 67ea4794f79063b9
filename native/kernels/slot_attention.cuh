// Attention of one new token per sequence over a shared prefix and its own suffix. Keys are split at fixed multiples of
// kSplit; a block attends with all query heads of one key head over one split, so that keys and values are read once for
// them, and a second kernel merges the splits in order.
//
// A block's keys are four tiles of 64, one for each warp. A warp brings its keys through shared memory in runs of kChunk
// elements, so that reads are whole lines and every lane then multiplies its own two keys with the queries, which it reads
// by broadcast; for the values every lane owns elements of the head and walks over the keys.
#pragma once

#include <cmath>

#include "kernels/decode_attention.cuh"

namespace zero_rl::device {

// Keys and values of sequences: [sequences, kv_heads, capacity, dim].
template <class T>
struct CachePart {
  const T* keys;
  const T* values;
  const int32_t* places;   // [B]: which sequence; negative: none
  const int32_t* lengths;  // [B]
  int64_t count;           // sequences
  int64_t capacity;

  ZERO_RL_HOST_DEVICE int64_t splits() const { return (capacity + kSplit - 1) / kSplit; }
  ZERO_RL_HOST_DEVICE int length(int64_t row) const {
    if (count == 0 || places[row] < 0) return 0;
    ZERO_RL_DEBUG_CHECK(places[row] < count && lengths[row] >= 0 && lengths[row] <= capacity);
    return lengths[row];
  }
};

template <class T>
struct SlotOperands {
  const T* qkv;
  CachePart<T> prefix;
  CachePart<T> suffix;
  float* partials;  // [B, heads, splits, dim + 2]: Σ weight·value, the maximum score, Σ weight
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
  ZERO_RL_HOST_DEVICE int64_t splits() const { return prefix.splits() + suffix.splits(); }
  ZERO_RL_HOST_DEVICE float* partial(int64_t row, int head, int64_t split) const {
    return partials + ((row * heads + head) * splits() + split) * (dim + 2);
  }
  // Keys of the row in a split; those of the prefix come first.
  ZERO_RL_HOST_DEVICE int keys_in(int64_t row, int64_t split) const {
    if (suffix.places[row] < 0) return 0;
    const bool in_prefix = split < prefix.splits();
    const int64_t first = (in_prefix ? split : split - prefix.splits()) * kSplit;
    const int64_t left = (in_prefix ? prefix : suffix).length(row) - first;
    return static_cast<int>(left < 0 ? 0 : left > kSplit ? kSplit : left);
  }
};

// One block per (split, key head with a run of kHeads query heads, row); the rows come fastest, so that neighbours which
// share a prefix read it from the cache of the device. kDims is dim, rounded up to 64, 128 or 256.
template <class T, int kHeads, int kDims>
struct SlotSplitBody {
  static constexpr int kMaxThreads = kDecodeThreads;
  using Shared = DecodeShared<T, kHeads, kDims>;

  SlotOperands<T> a;

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
    const bool in_prefix = split < a.prefix.splits();
    const CachePart<T>& part = in_prefix ? a.prefix : a.suffix;
    const int64_t first_key = (in_prefix ? split : split - a.prefix.splits()) * kSplit;
    const int64_t start =
        ((static_cast<int64_t>(part.places[row]) * a.kv_heads + kv_head) * part.capacity + first_key) * a.dim;

    read_queries(group, row, first_head, heads);
    group.sync();
    for (int tile = group.warp(); tile < kTiles; tile += group.warps()) {
      const int keys = count - tile * kTileKeys;
      attend(group, tile, keys < kTileKeys ? keys : kTileKeys, part.keys + start, part.values + start);
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
  ZERO_RL_HOST_DEVICE void attend(const Group& group, int tile, int keys, const T* split_keys,
                                  const T* split_values) const {
    if (keys <= 0) return;
    constexpr int kOwned = kTileKeys / Group::kLanes;
    float scores[kHeads][kOwned] = {};
    const int64_t start = static_cast<int64_t>(tile) * kTileKeys * a.dim;
    for (int chunk = 0; chunk < kDims; chunk += kChunk) {
      if (chunk >= a.dim) break;
      stage(group, tile, keys, chunk, split_keys + start);
      group.sync_warp();
      multiply(group, tile, chunk, scores);
      group.sync_warp();
    }
    exponentiate(group, tile, keys, scores);
    group.sync_warp();
    add_values(group, tile, keys, split_values + start);
  }

  // Copies elements [chunk, chunk + kChunk) of the tile's keys to shared memory; what lies beyond is 0.
  template <class Group>
  ZERO_RL_HOST_DEVICE void stage(const Group& group, int tile, int keys, int chunk, const T* from) const {
    constexpr int kPacks = kChunk / kPack<T>;
    T* staged = reinterpret_cast<T*>(result_of(group, tile));
#ifdef __CUDA_ARCH__
#pragma unroll 8
#endif
    for (int i = group.lane(); i < kTileKeys * kPacks; i += Group::kLanes) {
      const int key = i / kPacks;
      const int d = chunk + i % kPacks * kPack<T>;
      Pack<T, kPack<T>> pack{};
      if (key < keys && d < a.dim) pack = a.template read<kPack<T>>(from + static_cast<int64_t>(key) * a.dim, d);
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
  ZERO_RL_HOST_DEVICE void add_values(const Group& group, int tile, int keys, const T* values) const {
    constexpr int kLaneDims = kDims / Group::kLanes;
    constexpr int kOnce = kLaneDims < 8 ? kLaneDims : kPack<T> < 8 ? kPack<T> : 8;  // elements that are read at once
    constexpr int kParts = kLaneDims / kOnce;
    const float* weights = weights_of(group, tile);
    float sums[kHeads][kLaneDims] = {};
    for (int part = 0; part < kParts; ++part) {
      const int d = (part * Group::kLanes + group.lane()) * kOnce;
      if (d >= a.dim) break;
#ifdef __CUDA_ARCH__
#pragma unroll 2
#endif
      for (int first = 0; first < keys; first += 4) {
        Pack<T, kOnce> value[4];
        for (int k = 0; k < 4; ++k) {
          value[k] = {};
          if (first + k < keys) value[k] = a.template read<kOnce>(values + static_cast<int64_t>(first + k) * a.dim, d);
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
struct SlotMergeBody {
  SlotOperands<T> a;

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
      out[d] = narrow<T>(total > 0 ? value / total : 0.0f);
    }
  }
};

}  // namespace zero_rl::device
