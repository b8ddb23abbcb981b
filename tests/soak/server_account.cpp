// SPDX-License-Identifier: MIT
#include "soak/server_account.h"

#include <regex>
#include <sstream>
#include <stdexcept>

namespace handover::test {

void ServerAccount::read(std::string_view log) {
    std::istringstream lines{std::string(log)};
    for (std::string line; std::getline(lines, line);) read_line(line);
}

void ServerAccount::read_line(std::string_view line) {
    static const std::regex begins(R"(generation \d+ \(pid \d+\) serves )");
    static const std::regex ends(R"(generation \d+ ended: (held [^;]*))");
    std::match_results<std::string_view::const_iterator> match;
    if (std::regex_search(line.begin(), line.end(), begins)) ++begun_;
    if (!std::regex_search(line.begin(), line.end(), match, ends)) return;
    ++ended_;
    add({match[1].first, match[1].second});
}

/// "held 66 = 64 moved + 1 closed by client + 1 cut at deadline", or "held 0".
void ServerAccount::add(std::string_view sentence) {
    std::istringstream words{std::string(sentence)};
    std::string held;
    std::int64_t total = 0;
    words >> held >> total;
    std::int64_t sum = 0;
    std::string separator;
    while (words >> separator) {
        std::int64_t count = 0;
        words >> count >> std::ws;
        std::string reason;
        std::getline(words, reason, '+');
        if (!words.eof()) words.unget();  // the next separator
        while (!reason.empty() && reason.back() == ' ') reason.pop_back();
        close_reasons_[reason] += count;
        sum += count;
    }
    if (sum != total)
        throw std::runtime_error("an account does not add up: " + std::string(sentence));
    held_ += total;
}

std::string ServerAccount::to_sentence() const {
    std::string sentence = "held " + std::to_string(held_);
    const char* separator = " = ";
    for (const auto& [reason, count] : close_reasons_) {
        sentence += separator + std::to_string(count) + " " + reason;
        separator = " + ";
    }
    return sentence;
}

}  // namespace handover::test
