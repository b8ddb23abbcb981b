// SPDX-License-Identifier: MIT
#pragma once

#include "handover/counters.h"
#include "handover/ledger/generation_registry.h"
#include "handover/unique_fd.h"

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>

namespace handover {

/// What a service knows about itself across its generations: a small shared memory file (memfd)
/// that travels with the listeners under the name `ledger`, to a successor and through the fd
/// store. Two generations may have it mapped at the same time and see each other's entries at once.
///
/// It holds the number of the last generation, and which listeners the service bound itself, in
/// whichever generation: those are its own, to be kept in the fd store and, at the end, unlinked;
/// all others belong to a .socket unit. And which process is the main one, and which one stands in
/// for it where a supervisor watches a single pid (see Anchor). And the counters, which go on from
/// generation to generation. And what they have written about themselves (see GenerationRegistry).
/// Without an fd store it ends with the last process.
///
/// Thread-safe: every entry is a lock-free atomic. Nothing in it can make a reader fail; a file
/// that is not a ledger of this version is refused by adopt().
class Ledger {
  public:
    static constexpr const char* fd_name = "ledger";

    /// A fresh one. Throws Error (os).
    Ledger();
    /// The one inherited under fd_name; takes the descriptor. nullopt if it is not a ledger that
    /// this version understands.
    [[nodiscard]] static std::optional<Ledger> adopt(UniqueFd fd);
    ~Ledger();
    Ledger(Ledger&& other) noexcept;
    Ledger& operator=(Ledger&& other) noexcept;
    Ledger(const Ledger&) = delete;
    Ledger& operator=(const Ledger&) = delete;

    /// Borrowed, to be passed on under fd_name.
    [[nodiscard]] int fd() const noexcept { return fd_.get(); }

    /// The number of the last generation that began to serve; 0 if none has.
    [[nodiscard]] std::uint64_t last_generation() const noexcept;
    void set_last_generation(std::uint64_t number) noexcept;

    /// The process with whose end the service ends; 0 if none has served. Only processes of one pid
    /// namespace can make use of it.
    [[nodiscard]] pid_t main_pid() const noexcept;
    void set_main_pid(pid_t pid) noexcept;
    /// The anchor; 0 if there is none.
    [[nodiscard]] pid_t anchor_pid() const noexcept;
    void set_anchor_pid(pid_t pid) noexcept;
    /// Is the anchor between a look at main_pid() and a signal to that process?
    [[nodiscard]] bool is_signalling() const noexcept;
    void set_signalling(bool is_signalling) noexcept;

    /// How many main processes in a row have ended without a word before they were established.
    [[nodiscard]] std::uint64_t crashes() const noexcept;
    void set_crashes(std::uint64_t count) noexcept;

    /// How the last main process ended. It has crashed unless it says otherwise.
    struct End {
        enum class Kind : std::uint8_t { crash, restart, stop };
        Kind kind = Kind::crash;
        std::chrono::steady_clock::time_point when;  ///< of a restart
    };
    [[nodiscard]] End last_end() const noexcept;
    void set_last_end(const End& end) noexcept;

    [[nodiscard]] HandoverCounters handover_counters() const noexcept;
    /// For the program to count in what it likes; all zero at first.
    static constexpr std::size_t program_counters_size = 1024;
    [[nodiscard]] std::span<Counter, program_counters_size> program_counters() const noexcept;

    /// As long as this ledger is there.
    [[nodiscard]] GenerationRegistry registry() const noexcept;

    /// The service's own listeners, by socket cookie. enter_own() fails when there are 256 already.
    [[nodiscard]] bool enter_own(std::uint64_t cookie) noexcept;
    void strike_own(std::uint64_t cookie) noexcept;
    [[nodiscard]] bool is_own(std::uint64_t cookie) const noexcept;
    [[nodiscard]] std::size_t own_count() const noexcept;
    /// Strikes every entry that is not among `cookies`; returns how many.
    std::size_t keep_own(std::span<const std::uint64_t> cookies) noexcept;

  private:
    struct Page;
    Ledger(UniqueFd fd, Page* page) noexcept : fd_(std::move(fd)), page_(page) {}

    UniqueFd fd_;
    Page* page_ = nullptr;
};

}  // namespace handover
