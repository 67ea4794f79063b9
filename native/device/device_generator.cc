#include "device/device_generator.h"

#include <ATen/ops/index_select.h>

#include <algorithm>
#include <bit>
#include <map>
#include <set>
#include <utility>

#include "device/operators.h"
#include "device/packed_pass.h"
#include "device/products.h"
#include "model/kept_sets.h"

namespace zero_rl {

namespace {

constexpr int64_t kStepsPerPoll = 8;
static_assert(kStepsPerPoll + 1 <= kKeptRing);  // and the draw of a row's first token

class Scheduler {
 public:
  Scheduler(DeviceModel& model, DecodeState& state, DeviceDecodeStep& step, const DecodePlan& plan,
            const GenerateRequest& request, const CompletionSink& sink, const AbortFlag& abort)
      : model_(model), state_(state), step_(step), plan_(plan), request_(request), sink_(sink), abort_(abort) {
    for (int64_t slot = plan.rows - 1; slot >= 0; --slot) free_slots_.push_back(static_cast<int32_t>(slot));
    for (int64_t prefix = plan.prefixes - 1; prefix >= 0; --prefix) {
      free_prefixes_.push_back(static_cast<int32_t>(prefix));
    }
  }

  GenerateStats run() {
    state_.begin(request_);
    model_.rope.reserve(std::min(request_.longest_prompt() + request_.max_tokens, model_.config.max_positions));
    queued_ = request_.prompts() * request_.samples;
    while (next_ < queued_ || !live_.empty()) {
      abort_.check();
      admit();
      decode();
      collect();
    }
    return stats_;
  }

 private:
  // A prompt in the cache, and its samples that have not ended.
  struct Prefix {
    int32_t place;
    int64_t samples_left;
  };
  struct Live {
    int64_t prompt;
    int64_t sample;
    int64_t count;  // new tokens at the last poll
    int32_t slot;
    int32_t limit;
    std::string tail;  // end of the text, for stop strings
    std::vector<uint8_t> kept;  // see model/kept_sets.h
  };

  // Fills free rows from the queue, as far as prompts find a place too.
  void admit() {
    while (next_ < queued_ && !free_slots_.empty()) {
      prefill();
      std::vector<NewRow> rows;
      const auto first = static_cast<int64_t>(live_.size());
      while (next_ < queued_ && !free_slots_.empty()) {
        const int64_t prompt = next_ / request_.samples;
        const auto found = prefixes_.find(prompt);
        if (found == prefixes_.end()) break;
        const int64_t length = request_.prompt_length(prompt);
        const auto limit =
            static_cast<int32_t>(std::min(request_.max_tokens, model_.config.max_positions - length));
        const int32_t slot = free_slots_.back();
        free_slots_.pop_back();
        const int64_t sample = next_ % request_.samples;
        live_.push_back({prompt, sample, 0, slot, limit, {}, {}});
        rows.push_back({slot, found->second.place, static_cast<int32_t>(length), static_cast<int32_t>(sample), limit,
                        static_cast<int64_t>(request_.uids[prompt])});
        ++next_;
      }
      if (rows.empty()) return;
      state_.admit(rows, first);
    }
  }

  // Runs the prompts that the free rows need, packed, and keeps their keys, values and last logits.
  void prefill() {
    const int64_t prompts = request_.prompts();
    const int64_t first = next_ / request_.samples;
    const auto free = static_cast<int64_t>(free_slots_.size());
    const int64_t wanted = (next_ % request_.samples + free + request_.samples - 1) / request_.samples;
    PackedTokens packed;
    std::vector<int32_t> slots;
    std::vector<int64_t> last;
    std::vector<int64_t> places;
    for (int64_t prompt = first; prompt < std::min(prompts, first + wanted); ++prompt) {
      if (prefixes_.contains(prompt)) continue;
      if (free_prefixes_.empty()) break;
      const int64_t length = request_.prompt_length(prompt);
      if (!places.empty() && packed.count() + length > model_.runtime.most_pass_tokens()) break;
      const int32_t place = free_prefixes_.back();
      free_prefixes_.pop_back();
      prefixes_.emplace(prompt, Prefix{place, request_.samples});
      packed.append(request_.tokens.data() + request_.offsets[prompt], length);
      slots.insert(slots.end(), length, place);
      last.push_back(packed.count() - 1);
      places.push_back(place);
    }
    if (places.empty()) return;
    const DeviceBatch batch(model_, packed);
    const CacheTarget caches{model_.upload(slots), batch.positions, state_.prefix_keys, state_.prefix_values};
    Activations saved;
    device_forward(model_, batch, {}, saved, &caches, abort_);
    const DecoderTensors& weights = model_.parameters.tensors();
    const at::Tensor input = at::index_select(saved.output, 0, model_.upload(last));
    const at::Tensor normed = model_.empty(input.sizes());
    operators::rms_norm(input, weights.final_norm, model_.config.rms_norm_eps, normed, std::nullopt);
    const at::Tensor logits = model_.empty({input.size(0), model_.config.vocab_size}, at::kFloat);
    products::linear_float(normed, weights.head, logits);
    state_.prefix_logits.index_copy_(0, model_.upload(places), logits);
    stats_.prompt_tokens += packed.count();
  }

