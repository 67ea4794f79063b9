#include "generate/prefill.h"

#include <algorithm>

#include "model/decode_step.h"
#include "model/decoder.h"
#include "runtime/profiler.h"

namespace zero_rl {

namespace {

constexpr int64_t kLogitBytes = int64_t{128} << 20;  // of the contexts that end in a pass

}  // namespace

// At most all tokens but the last: it has to be computed for its logits.
Prefill::Added Prefill::match(Context& context) {
  PrefixTree::Match match = cache_.tree().match(std::span(context.tokens).first(context.length() - 1));
  context.pages = std::move(match.pages);
  context.computed = static_cast<int64_t>(context.pages.size()) * kPageTokens;
  const Added result = waits(context) ? Added::kLater : spare() < 0 ? Added::kNoPages : Added::kSome;
  const int32_t copy = result == Added::kSome && match.part >= 0 && spare() > 0 ? cache_.take_copy(match.part) : -1;
  if (copy >= 0) {
    context.pages.push_back(copy);
    context.computed += match.part_tokens;
  } else if (match.part >= 0) {
    cache_.release(match.part);
  }
  if (result == Added::kSome) {
    context.matched = true;
    context.owner->stats.cached_tokens += context.computed;
  } else {
    cache_.release(context.pages);
    context.computed = 0;
  }
  return result;
}

// Whether a context of this pass is about to compute full pages that this one needs too.
bool Prefill::waits(const Context& context) const {
  return std::any_of(chunks_.begin(), chunks_.end(), [&](const Chunk& chunk) {
    const std::vector<int32_t>& other = chunk.context->tokens;
    const auto end = chunk.context->computed + chunk.length;
    const auto [differs, at] =
        std::mismatch(context.tokens.begin(), context.tokens.end() - 1, other.begin(), other.begin() + end);
    return (differs - context.tokens.begin()) / kPageTokens * kPageTokens > context.computed;
  });
}

Prefill::Added Prefill::add(Context& context) {
  const int64_t room = most_tokens_ - tokens_;
  const int64_t most_endings = std::max<int64_t>(1, kLogitBytes / (4 * model_.description.vocab_size));
  if (room <= 0 || endings_ >= most_endings) return Added::kFull;
  if (!context.matched) {
    const Added matched = match(context);
    if (matched != Added::kSome) return matched;
  }
  int64_t end = context.length();
  // Chunks end with pages.
  if (end > context.computed + room) {
    end = std::max((context.computed + room) / kPageTokens * kPageTokens, context.computed + 1);
  }
  const auto held = static_cast<int64_t>(context.pages.size());
  end = std::min(end, (held + std::max<int64_t>(0, spare())) * kPageTokens);
  if (end <= context.computed) return Added::kNoPages;
  while (static_cast<int64_t>(context.pages.size()) < pages_of(end)) context.pages.push_back(cache_.take());
  chunks_.push_back({&context, end - context.computed});
  tokens_ += end - context.computed;
  if (end == context.length()) ++endings_;
  return Added::kSome;
}

// Of the request whose pass it is; several do not end one for the others.
const AbortFlag& Prefill::abort() const {
  const LiveRequest* owner = chunks_.front().context->owner;
  const bool shared =
      std::any_of(chunks_.begin(), chunks_.end(), [&](const Chunk& chunk) { return chunk.context->owner != owner; });
  return shared ? never_ : *owner->submission.abort;
}

void Prefill::run() {
  if (chunks_.empty()) return;
  const profiler::Scope section(profiler::Section::kPrefill);
  cache_.copy_pages();
  PackedTokens packed;
  CacheUse use{.cache = cache_.memory(), .tables = {}, .pages = 0};
  for (const Chunk& chunk : chunks_) {
    use.pages = std::max(use.pages, pages_of(chunk.context->computed + chunk.length));
  }
  std::vector<int64_t> last;  // rows of tokens that contexts end with
  for (const Chunk& chunk : chunks_) {
    const Context& context = *chunk.context;
    packed.append(context.tokens.data() + context.computed, chunk.length, context.computed);
    const size_t row = use.tables.size();
    use.tables.resize(row + use.pages, 0);
    std::copy_n(context.pages.begin(), std::min<int64_t>(use.pages, context.pages.size()), use.tables.begin() + row);
    if (context.computed + chunk.length == context.length()) last.push_back(packed.count() - 1);
  }
  const Operators::Frame frame(model_.operators);
  const PackedBatch batch(model_.operators, packed, &use);
  Activations saved;
  decoder_forward(model_, batch, {}, saved, abort());
  for (const Chunk& chunk : chunks_) {
    Context& context = *chunk.context;
    context.computed += chunk.length;
    context.owner->stats.prompt_tokens += chunk.length;
    const int64_t full = context.computed / kPageTokens * kPageTokens;
    cache_.tree().insert(std::span(context.tokens).first(full), context.pages);
  }
  if (!last.empty()) compute_logits(saved.output, last);
}

void Prefill::compute_logits(const at::Tensor& hidden, const std::vector<int64_t>& last) {
  Operators& operators = model_.operators;
  const auto rows = static_cast<int64_t>(last.size());
  const at::Tensor x = model_.take({rows, model_.description.hidden_size});
  const at::Tensor normed = model_.take({rows, model_.description.hidden_size});
  const at::Tensor logits = operators.empty({rows, model_.description.vocab_size}, at::kFloat);
  operators.take_rows(hidden, operators.upload(last), x);
  head_logits(model_, x, normed, logits);
  int64_t row = 0;
  for (const Chunk& chunk : chunks_) {
    Context& context = *chunk.context;
    if (context.computed < context.length()) continue;
    context.logits = logits;
    context.logits_row = row++;
  }
}

}  // namespace zero_rl
