#include "generate/generator.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <optional>
#include <utility>

#include "generate/kv_cache.h"
#include "model/decode_step.h"
#include "model/decoder.h"
#include "model/decoder_steps.h"
#include "runtime/error.h"
#include "runtime/parallel.h"
#include "runtime/profiler.h"

namespace zero_rl {

namespace {

constexpr int64_t kDefaultBatch = 256;
constexpr int64_t kCacheBudget = int64_t{2} << 30;  // bytes of suffix slots
constexpr int64_t kPrefillTokens = 2048;            // per packed prefill pass
// Against weights that stay in the cache every thread decodes sequences of its own, at least so many. Else the threads share
// out the columns of every product.
constexpr int64_t kShardRows = 8;

struct LiveSequence {
  Completion completion;
  std::shared_ptr<const Prefix> prefix;
  std::unique_ptr<KvBlock> cache;
  int64_t cached = 0;  // suffix tokens in the cache
  std::string tail;    // end of the text, for stop strings
};

class Generator {
 public:
  Generator(Model& model, const GenerateRequest& request, const CompletionSink& sink, const AbortFlag& abort)
      : model_(model),
        request_(request),
        sink_(sink),
        abort_(abort),
        truncated_(request.sampler.truncated(model.config.vocab_size)),
        samplers_(static_cast<size_t>(ThreadPool::instance().threads()),
                  Sampler(request.sampler, model.config.vocab_size)),
        slots_(model.config, model.parameters.dtype(), slot_capacity(), slot_count()),
        decode_(model, slots_.slots()) {}

  GenerateStats run() {
    model_.rope.reserve(std::min(request_.longest_prompt() + request_.max_tokens, model_.config.max_positions));
    queued_ = request_.prompts() * request_.samples;
    while (next_ < queued_ || !live_.empty()) {
      abort_.check();
      admit();
      if (!live_.empty()) step();
      if (!finished_.empty()) sink_(std::exchange(finished_, {}));
    }
    return stats_;
  }

 private:
  // The last token of a completion is never fed back.
  int64_t slot_capacity() const {
    return std::max<int64_t>(1, std::min(request_.max_tokens, model_.config.max_positions) - 1);
  }

  int64_t slot_count() const {
    const int64_t total = request_.prompts() * request_.samples;
    if (request_.max_batch > 0) return std::min(request_.max_batch, total);
    const int64_t bytes = model_.config.kv_elements() * slot_capacity() *
                          static_cast<int64_t>(c10::elementSize(model_.parameters.dtype()));
    return std::clamp<int64_t>(std::min(total, kCacheBudget / bytes), 1, kDefaultBatch);
  }

  // Fills free slots from the queue. A sequence that ends with its first token frees its slot at once.
  void admit() {
    while (next_ < queued_ && slots_.available() > 0) {
      prefill();
      std::vector<LiveSequence> admitted;
      while (next_ < queued_ && slots_.available() > 0) {
        const int64_t prompt = next_ / request_.samples;
        const auto found = prefixes_.find(prompt);
        if (found == prefixes_.end()) break;
        LiveSequence sequence;
        sequence.completion.prompt = prompt;
        sequence.completion.sample = next_ % request_.samples;
        sequence.prefix = found->second;
        sequence.cache = slots_.take();
        admitted.push_back(std::move(sequence));
        ++next_;
        if (next_ % request_.samples == 0) prefixes_.erase(found);
      }
      draw_first(admitted);
    }
  }

