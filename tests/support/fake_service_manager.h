// SPDX-License-Identifier: MIT
#pragma once

#include "handover/unique_fd.h"
#include "support/processes.h"

#include <sys/types.h>

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace handover::test {

/// The receiving end of sd_notify(3), with a thread of its own, so that a sender never waits.
///
/// Keeps every message, and an fd store with the habits of systemd's: newest first; a descriptor of
/// the same open file is dropped without a word and keeps its first name; FDSTOREREMOVE=1 takes all
/// entries of a name; what does not fit is closed. It answers BARRIER=1 by closing the descriptor.
/// It never drops an entry that hangs up (FDPOLL). Thread-safe.
class FakeServiceManager {
  public:
    struct Message {
        std::string text;
        pid_t sender = -1;
        std::size_t descriptors = 0;  ///< that came with it

        /// Is "NAME=value" one of its lines?
        [[nodiscard]] bool says(std::string_view assignment) const;
        /// What stands after "NAME=", if there is such a line.
        [[nodiscard]] std::optional<std::string> value(std::string_view name) const;
    };
    using Predicate = std::function<bool(const Message&)>;

    /// Throws std::system_error.
    explicit FakeServiceManager(std::size_t fd_store_max = 512);
    ~FakeServiceManager();
    FakeServiceManager(const FakeServiceManager&) = delete;
    FakeServiceManager& operator=(const FakeServiceManager&) = delete;

    /// For NOTIFY_SOCKET.
    [[nodiscard]] const std::string& address() const noexcept { return address_; }

    /// The first message of all, past or to come, that fulfils the predicate.
    [[nodiscard]] std::optional<Message> wait_for_message(
        const Predicate& predicate, std::chrono::milliseconds within = timeout);
    /// The same for one that says "NAME=value".
    [[nodiscard]] std::optional<Message> wait_for_message_saying(std::string_view assignment);

    /// All that had been sent before this call.
    [[nodiscard]] std::vector<Message> messages();
    void forget_messages();

    /// The names in the fd store, in the order in which a start would pass them on.
    [[nodiscard]] std::vector<std::string> stored_names();
    struct Entry {
        std::string name;
        UniqueFd fd;
    };
    /// Duplicates of all that is in it, in the same order.
    [[nodiscard]] std::vector<Entry> stored();
    /// A duplicate of the first stored descriptor of the name; empty if there is none.
    [[nodiscard]] UniqueFd stored(std::string_view name);
    /// Drops the first stored descriptor of the name.
    void drop_stored(std::string_view name);

  private:
    void receive_all();
    void receive(const std::string& text, pid_t sender, std::vector<UniqueFd> fds);
    void store(const std::string& name, UniqueFd fd);
    /// Returns when everything sent before has been received.
    void settle();

    std::size_t fd_store_max_;
    UniqueFd socket_;
    std::string address_;
    std::mutex mutex_;  ///< guards all below
    std::condition_variable changed_;
    std::vector<Message> messages_;
    std::vector<Entry> store_;
    unsigned settled_ = 0;
    std::thread thread_;
};

}  // namespace handover::test
