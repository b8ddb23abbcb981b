// SPDX-License-Identifier: MIT
#include "handover/ledger/ledger.h"

#include "handover/error.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <new>

namespace handover {

/// The format, version 1. It may grow at the end: a longer file of the same version is accepted, a
/// reader only uses what it knows; a shorter one, of an older release, is made longer. All zero is
/// a valid fresh ledger but for magic and version, and so is what has been added.
struct Ledger::Page {
    static constexpr std::uint64_t expected_magic = 0x31726567'64656c68;  // "hledger1"
    static constexpr std::size_t most_own = 256;

    std::uint64_t magic;
    std::atomic<std::uint64_t> last_generation;
    std::atomic<std::uint64_t> own[most_own];  // socket cookies; 0 is a free place
    std::atomic<std::int64_t> main_pid;        // added later, like what follows
    std::atomic<std::int64_t> anchor_pid;
    std::atomic<std::uint64_t> crashes;
    std::atomic<std::uint64_t> last_end;      // an End::Kind
    std::atomic<std::int64_t> last_end_time;  // ns of CLOCK_MONOTONIC
    Counter handover_counters[HandoverCounters::size];
    Counter program_counters[program_counters_size];
    LedgerFormat registry;
    std::atomic<std::uint64_t> signalling;  // 0 or 1

    static_assert(std::atomic<std::uint64_t>::is_always_lock_free,
                  "another process cannot take part in a lock of ours");
};

namespace {

/// As far as `own` of the page: what the format had at first.
constexpr off_t least_size = sizeof(std::uint64_t) * (2 + 256);

// Nobody may cut the file short under a reader: that would be SIGBUS (memfd_create(2)).
constexpr int needed_seals = F_SEAL_SHRINK;

std::uint64_t magic_of(int fd) {
    std::uint64_t magic = 0;
    return ::pread(fd, &magic, sizeof magic, 0) == sizeof magic ? magic : 0;
}

template <typename Page>
Page* map(int fd) {
    void* memory = ::mmap(nullptr, sizeof(Page), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    return memory == MAP_FAILED ? nullptr : static_cast<Page*>(memory);
}

}  // namespace

Ledger::Ledger() {
    fd_.reset(::memfd_create("handover-ledger", MFD_CLOEXEC | MFD_ALLOW_SEALING));
    if (!fd_ || ::ftruncate(fd_.get(), sizeof(Page)) != 0 ||
        ::fcntl(fd_.get(), F_ADD_SEALS, needed_seals) != 0)
        throw os_error("cannot make the ledger's memory file", errno);
    page_ = map<Page>(fd_.get());
    if (!page_) throw os_error("cannot map the ledger's memory file", errno);
    page_->magic = Page::expected_magic;
}

std::optional<Ledger> Ledger::adopt(UniqueFd fd) {
    struct stat status {};
    const int seals = ::fcntl(fd.get(), F_GET_SEALS);
    if (seals < 0 || (seals & needed_seals) != needed_seals || ::fstat(fd.get(), &status) != 0 ||
        status.st_size < least_size || magic_of(fd.get()) != Page::expected_magic)
        return std::nullopt;
    if (status.st_size < static_cast<off_t>(sizeof(Page)) &&
        ::ftruncate(fd.get(), sizeof(Page)) != 0)
        return std::nullopt;
    Page* page = map<Page>(fd.get());
    if (!page) return std::nullopt;
    return Ledger(std::move(fd), page);
}

Ledger::~Ledger() {
    if (page_) ::munmap(page_, sizeof(Page));
}

Ledger::Ledger(Ledger&& other) noexcept
    : fd_(std::move(other.fd_)), page_(std::exchange(other.page_, nullptr)) {}

Ledger& Ledger::operator=(Ledger&& other) noexcept {
    std::swap(page_, other.page_);
    std::swap(fd_, other.fd_);
    return *this;
}

std::uint64_t Ledger::last_generation() const noexcept {
    return page_->last_generation.load();
}

void Ledger::set_last_generation(std::uint64_t number) noexcept {
    page_->last_generation.store(number);
}

pid_t Ledger::main_pid() const noexcept {
    return static_cast<pid_t>(page_->main_pid.load());
}

void Ledger::set_main_pid(pid_t pid) noexcept {
    page_->main_pid.store(pid);
}

pid_t Ledger::anchor_pid() const noexcept {
    return static_cast<pid_t>(page_->anchor_pid.load());
}

void Ledger::set_anchor_pid(pid_t pid) noexcept {
    page_->anchor_pid.store(pid);
}

bool Ledger::is_signalling() const noexcept {
    return page_->signalling.load() != 0;
}

void Ledger::set_signalling(bool is_signalling) noexcept {
    page_->signalling.store(is_signalling ? 1 : 0);
}

std::uint64_t Ledger::crashes() const noexcept {
    return page_->crashes.load();
}

void Ledger::set_crashes(std::uint64_t count) noexcept {
    page_->crashes.store(count);
}

Ledger::End Ledger::last_end() const noexcept {
    const std::chrono::steady_clock::time_point when{
        std::chrono::nanoseconds(page_->last_end_time.load())};
    switch (page_->last_end.load()) {
        case static_cast<std::uint64_t>(End::Kind::restart):
            return {End::Kind::restart, when};
        case static_cast<std::uint64_t>(End::Kind::stop):
            return {End::Kind::stop, when};
        default:
            return {};
    }
}

void Ledger::set_last_end(const End& end) noexcept {
    page_->last_end_time.store(std::chrono::nanoseconds(end.when.time_since_epoch()).count());
    page_->last_end.store(static_cast<std::uint64_t>(end.kind));
}

HandoverCounters Ledger::handover_counters() const noexcept {
    return HandoverCounters(page_->handover_counters);
}

std::span<Counter, Ledger::program_counters_size> Ledger::program_counters() const noexcept {
    return page_->program_counters;
}

GenerationRegistry Ledger::registry() const noexcept {
    return {page_->registry, fd_.get()};
}

bool Ledger::enter_own(std::uint64_t cookie) noexcept {
    if (is_own(cookie)) return true;
    for (auto& place : page_->own) {
        std::uint64_t free_place = 0;
        if (place.compare_exchange_strong(free_place, cookie)) return true;
    }
    return false;
}

void Ledger::strike_own(std::uint64_t cookie) noexcept {
    for (auto& place : page_->own) {
        std::uint64_t expected = cookie;
        place.compare_exchange_strong(expected, 0);
    }
}

bool Ledger::is_own(std::uint64_t cookie) const noexcept {
    return cookie != 0 && std::any_of(std::begin(page_->own), std::end(page_->own),
                                      [cookie](const auto& place) { return place == cookie; });
}

std::size_t Ledger::own_count() const noexcept {
    return static_cast<std::size_t>(std::count_if(std::begin(page_->own), std::end(page_->own),
                                                  [](const auto& place) { return place != 0; }));
}

std::size_t Ledger::keep_own(std::span<const std::uint64_t> cookies) noexcept {
    std::size_t struck = 0;
    for (auto& place : page_->own) {
        const std::uint64_t entry = place;
        if (entry == 0 || std::find(cookies.begin(), cookies.end(), entry) != cookies.end())
            continue;
        place = 0;
        ++struck;
    }
    return struck;
}

}  // namespace handover
