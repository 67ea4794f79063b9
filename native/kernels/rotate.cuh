// Query and key norm, rotary embedding (Su et al., arXiv 2104.09864, halves as pairs) and the append to the cache.
#pragma once

#include <cmath>

#include "kernels/group.cuh"
#include "kernels/pack.cuh"
#include "kernels/paged_cache.cuh"

namespace zero_rl::device {

constexpr int kMostHalf = 128;  // of a head: its dimension is at most 256

// What both directions read. A row of qkv has the query heads, then the key heads, then the values.
struct Rotation {
  const int32_t* positions;  // [T]
  const float* cosines;      // [positions, half]
  const float* sines;
  int64_t longest;  // positions of the tables
  bool rotated;     // else heads are normed alone
  int heads;
  int kv_heads;
  int half;

  ZERO_RL_HOST_DEVICE int dim() const { return 2 * half; }
  ZERO_RL_HOST_DEVICE int rotated_heads() const { return heads + kv_heads; }
  ZERO_RL_HOST_DEVICE int all_heads() const { return heads + 2 * kv_heads; }
  ZERO_RL_HOST_DEVICE int64_t table_row(int64_t token) const {
    ZERO_RL_DEBUG_CHECK(positions[token] >= 0 && positions[token] < longest);
    return static_cast<int64_t>(positions[token]) * half;
  }
};

// Where RotateBody puts a token's key and value.
template <class T>
struct PagedStore {
  PagedCache<T> cache;
  const int32_t* rows;       // [T] of the tables, or null: the token's own number
  const int32_t* positions;  // [T]

  ZERO_RL_HOST_DEVICE bool given() const { return cache.keys != nullptr; }
  ZERO_RL_HOST_DEVICE T* place(int64_t token, int kv_head, bool is_key) const {
    const int64_t row = rows == nullptr ? token : rows[token];
    return (is_key ? cache.keys : cache.values) + cache.place(row, kv_head, positions[token]);
  }
};

// One warp per token and head; a token at a negative position is left alone. V elements of each half at once.
template <class T, int V>
struct RotateBody {
  Rotation rotation;
  T* qkv;
  const T* q_norm;  // [dim], or both null
  const T* k_norm;
  T* raw_qk;  // [T, heads + kv_heads, dim], or null like the next two
  float* q_rstd;
  float* k_rstd;
  PagedStore<T> target;
  float eps;

  template <class Group>
  ZERO_RL_HOST_DEVICE void operator()(const Group& group, int64_t index) const {
    const int64_t token = index / rotation.all_heads();
    const int head = static_cast<int>(index % rotation.all_heads());
    if (rotation.positions[token] < 0) return;
    T* at = qkv + index * rotation.dim();
    if (head < rotation.rotated_heads()) {
      if (q_norm != nullptr) normalise(group, token, head, at);
      if (rotation.rotated) rotate(group, token, at);
    }
    if (head < rotation.heads || !target.given()) return;
    const bool is_key = head < rotation.rotated_heads();
    T* to = target.place(token, head - (is_key ? rotation.heads : rotation.rotated_heads()), is_key);
    for (int i = group.rank() * V; i < rotation.half; i += group.size() * V) {
      store(to + i, load<V>(at + i));
      store(to + rotation.half + i, load<V>(at + rotation.half + i));
    }
  }

 private:
  template <class Group>
  ZERO_RL_HOST_DEVICE void normalise(const Group& group, int64_t token, int head, T* at) const {
    const bool is_query = head < rotation.heads;
    const int half = rotation.half;
    float squares = 0;
    for (int i = group.rank() * V; i < half; i += group.size() * V) {
      const auto low = load<V>(at + i);
      const auto high = load<V>(at + half + i);
      if (raw_qk != nullptr) {
        T* raw = raw_qk + (token * rotation.rotated_heads() + head) * rotation.dim() + i;
        store(raw, low);
        store(raw + half, high);
      }
      for (int v = 0; v < V; ++v) squares += widen(low[v]) * widen(low[v]) + widen(high[v]) * widen(high[v]);
    }
    const float scale = 1.0f / std::sqrt(group.sum(squares) / static_cast<float>(rotation.dim()) + eps);
    if (q_rstd != nullptr && group.rank() == 0) {
      if (is_query) {
        q_rstd[token * rotation.heads + head] = scale;
      } else {
        k_rstd[token * rotation.kv_heads + head - rotation.heads] = scale;
      }
    }
    const T* weight = is_query ? q_norm : k_norm;
    for (int i = group.rank() * V; i < half; i += group.size() * V) {
      for (int offset = i; offset <= half + i; offset += half) {
        auto part = load<V>(at + offset);
        for (int v = 0; v < V; ++v) part[v] = narrow<T>(widen(part[v]) * scale * widen(weight[offset + v]));
        store(at + offset, part);
      }
    }
  }