  // As many steps as any row can use before the next poll.
  void decode() {
    int64_t steps = 0;
    for (const Live& row : live_) steps = std::max(steps, row.limit - std::max<int64_t>(1, row.count));
    steps = std::min(steps, kStepsPerPoll);
    const int64_t rows = batch_bucket(static_cast<int64_t>(live_.size()), state_.plan().rows);
    for (int64_t i = 0; i < steps; ++i) step_.run(rows);
    stats_.steps += steps;
    if (next_ < queued_) stats_.slot_steps += plan_.rows * steps;
  }

  // Hands out what has ended and moves the other rows together.
  void collect() {
    const auto rows = static_cast<int64_t>(live_.size());
    if (rows == 0) return;
    DecodeState::Poll poll = state_.poll(rows);
    std::vector<int64_t> added(live_.size());
    for (int64_t i = 0; i < rows; ++i) added[i] = poll.counts[i] - live_[i].count;
    if (!request_.stop_strings.empty()) match_stop_strings(poll);
    if (request_.sampler.records_kept(model_.config.vocab_size)) fetch_kept(poll);
    std::vector<int64_t> ended;
    std::vector<int64_t> kept;
    for (int64_t i = 0; i < rows; ++i) {
      // The first token is the prompt pass's.
      if (next_ < queued_) stats_.live_slot_steps += added[i] - (live_[i].count == 0 ? 1 : 0);
      stats_.new_tokens += poll.counts[i] - live_[i].count;
      (poll.slots[i] < 0 ? ended : kept).push_back(i);
      live_[i].count = poll.counts[i];
    }
    if (ended.empty()) return;
    sink_(completions(ended, poll));
    state_.compact(kept, rows);
    for (const int64_t row : ended) retire(live_[row]);
    for (size_t i = 0; i < kept.size(); ++i) {
      if (static_cast<int64_t>(i) != kept[i]) live_[i] = std::move(live_[kept[i]]);
    }
    live_.resize(kept.size());
  }

  // Cuts counts after the first stop string and ends its row.
  void match_stop_strings(DecodeState::Poll& poll) {
    const auto rows = static_cast<int64_t>(live_.size());
    const int64_t longest = *std::max_element(poll.counts.begin(), poll.counts.end());
    const at::Tensor tokens = state_.out_tokens(rows).narrow(1, 0, longest).contiguous().cpu();
    for (int64_t i = 0; i < rows; ++i) {
      const int32_t* row = tokens.data_ptr<int32_t>() + i * longest;
      for (int64_t t = live_[i].count; t < poll.counts[i]; ++t) {
        // What an end token adds is not looked at.
        if (is_stop(row[t]) || !request_.stop_strings.append(live_[i].tail, row[t])) continue;
        poll.counts[i] = static_cast<int32_t>(t + 1);
        poll.slots[i] = -1;
        stopped_by_string_.insert({live_[i].prompt, live_[i].sample});
      }
    }
  }

  // Appends the sets of the tokens drawn since the last poll.
  void fetch_kept(const DecodeState::Poll& poll) {
    std::vector<DecodeState::Draw> draws;
    for (size_t i = 0; i < live_.size(); ++i) {
      for (int64_t t = live_[i].count; t < poll.counts[i]; ++t) draws.push_back({static_cast<int64_t>(i), t});
    }
    if (draws.empty()) return;
    const at::Tensor words = state_.fetch_kept(draws);
    std::vector<int32_t> ids;
    for (size_t i = 0; i < draws.size(); ++i) {
      const int32_t* row = words.data_ptr<int32_t>() + static_cast<int64_t>(i) * words.size(1);
      ids.clear();
      for (int64_t w = 0; w < words.size(1); ++w) {
        for (auto bits = static_cast<uint32_t>(row[w]); bits != 0; bits &= bits - 1) {
          ids.push_back(static_cast<int32_t>(32 * w + std::countr_zero(bits)));
        }
      }
      append_kept(live_[draws[i].row].kept, ids, model_.config.vocab_size);
    }
  }

