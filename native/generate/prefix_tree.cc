#include "generate/prefix_tree.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace zero_rl {

bool PrefixTree::Less::operator()(std::span<const int32_t> a, std::span<const int32_t> b) const {
  return std::lexicographical_compare(a.begin(), a.end(), b.begin(), b.end());
}

int64_t PrefixTree::common(std::span<const int32_t> a, std::span<const int32_t> b) {
  const auto [end, other] = std::mismatch(a.begin(), a.end(), b.begin(), b.end());
  return end - a.begin();
}

// In the order of tokens it is one of the two neighbours.
std::pair<PrefixTree::Node*, int64_t> PrefixTree::closest(Node& node, std::span<const int32_t> tokens) {
  const auto next = node.children.lower_bound(tokens);
  std::pair<Node*, int64_t> best{nullptr, 0};
  const auto consider = [&](Children::iterator child) {
    const int64_t agreed = common(child->first, tokens);
    if (agreed > best.second) best = {child->second.get(), agreed};
  };
  if (next != node.children.end()) consider(next);
  if (next != node.children.begin()) consider(std::prev(next));
  return best;
}

PrefixTree::Match PrefixTree::match(std::span<const int32_t> tokens) {
  Match match;
  Node* node = &root_;
  while (!tokens.empty()) {
    const auto page = tokens.first(std::min<size_t>(tokens.size(), kPageTokens));
    const auto [child, agreed] = closest(*node, page);
    if (child == nullptr) break;
    node = child;
    pool_.hold(child->page);
    if (agreed < kPageTokens) {
      match.part = child->page;
      match.part_tokens = agreed;
      break;
    }
    match.pages.push_back(child->page);
    tokens = tokens.subspan(page.size());
  }
  touch(*node);
  return match;
}

void PrefixTree::insert(std::span<const int32_t> tokens, std::vector<int32_t>& pages) {
  Node* node = &root_;
  for (size_t i = 0; !tokens.empty(); ++i) {
    const auto page = tokens.first(std::min<size_t>(tokens.size(), kPageTokens));
    const auto size = static_cast<int64_t>(page.size());
    const auto [child, agreed] = closest(*node, page);
    if (child != nullptr && agreed == size) {
      // Known, perhaps with more tokens behind.
      node = child;
      if (size == kPageTokens && child->page != pages[i]) {
        pool_.hold(child->page);
        pool_.release(std::exchange(pages[i], child->page));
      }
    } else {
      // What is known of this page may be less: then this one takes its place.
      if (child != nullptr && agreed == static_cast<int64_t>(child->place->first.size())) remove(*child);
      node = &add(*node, page, pages[i]);
    }
    tokens = tokens.subspan(page.size());
  }
  touch(*node);
}

PrefixTree::Node& PrefixTree::add(Node& parent, std::span<const int32_t> tokens, int32_t page) {
  const auto place = parent.children.emplace(std::vector<int32_t>(tokens.begin(), tokens.end()), std::make_unique<Node>()).first;
  Node& node = *place->second;
  node.parent = &parent;
  node.page = page;
  node.place = place;
  node.last_use = uses_.insert(uses_.end(), &node);
  pool_.remember(page);
  return node;
}

void PrefixTree::remove(Node& node) {
  pool_.forget(node.page);
  uses_.erase(node.last_use);
  node.parent->children.erase(node.place);
}

void PrefixTree::touch(Node& node) {
  for (Node* used = &node; used != &root_; used = used->parent) uses_.splice(uses_.end(), uses_, used->last_use);
}

void PrefixTree::evict(int64_t count) {
  for (auto use = uses_.begin(); use != uses_.end() && count > 0;) {
    Node& node = **use++;
    if (!node.children.empty() || pool_.held(node.page)) continue;
    remove(node);
    --count;
  }
}

void PrefixTree::clear() {
  for (Node* node : uses_) pool_.forget(node->page);
  uses_.clear();
  root_.children.clear();
}

}  // namespace zero_rl
