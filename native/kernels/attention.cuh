// Attention of packed segments, key by key in float32: what runs where ATen's flash attention does not (float32, unusual head
// dimensions, the CPU). A token sees cached tokens, then those of its segment's prefix, then causally its own segment: in the
// order of positions, whichever of them they are in. One warp per query or key; nothing is added by several warps.
#pragma once

#include <cmath>

#include "kernels/group.cuh"
#include "kernels/pack.cuh"
#include "kernels/paged_cache.cuh"

namespace zero_rl::device {

constexpr int kMostHeadDim = 256;

// As kernels::Segment (kernels/kernels.h): those that share a prefix follow the segment that is this prefix.
struct PackedSegment {
  int32_t begin;
  int32_t length;
  int32_t prefix_begin;
  int32_t prefix_length;
  int32_t context_length;  // tokens in the cache, in its segment's row of the tables
};

struct PackedHeads {
  const PackedSegment* segments;  // in the order of their tokens, which are all there are
  int64_t segment_count;
  int64_t tokens;
  int heads;
  int kv_heads;
  int dim;
  float scale;  // of the scores

  ZERO_RL_HOST_DEVICE int64_t width() const { return static_cast<int64_t>(heads + 2 * kv_heads) * dim; }
  ZERO_RL_HOST_DEVICE int64_t query(int64_t token, int head) const { return token * width() + head * dim; }
  ZERO_RL_HOST_DEVICE int64_t key(int64_t token, int kv_head) const { return query(token, heads + kv_head); }
  ZERO_RL_HOST_DEVICE int64_t value(int64_t token, int kv_head) const { return key(token, kv_heads + kv_head); }
  ZERO_RL_HOST_DEVICE int64_t out(int64_t token, int head) const {
    return (token * heads + head) * static_cast<int64_t>(dim);
  }

  // The segment of a token: the last that begins at or before it and is not empty.
  ZERO_RL_HOST_DEVICE int64_t segment_of(int64_t token) const {
    int64_t low = 0;
    int64_t high = segment_count;
    while (high - low > 1) {
      const int64_t middle = (low + high) / 2;
      if (segments[middle].begin <= token) {
        low = middle;
      } else {
        high = middle;
      }
    }
    ZERO_RL_DEBUG_CHECK(token >= segments[low].begin && token < int64_t{segments[low].begin} + segments[low].length);
    return low;
  }

  // see(j) for the packed tokens that one of this segment sees.
  template <class See>
  ZERO_RL_HOST_DEVICE void for_each_seen(const PackedSegment& segment, int64_t token, const See& see) const {
    for (int64_t j = 0; j < segment.prefix_length; ++j) see(segment.prefix_begin + j);
    for (int64_t j = segment.begin; j <= token; ++j) see(j);
  }

  // see(i) for the packed tokens that see this one.
  template <class See>
  ZERO_RL_HOST_DEVICE void for_each_seeing(int64_t token, const See& see) const {
    int64_t s = segment_of(token);
    const int64_t end = int64_t{segments[s].begin} + segments[s].length;
    for (int64_t i = token; i < end; ++i) see(i);
    if (segments[s].prefix_length > 0) return;
    for (++s; s < segment_count && (segments[s].prefix_length > 0 || segments[s].length == 0); ++s) {
      const PackedSegment& segment = segments[s];
      if (token < segment.prefix_begin || token >= int64_t{segment.prefix_begin} + segment.prefix_length) continue;
      for (int64_t i = 0; i < segment.length; ++i) see(segment.begin + i);
    }
  }
};

// The elements of a head that one lane holds.
template <class Group>
struct LaneVector {
  static constexpr int kCount = kMostHeadDim / Group::kLanes;
  float values[kCount];

