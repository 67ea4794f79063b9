// Truncated draws without a sort. Tokens are ordered by a key, the distance of the scaled logit below the maximum in units
// of 2^-27 (beyond 32, where nothing has a probability, all are one), and within equal keys by their ids; a radix search
// over three digits of the key finds the token at a given rank or at a given mass. Masses are exponentials in fixed point,
// so that histograms add up to the same numbers in whatever order the threads come.
#pragma once

#include <cmath>

#include "kernels/row_statistics.cuh"

namespace zero_rl::device {

constexpr int kDigits = 3;
ZERO_RL_HOST_DEVICE constexpr int digit_bits(int digit) { return digit < 2 ? 11 : 10; }
constexpr int kBins = 2048;
constexpr int kBinRun = 32;  // bins that one thread adds up
constexpr int64_t kSelectionBytes = kBins * 8 + kBins * 4 + kBins / kBinRun * 16 + 64;

template <class Group>
struct Selection {
  const Group& group;
  const float* logits;
  int64_t vocab;
  float inverse_temperature;
  float maximum;

  struct Drawn {
    int32_t token;
    double mass;  // Σ exp(z − maximum) of the tokens kept
  };

  // top-k with ties, then top-p of what is left, then min-p; the most likely token stays. Where `words` is given it gets a
  // bit for each token kept, 32 a word.
  ZERO_RL_HOST_DEVICE Drawn draw(int64_t top_k, double top_p, double min_p, double uniform, uint32_t* words) const {
    Place whole = total(kNoLimit);
    uint32_t limit = kNoLimit;
    if (top_k > 0 && top_k < vocab) {
      limit = find(limit, Measure::kCount, static_cast<uint64_t>(top_k)).key;
      whole = total(limit);
    }
    uint64_t kept = whole.mass;
    Cut cut{limit, static_cast<int32_t>(vocab - 1)};
    if (top_p < 1) {
      const auto wanted = static_cast<uint64_t>(top_p * static_cast<double>(whole.mass));
      const Place last = find(limit, Measure::kMass, wanted > 1 ? wanted : 1);
      kept = last.mass + last.mass_of_one * last.rank;
      if (words != nullptr) cut = {last.key, token_at(last)};
    }
    if (min_p > 0) {
      const uint32_t key = key_of_probability(min_p);
      const Place likely = total(key);
      if (likely.mass < kept) {
        kept = likely.mass;
        cut = {key, static_cast<int32_t>(vocab - 1)};
      }
    }
    const uint64_t one = mass_of(0);
    kept = kept < one ? one : kept;
    if (words != nullptr) write_kept(cut, words);
    // The first token at which the mass exceeds the target.
    const auto target = static_cast<uint64_t>(uniform * static_cast<double>(kept));
    const int32_t token = token_at(find(limit, Measure::kMass, (target < kept ? target : kept - 1) + 1));
    return {token, static_cast<double>(kept) / kMassUnit};
  }

 private:
  static constexpr uint32_t kNoLimit = 0xFFFFFFFFU;
  static constexpr double kMassUnit = 17592186044416.0;  // 2^44
  enum class Measure { kCount, kMass };

  // Kept are the tokens down to this one.
  struct Cut {
    uint32_t key;
    int32_t token;
  };

  // Of tokens in the order of likelihood: those of `key`, what comes before them, and how many of them are meant.
  struct Place {
    uint32_t key;
    uint64_t count;
    uint64_t mass;
    uint64_t mass_of_one;
    uint64_t rank;  // from 1
  };

  ZERO_RL_HOST_DEVICE uint32_t key_of(int64_t token) const {
    const float below = maximum - logits[token] * inverse_temperature;
    return below < 31.99999f ? static_cast<uint32_t>(below * 134217728.0f) : kNoLimit;
  }
  ZERO_RL_HOST_DEVICE static uint64_t mass_of(uint32_t key) {
    if (key == kNoLimit) return 0;
    return static_cast<uint64_t>(std::exp(-static_cast<float>(key) / 134217728.0f) * static_cast<float>(kMassUnit));
  }
  ZERO_RL_HOST_DEVICE static uint32_t key_of_probability(double probability) {
    const double below = -std::log(probability);
    return below <= 0 ? 0 : below < 31.99999 ? static_cast<uint32_t>(below * 134217728.0) : kNoLimit;
  }

  ZERO_RL_HOST_DEVICE void write_kept(const Cut& cut, uint32_t* words) const {
    group.sync();
    for (int64_t first = group.rank() * int64_t{32}; first < vocab; first += group.size() * int64_t{32}) {
      uint32_t bits = 0;
      for (int64_t j = first; j < first + 32 && j < vocab; ++j) {
        const uint32_t key = key_of(j);
        if (key > cut.key || (key == cut.key && j > cut.token) || mass_of(key) == 0) continue;
        bits |= 1U << (j - first);
      }
      words[first / 32] = bits;
    }
    group.sync();
  }

  struct Histogram {
    uint64_t* masses;  // [kBins]
    uint32_t* counts;
    uint64_t* run_masses;  // [kBins / kBinRun]
    uint64_t* run_counts;
    Place* result;
  };
  ZERO_RL_HOST_DEVICE Histogram histogram() const {
    auto* masses = group.template shared<uint64_t>();
    auto* run_masses = masses + kBins;
    auto* run_counts = run_masses + kBins / kBinRun;
    auto* result = reinterpret_cast<Place*>(run_counts + kBins / kBinRun);
    auto* counts = reinterpret_cast<uint32_t*>(result + 1);
    return {masses, counts, run_masses, run_counts, result};
  }

