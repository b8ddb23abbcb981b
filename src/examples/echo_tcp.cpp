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
        for (const auto* listener : listeners) listeners_.push_back(listener->fd.get());
        wake();
    }
    void stop_accepting() override {
        const std::lock_guard lock(mutex_);  // no accept is under way while we hold it
        listeners_.clear();
    }
    void accept_queued_and_stop() override {
        const std::lock_guard lock(mutex_);
        for (const int listener : listeners_) accept_all(listener);
        listeners_.clear();
        wake();
    }
    /// An echo has no requests that could be in flight: what has arrived is sent back at once, so
    /// every connection may be closed after the grace. This example closes them now.
    void drain(const Drain&, std::function<void()> drained) override {
        (void)close_remaining();
        drained();
    }
    std::size_t close_remaining() override {
        const std::lock_guard lock(mutex_);
        wake();
        return std::exchange(connections_, {}).size();
    }
    [[nodiscard]] std::size_t open_connections() const override {
        const std::lock_guard lock(mutex_);
        return connections_.size();
    }

  private:
    void wake() const { ::eventfd_write(wakeup_.get(), 1); }

    void loop() {
        std::vector<pollfd> waiting;
        while (!ended_) {
            {
                const std::lock_guard lock(mutex_);
                waiting = {{wakeup_.get(), POLLIN, 0}};
                for (const int listener : listeners_) waiting.push_back({listener, POLLIN, 0});
                for (const auto& connection : connections_)
                    waiting.push_back({connection.get(), POLLIN, 0});
            }
            ::poll(waiting.data(), waiting.size(), -1);
            const std::lock_guard lock(mutex_);
            eventfd_t count = 0;
            ::eventfd_read(wakeup_.get(), &count);
            for (const int listener : listeners_) accept_all(listener);
            std::erase_if(connections_,
                          [](const UniqueFd& connection) { return !echo(connection); });
        }
    }

    /// The listener is non-blocking and shared with other processes: EAGAIN is normal.
    void accept_all(int listener) {
        for (int fd;
             (fd = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK)) >= 0;)
            connections_.emplace_back(fd);
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

    mutable std::mutex mutex_;  ///< guards listeners_ and connections_
    std::vector<int> listeners_;
    std::vector<UniqueFd> connections_;
    UniqueFd wakeup_{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
    std::atomic<bool> ended_ = false;
    std::thread thread_;
};

}  // namespace

int main(int argc, char** argv) try {
    handover::GenerationOptions options;
    options.report = [](handover::GenerationOptions::Severity, const std::string& text) {
        std::fprintf(stderr, "%s\n", text.c_str());
    };
    // Before any thread exists: it blocks the signals that the generation waits for.
    handover::Generation generation(handover::Origin::discover(), options);
    EchoService service;
    generation.serve(service,
                     {{"echo", handover::Endpoint::parse(argc > 1 ? argv[1] : ":7777"), true}});
    return generation.run().status;
} catch (const handover::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return error.exit_status();
}