  ZERO_RL_HOST_DEVICE void clear() {
    for (int i = 0; i < kCount; ++i) values[i] = 0;
  }
  template <class T>
  ZERO_RL_HOST_DEVICE void read(const Group& group, const T* from, int dim) {
    for (int i = 0; i < kCount; ++i) {
      const int d = group.rank() + i * Group::kLanes;
      values[i] = d < dim ? widen(from[d]) : 0.0f;
    }
  }
  template <class T>
  ZERO_RL_HOST_DEVICE void write(const Group& group, float factor, T* to, int dim) const {
    for (int i = 0; i < kCount; ++i) {
      const int d = group.rank() + i * Group::kLanes;
      if (d < dim) to[d] = narrow<T>(values[i] * factor);
    }
  }
  // The product with a head in memory, for all lanes.
  template <class T>
  ZERO_RL_HOST_DEVICE float dot(const Group& group, const T* other, int dim) const {
    float sum = 0;
    for (int i = 0; i < kCount; ++i) {
      const int d = group.rank() + i * Group::kLanes;
      if (d < dim) sum += values[i] * widen(other[d]);
    }
    return group.sum(sum);
  }
  template <class T>
  ZERO_RL_HOST_DEVICE void add(const Group& group, float factor, const T* other, int dim) {
    for (int i = 0; i < kCount; ++i) {
      const int d = group.rank() + i * Group::kLanes;
      if (d < dim) values[i] += factor * widen(other[d]);
    }
  }
  ZERO_RL_HOST_DEVICE void multiply(float factor) {
    for (int i = 0; i < kCount; ++i) values[i] *= factor;
  }
};

// The softmax over keys that come one by one, and the sum of their values.
template <class Group>
struct RunningAttention {
  LaneVector<Group> query;
  LaneVector<Group> sum;
  float maximum;
  float total;

  template <class T>
  ZERO_RL_HOST_DEVICE void add(const Group& group, float scale, const T* key, const T* value, int dim) {
    const float score = scale * query.dot(group, key, dim);
    if (score > maximum) {
      const float factor = std::exp(maximum - score);
      sum.multiply(factor);
      total *= factor;
      maximum = score;
    }
    const float weight = std::exp(score - maximum);
    total += weight;
    sum.add(group, weight, value, dim);
  }
};

// One warp per token and query head: out and lse [heads, T].
template <class T>
struct AttentionBody {
  PackedHeads packed;
  const T* qkv;
  PagedCache<const T> cache;  // a row of the tables for each segment
  T* out;
  float* lse;

  template <class Group>
  ZERO_RL_HOST_DEVICE void operator()(const Group& group, int64_t index) const {
    const int64_t token = index / packed.heads;
    const int head = static_cast<int>(index % packed.heads);
    const int kv_head = head / (packed.heads / packed.kv_heads);
    const int64_t s = packed.segment_of(token);
    const PackedSegment segment = packed.segments[s];
    RunningAttention<Group> running;
    running.query.read(group, qkv + packed.query(token, head), packed.dim);
    running.sum.clear();
    running.maximum = -INFINITY;
    running.total = 0;
    for (int64_t position = 0; position < segment.context_length; ++position) {
      const int64_t place = cache.place(s, kv_head, position);
      running.add(group, packed.scale, cache.keys + place, cache.values + place, packed.dim);
    }
    packed.for_each_seen(segment, token, [&](int64_t j) {
      running.add(group, packed.scale, qkv + packed.key(j, kv_head), qkv + packed.value(j, kv_head), packed.dim);
    });
    running.sum.write(group, 1.0f / running.total, out + packed.out(token, head), packed.dim);
    if (group.rank() == 0) lse[head * packed.tokens + token] = running.maximum + std::log(running.total);
  }
};

template <class T>
struct AttentionGradient {
  PackedHeads packed;
  const T* dout;
  const T* qkv;
  const T* out;
  const float* lse;
  T* dqkv;
};

// One warp per token and query head: the gradient of the query.
template <class T>
struct AttentionQueryGradientBody {
  AttentionGradient<T> a;

  template <class Group>
  ZERO_RL_HOST_DEVICE void operator()(const Group& group, int64_t index) const {
    const PackedHeads& packed = a.packed;
    const int64_t token = index / packed.heads;
    const int head = static_cast<int>(index % packed.heads);
    const int kv_head = head / (packed.heads / packed.kv_heads);
    LaneVector<Group> query;
    LaneVector<Group> gradient;
    LaneVector<Group> sum;
    query.read(group, a.qkv + packed.query(token, head), packed.dim);
    gradient.read(group, a.dout + packed.out(token, head), packed.dim);
    sum.clear();
    const float delta = gradient.dot(group, a.out + packed.out(token, head), packed.dim);
    const float lse = a.lse[head * packed.tokens + token];
    packed.for_each_seen(packed.segments[packed.segment_of(token)], token, [&](int64_t j) {
      const T* key = a.qkv + packed.key(j, kv_head);
      const float weight = std::exp(packed.scale * query.dot(group, key, packed.dim) - lse);
      const float dweight = gradient.dot(group, a.qkv + packed.value(j, kv_head), packed.dim);
      sum.add(group, packed.scale * weight * (dweight - delta), key, packed.dim);
    });
    sum.write(group, 1, a.dqkv + packed.query(token, head), packed.dim);
  }
};

// One warp per token and key head: the gradients of key and value.
template <class T>
struct AttentionKeyGradientBody {
  AttentionGradient<T> a;