  template <class Group>
  ZERO_RL_HOST_DEVICE void rotate(const Group& group, int64_t token, T* at) const {
    const int64_t row = rotation.table_row(token);
    const int half = rotation.half;
    for (int i = group.rank() * V; i < half; i += group.size() * V) {
      auto low = load<V>(at + i);
      auto high = load<V>(at + half + i);
      for (int v = 0; v < V; ++v) {
        const float x = widen(low[v]);
        const float y = widen(high[v]);
        const float cosine = rotation.cosines[row + i + v];
        const float sine = rotation.sines[row + i + v];
        low[v] = narrow<T>(x * cosine - y * sine);
        high[v] = narrow<T>(y * cosine + x * sine);
      }
      store(at + i, low);
      store(at + half + i, high);
    }
  }
};

// One warp per part of consecutive tokens and kind of head, queries first; it leaves its gradient of the norm's weight in
// dnorms [2, parts, dim].
template <class T>
struct RotateBackwardBody {
  Rotation rotation;
  T* dqkv;
  const T* q_norm;  // or null with the rest
  const T* k_norm;
  const T* raw_qk;
  const float* q_rstd;
  const float* k_rstd;
  float* dnorms;
  int64_t tokens;
  int64_t parts;

  template <class Group>
  ZERO_RL_HOST_DEVICE void operator()(const Group& group, int64_t index) const {
    constexpr int kPairs = kMostHalf / Group::kLanes;
    const bool is_query = index < parts;
    const int64_t part = is_query ? index : index - parts;
    const int first = is_query ? 0 : rotation.heads;
    const int count = is_query ? rotation.heads : rotation.kv_heads;
    float sums[2][kPairs] = {};
    for (int64_t token = tokens * part / parts; token < tokens * (part + 1) / parts; ++token) {
      for (int head = first; head < first + count; ++head) {
        do_head(group, token, head, is_query, sums);
      }
    }
    if (q_norm == nullptr) return;
    for (int pair = 0; pair < kPairs; ++pair) {
      const int i = group.rank() + pair * Group::kLanes;
      if (i >= rotation.half) break;
      dnorms[index * rotation.dim() + i] = sums[0][pair];
      dnorms[index * rotation.dim() + rotation.half + i] = sums[1][pair];
    }
  }

 private:
  template <class Group, int kPairs>
  ZERO_RL_HOST_DEVICE void do_head(const Group& group, int64_t token, int head, bool is_query,
                                   float (&sums)[2][kPairs]) const {
    const int half = rotation.half;
    const int64_t row = rotation.rotated ? rotation.table_row(token) : 0;
    T* at = dqkv + (token * rotation.all_heads() + head) * rotation.dim();
    const T* raw = raw_qk + (token * rotation.rotated_heads() + head) * rotation.dim();
    const T* weight = is_query ? q_norm : k_norm;
    const bool normed = q_norm != nullptr;
    float scale = 1;
    if (normed) {
      scale = is_query ? q_rstd[token * rotation.heads + head] : k_rstd[token * rotation.kv_heads + head - rotation.heads];
    }
    float gradients[2][kPairs];
    float dot = 0;
    for (int pair = 0; pair < kPairs; ++pair) {
      const int i = group.rank() + pair * Group::kLanes;
      if (i >= half) break;
      const float x = widen(at[i]);
      const float y = widen(at[half + i]);
      gradients[0][pair] = x;
      gradients[1][pair] = y;
      if (rotation.rotated) {
        const float cosine = rotation.cosines[row + i];
        const float sine = -rotation.sines[row + i];
        gradients[0][pair] = widen(narrow<T>(x * cosine - y * sine));
        gradients[1][pair] = widen(narrow<T>(y * cosine + x * sine));
      }
      for (int side = 0; normed && side < 2; ++side) {
        dot += gradients[side][pair] * widen(weight[side * half + i]) * (widen(raw[side * half + i]) * scale);
      }
    }
    const float mean = normed ? group.sum(dot) / static_cast<float>(rotation.dim()) : 0;
    for (int pair = 0; pair < kPairs; ++pair) {
      const int i = group.rank() + pair * Group::kLanes;
      if (i >= half) break;
      for (int side = 0; side < 2; ++side) {
        float gradient = gradients[side][pair];
        if (normed) {
          const float normalised = widen(raw[side * half + i]) * scale;
          sums[side][pair] += gradient * normalised;
          gradient = scale * (gradient * widen(weight[side * half + i]) - normalised * mean);
        }
        at[side * half + i] = narrow<T>(gradient);
      }
    }
  }
};

}  // namespace zero_rl::device
