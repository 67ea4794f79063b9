// Causal attention of packed sequences, key by key in float32: what runs where ATen's flash attention does not (float32,
// unusual head dimensions, the CPU). One warp per query or key; nothing is added by several warps.
#pragma once

#include <cmath>

#include "kernels/group.cuh"
#include "kernels/pack.cuh"

namespace zero_rl::device {

constexpr int kMostHeadDim = 256;

struct PackedHeads {
  const int32_t* offsets;  // [sequences + 1]
  int64_t sequences;
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

  // The sequence of a token: the last that begins at or before it and is not empty.
  ZERO_RL_HOST_DEVICE int64_t sequence_of(int64_t token) const {
    int64_t low = 0;
    int64_t high = sequences;
    while (high - low > 1) {
      const int64_t middle = (low + high) / 2;
      if (offsets[middle] <= token) {
        low = middle;
      } else {
        high = middle;
      }
    }
    return low;
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

// One warp per token and query head: out and lse [heads, T].
template <class T>
struct AttentionBody {
  PackedHeads packed;
  const T* qkv;
  T* out;
  float* lse;

  template <class Group>
  ZERO_RL_HOST_DEVICE void operator()(const Group& group, int64_t index) const {
    const int64_t token = index / packed.heads;
    const int head = static_cast<int>(index % packed.heads);
    const int kv_head = head / (packed.heads / packed.kv_heads);
    LaneVector<Group> query;
    LaneVector<Group> sum;
    query.read(group, qkv + packed.query(token, head), packed.dim);
    sum.clear();
    float maximum = -INFINITY;
    float total = 0;
    for (int64_t j = packed.offsets[packed.sequence_of(token)]; j <= token; ++j) {
      const float score = packed.scale * query.dot(group, qkv + packed.key(j, kv_head), packed.dim);
      if (score > maximum) {
        const float factor = std::exp(maximum - score);
        sum.multiply(factor);
        total *= factor;
        maximum = score;
      }
      const float weight = std::exp(score - maximum);
      total += weight;
      sum.add(group, weight, qkv + packed.value(j, kv_head), packed.dim);
    }
    sum.write(group, 1.0f / total, out + packed.out(token, head), packed.dim);
    if (group.rank() == 0) lse[head * packed.tokens + token] = maximum + std::log(total);
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
    for (int64_t j = packed.offsets[packed.sequence_of(token)]; j <= token; ++j) {
      const T* key = a.qkv + packed.key(j, kv_head);
      const float weight = std::exp(packed.scale * query.dot(group, key, packed.dim) - lse);
      const float dweight = gradient.dot(group, a.qkv + packed.value(j, kv_head), packed.dim);
      sum.add(group, packed.scale * weight * (dweight - delta), key, packed.dim);
    }
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
    const int64_t end = packed.offsets[packed.sequence_of(token) + 1];
    for (int64_t i = token; i < end; ++i) {
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
    }
    dkey.write(group, 1, a.dqkv + packed.key(token, kv_head), packed.dim);
    dvalue.write(group, 1, a.dqkv + packed.value(token, kv_head), packed.dim);
  }
};

}  // namespace zero_rl::device
