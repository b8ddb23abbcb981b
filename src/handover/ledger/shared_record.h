// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>
#include <type_traits>

namespace handover {

/// A record in memory that processes share, written by one at a time, which may be killed at any
/// moment of it; read by any number of others at the same time. All zero: nothing is in it.
///
/// There are two copies, and the version says which one counts: a writer fills the other one and
/// counts the version up, so that a half-written record is one that nobody looks at. Whoever reads
/// across two writes sees that the version is another one. Should there have been two writers, or
/// a stranger, the checksum does not fit. Lock-free.
template <typename Record>
class SharedRecord {
    static_assert(std::is_trivially_copyable_v<Record> && sizeof(Record) % 8 == 0);
    using Words = std::array<std::uint64_t, sizeof(Record) / 8>;

  public:
    void write(const Record& record) noexcept {
        const auto words = std::bit_cast<Words>(record);
        const auto next = version_.load() + 1;
        auto& copy = copies_[next & 1];
        for (std::size_t i = 0; i < words.size(); ++i) copy.words[i].store(words[i]);
        copy.checksum.store(checksum(words, next));
        version_.store(next);
    }

    /// nullopt: nothing has been written, or what is there was never written like that.
    [[nodiscard]] std::optional<Record> read() const noexcept {
        constexpr int tries = 16;  // each but the last is thwarted by two writes meanwhile
        for (int i = 0; i < tries; ++i) {
            const auto version = version_.load();
            if (version == 0) return std::nullopt;
            const auto& copy = copies_[version & 1];
            Words words;
            for (std::size_t k = 0; k < words.size(); ++k) words[k] = copy.words[k].load();
            const auto sum = copy.checksum.load();
            if (version_.load() != version) continue;
            if (sum != checksum(words, version)) return std::nullopt;
            return std::bit_cast<Record>(words);
        }
        return std::nullopt;
    }

  private:
    /// FNV-1a by words, and folded, so that every bit of a word counts in all of the sum.
    static std::uint64_t checksum(const Words& words, std::uint64_t version) noexcept {
        constexpr std::uint64_t prime = 0x100000001b3;
        std::uint64_t sum = 0xcbf29ce484222325 ^ version;
        for (const auto word : words) {
            sum = (sum ^ word) * prime;
            sum ^= sum >> 32U;
        }
        return sum;
    }

    struct Copy {
        std::array<std::atomic<std::uint64_t>, sizeof(Record) / 8> words;
        std::atomic<std::uint64_t> checksum;
    };
    std::atomic<std::uint64_t> version_;
    Copy copies_[2];
};

/// A text in such a record; what does not fit is cut off and replaced by "...".
template <std::size_t size>
class BoundedText {
  public:
    BoundedText() noexcept = default;
    explicit BoundedText(std::string_view text) noexcept {
        constexpr std::string_view cut = "...";
        const bool fits = text.size() <= size;
        const auto length = fits ? text.size() : size - cut.size();
        text.copy(bytes_, length);
        if (!fits) cut.copy(bytes_ + length, cut.size());
    }
    /// As it was written, by whomever.
    [[nodiscard]] std::string_view view() const noexcept {
        return {bytes_, ::strnlen(bytes_, size)};
    }

  private:
    char bytes_[size] = {};
};

}  // namespace handover
