// SPDX-License-Identifier: MIT
// Requests are the same ones whether a connection stays, moves to another process after each of
// them, or has come with a part of them already received; and whatever the steps in which their
// bodies are read.
//
// The first byte says how many bytes had been received before, the second how large a step is.
#include "fuzzer.h"
#include "http/connection_handler.h"
#include "http/message_stream.h"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

using handover::CloseReason;
using handover::Counter;
using handover::UniqueFd;
using handover::http::Connection;
using handover::http::ConnectionHandler;
using handover::http::MessageStream;
using handover::http::ReceiveBuffer;
using handover::http::RequestHead;
using handover::http::Responder;
using handover::http::ServerCounters;
using handover::http::ServerOptions;
using handover::http::SlowClientLimit;

namespace {

constexpr std::size_t bytes_max = 8192;  // less than the socket takes at once
constexpr int turns_max = 2 * static_cast<int>(bytes_max);

ServerOptions small_limits() {
    ServerOptions options;
    options.head_bytes_max = 1024;
    options.head_lines_max = 20;
    options.body_bytes_max = 2000;
    return options;
}

/// What somebody who answers them would see.
struct Seen {
    std::vector<std::string> requests;
    ConnectionHandler::Next end = ConnectionHandler::Next::park;
    CloseReason ending = CloseReason::closed_by_client;
    bool operator==(const Seen&) const = default;
};

/// Reads each request to its end, in steps, and has the connection moved after it.
class Recorder final : public Responder {
  public:
    Recorder(const ServerOptions& options, std::size_t step, bool moves, std::atomic<bool>& moving)
        : options_(options), step_(step), moves_(moves), moving_(moving) {}

    Answer respond(Connection& connection, ReceiveBuffer& input, const RequestHead& head) override {
        MessageStream stream(connection, input, head, options_, waits_);
        auto& request = requests_.emplace_back();
        read_all(stream, request);
        if (stream.broken()) return {Outcome::close};
        stream.begin_body();
        std::string body;
        read_all(stream, body);
        // How much of it comes before the fault depends on the steps.
        if (stream.broken()) return {Outcome::close, CloseReason::closed_by_client};
        require(stream.at_end());
        request += body;
        moving_ = moves_;
        return {Outcome::next_request};
    }
    [[nodiscard]] std::vector<std::string> requests() { return std::move(requests_); }

  private:
    void read_all(MessageStream& stream, std::string& request) const {
        std::array<char, 256> bytes{};
        for (;;) {
            const auto count = stream.read(bytes.data(), std::min(step_, bytes.size()));
            if (count <= 0) return;
            request.append(bytes.data(), static_cast<std::size_t>(count));
        }
    }

    const ServerOptions& options_;
    const std::size_t step_;
    const bool moves_;
    std::atomic<bool>& moving_;
    SlowClientLimit waits_{1};
    std::vector<std::string> requests_;
};

/// A connection on which all of it has been sent, `received` of it read by somebody before us, and
/// nothing will come any more.
Connection connection_with(std::string_view bytes, std::size_t received, UniqueFd& client) {
    std::array<int, 2> ends{};
    require(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends.data()) == 0);
    client.reset(ends[0]);
    Connection connection;
    connection.fd.reset(ends[1]);
    connection.unread = bytes.substr(0, received);
    const auto rest = bytes.substr(connection.unread.size());
    require(::send(client.get(), rest.data(), rest.size(), 0) == static_cast<ssize_t>(rest.size()));
    require(::shutdown(client.get(), SHUT_WR) == 0);
    return connection;
}

/// As it arrives in another process.
Connection moved(Connection connection) {
    Connection there;
    there.fd = std::move(connection.fd);
    there.unread = std::move(connection.unread);
    return there;
}

Seen serve(std::string_view bytes, std::size_t received, std::size_t step, bool moves) {
    static const ServerOptions options = small_limits();
    std::atomic<bool> moving = false;
    Recorder recorder(options, step, moves, moving);
    std::array<Counter, ServerCounters::size> places{};
    const ServerCounters counters(places);
    ConnectionHandler conversation(options, recorder, moving, counters);
    ReceiveBuffer input(options.head_bytes_max);
    UniqueFd client;
    auto connection = connection_with(bytes, std::min(received, input.capacity()), client);
    for (int i = 0; i < turns_max; ++i) {
        const auto turn = conversation.handle_ready(connection, input);
        connection.waiting = turn.waiting;
        connection.since = handover::http::Clock::now();
        if (turn.next == ConnectionHandler::Next::move) {
            connection = moved(std::move(connection));
            moving = false;
        } else if (turn.next == ConnectionHandler::Next::linger ||
                   turn.next == ConnectionHandler::Next::close) {
            return {recorder.requests(), turn.next, turn.ending};
        }
    }
    require(false);  // it never comes to an end
    return {};
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 2 || size > bytes_max) return 0;
    const std::string_view bytes(reinterpret_cast<const char*>(data) + 2, size - 2);
    const std::size_t received = data[0] * std::size_t{4};
    const std::size_t step = data[1] + std::size_t{1};
    const auto stayed = serve(bytes, 0, 256, false);
    require(serve(bytes, received, 256, false) == stayed);
    require(serve(bytes, 0, step, true) == stayed);
    require(serve(bytes, received, step, true) == stayed);
    return 0;
}