  bool is_stop(int32_t token) const {
    return std::find(request_.stop_tokens.begin(), request_.stop_tokens.end(), token) != request_.stop_tokens.end();
  }

  std::vector<Completion> completions(const std::vector<int64_t>& ended, const DecodeState::Poll& poll) {
    const auto rows = static_cast<int64_t>(live_.size());
    int64_t longest = 1;
    for (const int64_t row : ended) longest = std::max<int64_t>(longest, poll.counts[row]);
    const at::Tensor order = model_.upload(ended);
    const auto fetch = [&](const at::Tensor& all) {
      return at::index_select(all.narrow(1, 0, longest), 0, order).cpu();
    };
    const at::Tensor tokens = fetch(state_.out_tokens(rows));
    const at::Tensor log_probs = fetch(state_.out_log_probs(rows));
    const bool truncated = request_.sampler.truncated(model_.config.vocab_size);
    const at::Tensor log_masses = truncated ? fetch(state_.out_log_masses(rows)) : at::Tensor();
    std::vector<Completion> result;
    for (size_t i = 0; i < ended.size(); ++i) {
      Live& row = live_[ended[i]];
      const int64_t count = poll.counts[ended[i]];
      const int32_t* drawn = tokens.data_ptr<int32_t>() + i * longest;
      const float* drawn_log_probs = log_probs.data_ptr<float>() + i * longest;
      check_drawn(drawn_log_probs[count - 1]);
      std::vector<float> masses;
      if (truncated) {
        const float* drawn_log_masses = log_masses.data_ptr<float>() + i * longest;
        masses.assign(drawn_log_masses, drawn_log_masses + count);
      }
      const bool by_string = stopped_by_string_.erase({row.prompt, row.sample}) > 0;
      result.push_back({.prompt = row.prompt,
                        .sample = row.sample,
                        .tokens = {drawn, drawn + count},
                        .log_probs = {drawn_log_probs, drawn_log_probs + count},
                        .log_masses = std::move(masses),
                        .kept = std::move(row.kept),
                        .stopped = by_string || is_stop(drawn[count - 1])});
    }
    return result;
  }

  void retire(const Live& row) {
    free_slots_.push_back(row.slot);
    const auto found = prefixes_.find(row.prompt);
    if (--found->second.samples_left > 0) return;
    free_prefixes_.push_back(found->second.place);
    prefixes_.erase(found);
  }

  DeviceModel& model_;
  DecodeState& state_;
  DeviceDecodeStep& step_;
  const DecodePlan& plan_;
  const GenerateRequest& request_;
  const CompletionSink& sink_;
  const AbortFlag& abort_;
  std::vector<int32_t> free_slots_;
  std::vector<int32_t> free_prefixes_;
  std::map<int64_t, Prefix> prefixes_;  // by prompt
  std::vector<Live> live_;              // in the order of the rows
  std::set<std::pair<int64_t, int64_t>> stopped_by_string_;
  int64_t next_ = 0;  // of the queue: prompt · samples + sample
  int64_t queued_ = 0;
  GenerateStats stats_;
};

}  // namespace

GenerateStats DeviceGenerator::generate(const GenerateRequest& request, int64_t budget, const CompletionSink& sink,
                                        const AbortFlag& abort) {
  const DecodePlan plan = plan_decode(model_, request, budget);
  if (memory_ == nullptr || !memory_->state.plan().covers(plan)) {
    memory_.reset();
    model_.runtime.release_unused();
    memory_ = std::make_unique<Memory>(model_, plan);
  }
  return Scheduler(model_, memory_->state, memory_->step, plan, request, sink, abort).run();
}

int64_t DeviceGenerator::held_bytes() const {
  return memory_ == nullptr ? 0 : memory_->state.plan().bytes(model_.config, model_.parameters.dtype());
}

}  // namespace zero_rl