  // All tokens with keys up to the limit.
  ZERO_RL_HOST_DEVICE Place total(uint32_t limit) const {
    const Histogram h = histogram();
    group.sync();
    if (group.rank() == 0) *h.result = {};
    group.sync();
    uint64_t mass = 0;
    uint64_t count = 0;
    for (int64_t j = group.rank(); j < vocab; j += group.size()) {
      const uint32_t key = key_of(j);
      if (key > limit) continue;
      mass += mass_of(key);
      ++count;
    }
    group.add(&h.result->mass, mass);
    group.add(&h.result->count, count);
    group.sync();
    const Place result = *h.result;
    group.sync();
    return result;
  }

  // The first token, among those with keys up to the limit, at which the count or the mass reaches `wanted`; the last where
  // it never does.
  ZERO_RL_HOST_DEVICE Place find(uint32_t limit, Measure measure, uint64_t wanted) const {
    const Histogram h = histogram();
    Place place{};
    int shift = 32;
    for (int digit = 0; digit < kDigits; ++digit) {
      const int prefix_shift = shift;
      shift -= digit_bits(digit);
      const int bins = 1 << digit_bits(digit);
      for (int bin = group.rank(); bin < kBins; bin += group.size()) {
        h.masses[bin] = 0;
        h.counts[bin] = 0;
      }
      group.sync();
      for (int64_t j = group.rank(); j < vocab; j += group.size()) {
        const uint32_t key = key_of(j);
        if (key > limit) continue;
        if (prefix_shift < 32 && (key >> prefix_shift) != (place.key >> prefix_shift)) continue;
        const int bin = static_cast<int>(key >> shift) & (bins - 1);
        group.add(&h.counts[bin], uint32_t{1});
        const uint64_t mass = mass_of(key);
        if (mass > 0) group.add(&h.masses[bin], mass);
      }
      group.sync();
      sum_runs(h);
      group.sync();
      if (group.rank() == 0) *h.result = choose_bin(h, place, shift, measure, wanted);
      group.sync();
      place = *h.result;
      group.sync();
    }
    place.mass_of_one = mass_of(place.key);
    if (measure == Measure::kMass && place.mass_of_one > 0) {
      const uint64_t rest = wanted > place.mass ? wanted - place.mass : 1;
      place.rank = (rest + place.mass_of_one - 1) / place.mass_of_one;
    } else {
      place.rank = measure == Measure::kCount ? wanted - place.count : 1;
    }
    return place;
  }

  ZERO_RL_HOST_DEVICE void sum_runs(const Histogram& h) const {
    for (int run = group.rank(); run < kBins / kBinRun; run += group.size()) {
      uint64_t mass = 0;
      uint64_t count = 0;
      for (int i = 0; i < kBinRun; ++i) {
        // Threads begin at different banks.
        const int bin = run * kBinRun + (i + run) % kBinRun;
        mass += h.masses[bin];
        count += h.counts[bin];
      }
      h.run_masses[run] = mass;
      h.run_counts[run] = count;
    }
  }

  // Moves `place` to the bin where the measure is reached, and over what comes before it.
  ZERO_RL_HOST_DEVICE static Place choose_bin(const Histogram& h, Place place, int shift, Measure measure,
                                              uint64_t wanted) {
    const auto reaches = [&](uint64_t count, uint64_t mass) {
      return (measure == Measure::kCount ? place.count + count : place.mass + mass) >= wanted;
    };
    int last_bin = -1;
    Place at_last = place;
    for (int run = 0; run < kBins / kBinRun; ++run) {
      if (h.run_counts[run] == 0) continue;
      const bool here = reaches(h.run_counts[run], h.run_masses[run]);
      bool final_run = here;
      if (!here) {
        final_run = true;
        for (int later = run + 1; later < kBins / kBinRun; ++later) final_run = final_run && h.run_counts[later] == 0;
      }
      if (!final_run) {
        place.count += h.run_counts[run];
        place.mass += h.run_masses[run];
        continue;
      }
      for (int bin = run * kBinRun; bin < (run + 1) * kBinRun; ++bin) {
        if (h.counts[bin] == 0) continue;
        last_bin = bin;
        at_last = place;
        if (reaches(h.counts[bin], h.masses[bin])) break;
        place.count += h.counts[bin];
        place.mass += h.masses[bin];
      }
      break;
    }
    at_last.key = place.key | (static_cast<uint32_t>(last_bin) << shift);
    return at_last;
  }

  // The id of a place: the rank-th token with its key.
  ZERO_RL_HOST_DEVICE int32_t token_at(const Place& place) const {
    if (place.rank == 1) {
      int64_t first = vocab - 1;
      for (int64_t j = group.rank(); j < vocab; j += group.size()) {
        if (key_of(j) != place.key) continue;
        first = j;
        break;
      }
      return static_cast<int32_t>(-group.maximum(static_cast<float>(-first)));  // float32 counts exactly to 2^24
    }
    // Equal keys are rare: runs of tokens are counted, then one run is walked through.
    const Histogram h = histogram();
    const int64_t run = (vocab + kBins - 1) / kBins;
    for (int i = group.rank(); i < kBins; i += group.size()) {
      uint32_t count = 0;
      for (int64_t j = i * run; j < (i + 1) * run && j < vocab; ++j) count += key_of(j) == place.key ? 1 : 0;
      h.counts[i] = count;
    }
    group.sync();
    int64_t token = 0;
    uint64_t seen = 0;
    for (int i = 0; i < kBins && seen < place.rank; ++i) {
      if (seen + h.counts[i] < place.rank) {
        seen += h.counts[i];
        continue;
      }
      for (int64_t j = i * run; j < (i + 1) * run && j < vocab && seen < place.rank; ++j) {
        if (key_of(j) != place.key) continue;
        token = j;
        ++seen;
      }
    }
    return static_cast<int32_t>(token);
  }
};

}  // namespace zero_rl::device