  // Runs the prompts that the free slots need, packed, and keeps their caches and last logits.
  void prefill() {
    const profiler::Scope section(profiler::Section::kPrefill);
    const Workspace::Frame frame(model_.workspace);
    const int64_t prompts = request_.prompts();
    const int64_t first = next_ / request_.samples;
    const int64_t wanted = (next_ % request_.samples + slots_.available() + request_.samples - 1) / request_.samples;
    PackedTokens packed;
    std::vector<std::pair<int64_t, std::shared_ptr<Prefix>>> fresh;
    for (int64_t prompt = first; prompt < std::min(prompts, first + wanted); ++prompt) {
      if (prefixes_.contains(prompt)) continue;
      const int64_t length = request_.prompt_length(prompt);
      if (!fresh.empty() && packed.count() + length > kPrefillTokens) break;
      packed.append(request_.tokens.data() + request_.offsets[prompt], length);
      fresh.emplace_back(prompt, std::make_shared<Prefix>(model_.config, model_.parameters.dtype(), length));
    }
    if (fresh.empty()) return;

    const ModelConfig& config = model_.config;
    const QkvSink store = [&](int64_t layer, const at::Tensor& qkv) {
      const size_t row_bytes = config.qkv_width() * qkv.element_size();
      for (size_t i = 0; i < fresh.size(); ++i) {
        const KvBlock& cache = fresh[i].second->cache;
        model_.kernels().store_prefix({.qkv = static_cast<const char*>(qkv.data_ptr()) + packed.segments[i].begin * row_bytes,
                                       .keys = cache.keys.data_ptr(),
                                       .values = cache.values.data_ptr(),
                                       .length = cache.capacity,
                                       .layer = layer,
                                       .heads = config.heads,
                                       .kv_heads = config.kv_heads,
                                       .head_dim = config.head_dim});
      }
    };
    Activations saved;
    decoder_forward(model_, packed, {}, saved, store, abort_);

    const int64_t rows = static_cast<int64_t>(fresh.size());
    const at::Tensor last = model_.workspace.take({rows, config.hidden_size}, model_.parameters.dtype());
    const at::Tensor normed = model_.workspace.take({rows, config.hidden_size}, model_.parameters.dtype());
    const at::Tensor logits = model_.workspace.take({rows, config.vocab_size}, at::kFloat);
    for (int64_t i = 0; i < rows; ++i) {
      const kernels::Segment& segment = packed.segments[i];
      copy_row(saved.output, segment.begin + segment.length - 1, last, i);
    }
    head_logits(model_, last.data_ptr(), normed.data_ptr(), logits.data_ptr<float>(), rows);
    for (int64_t i = 0; i < rows; ++i) {
      std::copy_n(logits.data_ptr<float>() + i * config.vocab_size, config.vocab_size,
                  fresh[i].second->first_logits.data());
      prefixes_.emplace(fresh[i].first, std::move(fresh[i].second));
    }
    stats_.prompt_tokens += packed.count();
  }

  void draw_first(std::vector<LiveSequence>& admitted) {
    const int64_t vocab = model_.config.vocab_size;
    std::vector<float> logits(admitted.size() * vocab);
    for (size_t i = 0; i < admitted.size(); ++i) {
      std::copy_n(admitted[i].prefix->first_logits.data(), vocab, logits.data() + i * vocab);
    }
    make_keys(admitted);
    {
      const profiler::Scope section(profiler::Section::kDraw);
      samplers_[0].sample(model_.kernels(), logits.data(), keys_.data(), static_cast<int64_t>(admitted.size()),
                          drawn_.data());
    }
    append_drawn(admitted);
    for (LiveSequence& sequence : admitted) live_.push_back(std::move(sequence));
    retire();
  }

  // One decode step of all live sequences.
  void step() {
    const profiler::Scope section(profiler::Section::kDecode);
    const size_t rows = live_.size();
    tokens_.resize(rows);
    positions_.resize(rows);
    views_.resize(rows);
    for (size_t i = 0; i < rows; ++i) {
      LiveSequence& sequence = live_[i];
      const KvBlock& prefix = sequence.prefix->cache;
      tokens_[i] = sequence.completion.tokens.back();
      positions_[i] = static_cast<int32_t>(prefix.capacity + sequence.cached);
      views_[i] = {.prefix_keys = prefix.keys.data_ptr(),
                   .prefix_values = prefix.values.data_ptr(),
                   .prefix_length = prefix.capacity,
                   .keys = sequence.cache->keys.data_ptr(),
                   .values = sequence.cache->values.data_ptr(),
                   .length = sequence.cached,
                   .capacity = sequence.cache->capacity};
      ++sequence.cached;
    }
    make_keys(live_);
    decode_and_draw({tokens_.data(), positions_.data(), views_.data(), static_cast<int64_t>(rows)});
    append_drawn(live_);
    ++stats_.steps;
    if (next_ < queued_) {
      stats_.slot_steps += slots_.slots();
      stats_.live_slot_steps += static_cast<int64_t>(rows);
    }
    retire();
  }

