// SPDX-License-Identifier: MIT
#include "handoverd/page/page_text.h"

#include "handoverd/client/number_format.h"

#include <algorithm>

namespace handoverd {
namespace {

constexpr std::int64_t second = 1000;
constexpr std::int64_t minute = 60 * second;

}  // namespace

std::string ago_in_words(std::int64_t ms) {
    return ms < second ? "just now" : age_in_words(ms) + " ago";
}

std::string role_in_words(const PageModel::Generation& generation, std::int64_t now) {
    if (generation.role == "probation") return "serving, on probation";
    if (generation.role == "draining" && generation.drain_ends) {
        const auto left = std::max<std::int64_t>(*generation.drain_ends - now, 0);
        if (left > 2 * minute) return "draining, " + duration_in_words(left) + " left";
        // Rounded up: it is 0 when the time is over.
        return "draining, " + std::to_string((left + second - 1) / second) + " s left";
    }
    return generation.role;
}

std::string origin_in_words(const PageModel::Generation& generation, std::int64_t now) {
    const auto since = generation.ready ? generation.ready : generation.started;
    const auto when = since ? ago_in_words(now - *since) : "";
    if (!generation.from) return "started " + when;
    const auto from = std::to_string(*generation.from);
    const auto then = when.empty() ? "" : ", " + when;
    if (generation.role == "starting") return "is to take over from " + from;
    if (generation.by == "reload") return "took over from " + from + then;
    if (generation.by == "restart") return "restarted after " + from + then;
    if (generation.by == "crash") return "started after " + from + " crashed" + then;
    return "came after " + from + then;
}

std::string endings_in_words(const PageModel::Generation& generation) {
    if (!generation.account.empty()) return generation.account;
    std::string words;
    const auto add = [&words](std::uint64_t count, const std::string& what) {
        words +=
            (words.empty() ? "" : ", ") + grouped(static_cast<std::int64_t>(count)) + " " + what;
    };
    if (generation.moved != 0) add(generation.moved, "moved on");
    for (const auto& [what, count] : generation.closed) add(count, what);
    return words;
}

std::string generations_in_words(const PageModel::Handover& handover) {
    const auto word = [](const std::optional<std::uint64_t>& number) {
        return number ? std::to_string(*number) : std::string();
    };
    const auto from = word(handover.from);
    const auto to = word(handover.to);
    return from.empty() || to.empty() ? from + to : from + " to " + to;
}

}  // namespace handoverd