  template <class Group>
  ZERO_RL_HOST_DEVICE void operator()(const Group& group, int64_t index) const {
    const PackedHeads& packed = a.packed;
    const int64_t token = index / packed.kv_heads;
    const int kv_head = static_cast<int>(index % packed.kv_heads);
    const int siblings = packed.heads / packed.kv_heads;
    LaneVector<Group> key;
    LaneVector<Group> value;
    LaneVector<Group> dkey;
    LaneVector<Group> dvalue;
    key.read(group, a.qkv + packed.key(token, kv_head), packed.dim);
    value.read(group, a.qkv + packed.value(token, kv_head), packed.dim);
    dkey.clear();
    dvalue.clear();
    packed.for_each_seeing(token, [&](int64_t i) {
      for (int head = kv_head * siblings; head < (kv_head + 1) * siblings; ++head) {
        const T* query = a.qkv + packed.query(i, head);
        const T* gradient = a.dout + packed.out(i, head);
        LaneVector<Group> out;
        out.read(group, a.out + packed.out(i, head), packed.dim);
        const float delta = out.dot(group, gradient, packed.dim);
        const float score = packed.scale * key.dot(group, query, packed.dim);
        const float weight = std::exp(score - a.lse[head * packed.tokens + i]);
        const float dweight = value.dot(group, gradient, packed.dim);
        dkey.add(group, packed.scale * weight * (dweight - delta), query, packed.dim);
        dvalue.add(group, weight, gradient, packed.dim);
      }
    });
    dkey.write(group, 1, a.dqkv + packed.key(token, kv_head), packed.dim);
    dvalue.write(group, 1, a.dqkv + packed.value(token, kv_head), packed.dim);
  }
};

// One warp per query and head of a part [Q, heads, dim], what tokens `rows` see besides what is in out and lse already.
template <class T>
struct MergeAttentionBody {
  const T* part;
  const float* part_lse;  // [heads, Q]
  const int32_t* rows;    // [Q], each once
  T* out;                 // [T, heads, dim]
  float* lse;             // [heads, T]
  int64_t queries;
  int64_t tokens;
  int heads;
  int dim;

  template <class Group>
  ZERO_RL_HOST_DEVICE void operator()(const Group& group, int64_t index) const {
    const int64_t query = index / heads;
    const int head = static_cast<int>(index % heads);
    const int64_t row = rows[query];
    ZERO_RL_DEBUG_CHECK(row >= 0 && row < tokens);
    float* sum_at = lse + head * tokens + row;
    const float own = *sum_at;
    const float other = part_lse[head * queries + query];
    const float maximum = own > other ? own : other;
    const float sum = maximum + std::log(std::exp(own - maximum) + std::exp(other - maximum));
    const float own_weight = std::exp(own - sum);
    const float other_weight = std::exp(other - sum);
    T* to = out + (row * heads + head) * dim;
    const T* from = part + index * dim;
    for (int d = group.rank(); d < dim; d += group.size()) {
      to[d] = narrow<T>(own_weight * widen(to[d]) + other_weight * widen(from[d]));
    }
    group.sync_warp();  // all have read it
    if (group.rank() == 0) *sum_at = sum;
  }
};

// One thread per V elements of a cached token's head: rows of keys and values [K, kv_heads, dim].
template <class T, int V>
struct GatherContextBody {
  PagedCache<const T> cache;
  const int32_t* places;  // [K, 2]: row of the tables, position
  T* keys;
  T* values;

  ZERO_RL_HOST_DEVICE void operator()(int64_t index) const {
    const int64_t element = index * V;
    const int64_t head = element / cache.dim;
    const int64_t token = head / cache.kv_heads;
    const int64_t from = cache.place(places[2 * token], static_cast<int>(head % cache.kv_heads), places[2 * token + 1]) +
                         element % cache.dim;
    store(keys + element, load<V>(cache.keys + from));
    store(values + element, load<V>(cache.values + from));
  }
};

}  // namespace zero_rl::device