  void decode_and_draw(const DecodeRows& all) {
    const int64_t most = model_.panels.cached() ? std::max<int64_t>(1, all.count / kShardRows) : 1;
    const int64_t shards = std::min<int64_t>(static_cast<int64_t>(samplers_.size()), most);
    std::optional<profiler::Scope> wait;  // of the thread that submits
    parallel_threads(static_cast<int>(shards), [&](int shard) {
      const int64_t begin = all.count * shard / shards;
      const int64_t end = all.count * (shard + 1) / shards;
      const float* logits = decode_.run(all.slice(begin, end), begin);
      {
        const profiler::Scope section(profiler::Section::kDraw);
        samplers_[shard].sample(model_.kernels(), logits, keys_.data() + begin, end - begin, drawn_.data() + begin);
      }
      if (shard == 0) wait.emplace(profiler::Section::kWait);
    });
  }

  void make_keys(const std::vector<LiveSequence>& sequences) {
    keys_.clear();
    for (const LiveSequence& sequence : sequences) {
      keys_.push_back({.uid = request_.uids[sequence.completion.prompt],
                       .sample = static_cast<uint32_t>(sequence.completion.sample),
                       .position = static_cast<uint32_t>(sequence.completion.tokens.size())});
    }
    drawn_.resize(sequences.size());
  }

  // Appends one sampled token to each sequence.
  void append_drawn(std::vector<LiveSequence>& sequences) {
    for (size_t i = 0; i < sequences.size(); ++i) {
      Completion& completion = sequences[i].completion;
      const SampledToken& drawn = drawn_[i];
      check_drawn(drawn.log_prob);
      completion.tokens.push_back(drawn.token);
      completion.log_probs.push_back(drawn.log_prob);
      if (truncated_) completion.log_masses.push_back(drawn.log_mass);
      completion.kept.insert(completion.kept.end(), drawn.kept.begin(), drawn.kept.end());
      const auto& stops = request_.stop_tokens;
      completion.stopped = std::find(stops.begin(), stops.end(), drawn.token) != stops.end();
      if (!completion.stopped && !request_.stop_strings.empty()) {
        completion.stopped = request_.stop_strings.append(sequences[i].tail, drawn.token);
      }
    }
    stats_.new_tokens += static_cast<int64_t>(sequences.size());
  }

  bool ended(const LiveSequence& sequence) const {
    const int64_t length = static_cast<int64_t>(sequence.completion.tokens.size());
    return sequence.completion.stopped || length >= request_.max_tokens ||
           sequence.prefix->cache.capacity + length >= model_.config.max_positions;
  }

  // Moves ended sequences out; the order of the others stays.
  void retire() {
    size_t kept = 0;
    for (size_t i = 0; i < live_.size(); ++i) {
      if (ended(live_[i])) {
        slots_.give_back(std::move(live_[i].cache));
        finished_.push_back(std::move(live_[i].completion));
      } else {
        if (kept != i) live_[kept] = std::move(live_[i]);
        ++kept;
      }
    }
    live_.resize(kept);
  }

  Model& model_;
  const GenerateRequest& request_;
  const CompletionSink& sink_;
  const AbortFlag& abort_;
  bool truncated_;
  std::vector<Sampler> samplers_;  // one per thread
  SlotPool slots_;
  DecodeStep decode_;
  std::map<int64_t, std::shared_ptr<const Prefix>> prefixes_;  // prompts whose samples are not all admitted
  std::vector<LiveSequence> live_;
  std::vector<Completion> finished_;
  int64_t next_ = 0;  // of the queue: prompt · samples + sample
  int64_t queued_ = 0;
  GenerateStats stats_;
  std::vector<int32_t> tokens_;
  std::vector<int32_t> positions_;
  std::vector<kernels::KvSequence> views_;
  std::vector<SampleKey> keys_;
  std::vector<SampledToken> drawn_;
};

}  // namespace

void check_drawn(float log_prob) {
  if (!std::isfinite(log_prob)) throw not_finite_error("sampled from");
}

GenerateStats generate(Model& model, const GenerateRequest& request, const CompletionSink& sink,
                       const AbortFlag& abort) {
  const profiler::Scope section(profiler::Section::kSample);
  return Generator(model, request, sink, abort).run();
}

}  // namespace zero_rl
