// SPDX-License-Identifier: MIT
// A TCP echo server without HTTP: what it takes to run anything that accepts as a
// handover::Service. One poll(2) loop in a thread of its own.
//
//     ./echo_tcp 127.0.0.1:7777 &  kill -USR2 $!

#include <handover/error.h>
#include <handover/generation.h>

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdio>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace {

using handover::Listener;
using handover::UniqueFd;

class EchoService : public handover::Service {
  public:
    EchoService() : thread_([this] { loop(); }) {}
    ~EchoService() override {
        ended_ = true;
        wake();
        thread_.join();
    }
    EchoService(const EchoService&) = delete;
    EchoService& operator=(const EchoService&) = delete;

    void start_accepting(const std::vector<const Listener*>& listeners) override {
        const std::lock_guard lock(mutex_);
        for (const auto* listener : listeners)
            listeners_.push_back({listener->fd.get(), listener->name});
        wake();
    }
    void stop_accepting() override {
        const std::lock_guard lock(mutex_);  // no accept is under way while we hold it
        listeners_.clear();
    }
    void accept_queued_and_stop() override {
        const std::lock_guard lock(mutex_);
        for (const auto& listener : listeners_) accept_all(listener);
        listeners_.clear();
        wake();
    }
    void adopt(handover::ParkedConnection connection) override {
        const std::lock_guard lock(mutex_);
        ++counts_.opened;
        connections_.push_back({std::move(connection.fd), connection.listener});
        wake();
    }
    /// An echo has no requests that could be in flight: what has arrived is sent back at once. So
    /// every connection may go to the next generation now, or be closed.
    void drain(const Drain& how, std::function<void()> drained) override {
        {
            const std::lock_guard lock(mutex_);
            for (auto& [fd, listener] : std::exchange(connections_, {})) {
                ++counts_[how.give ? handover::CloseReason::moved : handover::CloseReason::drained];
                if (how.give) how.give({std::move(fd), listener, ""});
            }
            wake();
        }
        drained();
    }
    std::size_t close_remaining() override { return 0; }
    [[nodiscard]] handover::ConnectionCounts counts() const override {
        const std::lock_guard lock(mutex_);
        return counts_;
    }

  private:
    struct ListenSocket {
        int fd;  // borrowed
        std::string name;
    };
    struct Connection {
        UniqueFd fd;
        std::string listener;
    };

    void wake() const { ::eventfd_write(wakeup_.get(), 1); }

    void loop() {
        std::vector<pollfd> waiting;
        while (!ended_) {
            {
                const std::lock_guard lock(mutex_);
                waiting = {{wakeup_.get(), POLLIN, 0}};
                for (const auto& listener : listeners_) waiting.push_back({listener.fd, POLLIN, 0});
                for (const auto& connection : connections_)
                    waiting.push_back({connection.fd.get(), POLLIN, 0});
            }
            ::poll(waiting.data(), waiting.size(), -1);
            const std::lock_guard lock(mutex_);
            eventfd_t count = 0;
            ::eventfd_read(wakeup_.get(), &count);
            for (const auto& listener : listeners_) accept_all(listener);
            counts_[handover::CloseReason::closed_by_client] += std::erase_if(
                connections_, [](const Connection& connection) { return !echo(connection.fd); });
        }
    }

    /// The listener is non-blocking and shared with other processes: EAGAIN is normal.
    void accept_all(const ListenSocket& door) {
        for (int fd; (fd = ::accept4(door.fd, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK)) >= 0;
             ++counts_.opened)
            connections_.push_back({UniqueFd(fd), door.name});
    }

    /// False when the connection is over.
    static bool echo(const UniqueFd& connection) {
        std::array<char, 4096> bytes{};
        for (;;) {
            const auto size = ::recv(connection.get(), bytes.data(), bytes.size(), 0);
            if (size < 0) return errno == EAGAIN;
            if (size == 0) return false;
            if (::send(connection.get(), bytes.data(), static_cast<std::size_t>(size),
                       MSG_NOSIGNAL) != size)
                return false;
        }
    }

    mutable std::mutex mutex_;  ///< guards the next three
    std::vector<ListenSocket> listeners_;
    std::vector<Connection> connections_;
    handover::ConnectionCounts counts_;
    UniqueFd wakeup_{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
    std::atomic<bool> ended_ = false;
    std::thread thread_;
};

}  // namespace

int main(int argc, char** argv) try {
    handover::GenerationOptions options;
    options.report = [](const handover::Report& what) {
        if (what.severity == handover::Report::Severity::debug) return;
        std::fprintf(stderr, "%s\n", what.text.c_str());
    };
    // Before any thread exists: it blocks the signals that the generation waits for.
    handover::Generation generation(handover::Inheritance::discover(), options);
    EchoService service;
    generation.serve(service,
                     {{"echo", handover::Endpoint::parse(argc > 1 ? argv[1] : ":7777"), true}});
    return generation.run().status;
} catch (const handover::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return error.exit_status();
}
