// SPDX-License-Identifier: MIT
//
// protocol_peer: what an older release of a program with our library would be, at either end of a
// handover. It speaks protocol version 1 or 2, as PEER_PROTOCOL says, by the bytes that these have
// always written, and has nothing in common with our channel: what breaks that protocol breaks its
// tests.
//
// Started with an inherited `channel` it is the successor: takes over, and answers every request on
// `http`. Otherwise it is the predecessor, called as what it shall start: binds a listener, takes
// one connection, and hands over when the first bytes come on that. In version 1 it answers when
// the request is complete; in version 2 the connection moves. Then it ends.
//
// It logs what it sees in the manner of handoverd, and what it did not expect as "unexpected: ".

#include "handover/endpoint.h"
#include "handover/unique_fd.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

using handover::Endpoint;
using handover::UniqueFd;
using namespace std::string_literals;

constexpr int protocol = PEER_PROTOCOL;

// "HOV1", version 1, type, length, reserved; then tag, length, bytes
const std::string magic_and_version = "HOV1\x01\x00"s;
const std::string hello_type = "\x01\x00"s;
const std::string hello =
    "HOV1\x01\x00\x01\x00\x22\x00\x00\x00\x00\x00\x00\x00"
    "\x01\x00\x01\x00"s +
    std::to_string(protocol) +
    "\x02\x00\x01\x00"
    "4"
    "\x03\x00\x05\x00"
    "0.1.0"
    "\x04\x00\x0b\x00"
    "deadbeef012"s;
const std::string ready = "HOV1\x01\x00\x02\x00\x00\x00\x00\x00\x00\x00\x00\x00"s;
const std::string go = "HOV1\x01\x00\x04\x00\x00\x00\x00\x00\x00\x00\x00\x00"s;
// Version 2. One connection of `http` on which "GET /hello HTTP/1.1" has come; no account.
const std::string connections_type = "HOV1\x02\x00\x05\x00"s;
const std::string end_type = "HOV1\x02\x00\x06\x00"s;
const std::string one_connection =
    "HOV1\x02\x00\x05\x00\x21\x00\x00\x00\x00\x00\x00\x00"
    "\x07\x00\x04\x00http"
    "\x08\x00\x15\x00"
    "GET /hello HTTP/1.1\r\n"s;
const std::string no_more = "HOV1\x02\x00\x06\x00\x00\x00\x00\x00\x00\x00\x00\x00"s;
constexpr int our_generation = 4;  // as the hello says

void log(const std::string& line) {
    std::fprintf(stderr, "%s\n", line.c_str());
}

[[noreturn]] void fail(const std::string& what) {
    log("unexpected: " + what);
    std::exit(1);
}

struct Packet {
    std::string bytes;  ///< none at the end
    std::vector<UniqueFd> fds;
};

Packet receive(int channel) {
    constexpr std::size_t most_fds = 253;
    std::string bytes(131072, '\0');
    alignas(cmsghdr) std::array<char, CMSG_SPACE(most_fds * sizeof(int))> control{};
    iovec part{bytes.data(), bytes.size()};
    msghdr packet{};
    packet.msg_iov = &part;
    packet.msg_iovlen = 1;
    packet.msg_control = control.data();
    packet.msg_controllen = control.size();
    pollfd there{channel, POLLIN, 0};
    while (::poll(&there, 1, -1) < 0) continue;
    const auto size = ::recvmsg(channel, &packet, MSG_CMSG_CLOEXEC);
    if (size < 0 && errno != ECONNRESET) fail("cannot read from the channel");
    Packet result;
    result.bytes = bytes.substr(0, static_cast<std::size_t>(size < 0 ? 0 : size));
    if (const cmsghdr* rights = CMSG_FIRSTHDR(&packet); rights != nullptr)
        for (std::size_t i = 0; i < (rights->cmsg_len - CMSG_LEN(0)) / sizeof(int); ++i) {
            int fd = -1;
            std::memcpy(&fd, CMSG_DATA(rights) + i * sizeof fd, sizeof fd);
            result.fds.emplace_back(fd);
        }
    return result;
}

void expect(int channel, const std::string& message, const char* name) {
    if (receive(channel).bytes != message) fail("another message than "s + name);
}

void expect_hello(int channel) {
    if (!receive(channel).bytes.starts_with(magic_and_version + hello_type))
        fail("another message than a hello of version 1");
}

void send(int channel, const std::string& message, int fd = -1) {
    std::string bytes = message;
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof fd)> control{};
    iovec part{bytes.data(), bytes.size()};
    msghdr packet{};
    packet.msg_iov = &part;
    packet.msg_iovlen = 1;
    if (fd >= 0) {
        packet.msg_control = control.data();
        packet.msg_controllen = control.size();
        cmsghdr* rights = CMSG_FIRSTHDR(&packet);
        rights->cmsg_level = SOL_SOCKET;
        rights->cmsg_type = SCM_RIGHTS;
        rights->cmsg_len = CMSG_LEN(sizeof fd);
        std::memcpy(CMSG_DATA(rights), &fd, sizeof fd);
    }
    if (::sendmsg(channel, &packet, MSG_NOSIGNAL) < 0) fail("cannot send");
}

void say_serving(int generation, const UniqueFd& listener) {
    log("generation " + std::to_string(generation) + " (pid " + std::to_string(::getpid()) +
        ") serves http on " + Endpoint::of_socket(listener.get())->to_string());
}

std::string answer_of(int generation) {
    const std::string body = "version " + std::to_string(protocol) + "\n";
    return "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) +
           "\r\nHandover-Generation: " + std::to_string(generation) +
           "\r\nHandover-Pid: " + std::to_string(::getpid()) + "\r\n\r\n" + body;
}

/// A connection that answers each complete head.
class Conversation {
  public:
    explicit Conversation(UniqueFd fd) : fd_(std::move(fd)) {}
    [[nodiscard]] int fd() const { return fd_.get(); }

    /// False at the end of the stream.
    bool read_more() {
        std::array<char, 4096> bytes{};
        const auto count = ::recv(fd_.get(), bytes.data(), bytes.size(), 0);
        if (count > 0) received_.append(bytes.data(), static_cast<std::size_t>(count));
        return count > 0;
    }
    /// How many.
    int answer_complete(int generation) {
        constexpr std::string_view end_of_head = "\r\n\r\n";
        int answered = 0;
        for (auto end = received_.find(end_of_head); end != std::string::npos;
             end = received_.find(end_of_head)) {
            received_.erase(0, end + end_of_head.size());
            const auto answer = answer_of(generation);
            (void)::send(fd_.get(), answer.data(), answer.size(), MSG_NOSIGNAL);
            ++answered;
        }
        return answered;
    }

  private:
    UniqueFd fd_;
    std::string received_;
};

// ---- the successor

/// By name, from LISTEN_FDS and LISTEN_FDNAMES (sd_listen_fds(3)).
std::map<std::string, UniqueFd> inherited() {
    std::map<std::string, UniqueFd> fds;
    const char* names = std::getenv("LISTEN_FDNAMES");
    std::istringstream in(names != nullptr ? names : "");
    int fd = 3;
    for (std::string name; std::getline(in, name, ':');) fds[name].reset(fd++);
    return fds;
}

/// What version 2 sends are connections on which nothing has come, and an account.
void take_after_go(Packet packet, UniqueFd& channel, std::vector<Conversation>& conversations) {
    if (packet.bytes.empty()) {
        log("the channel has ended");
        channel.reset();
    } else if (protocol >= 2 && packet.bytes.starts_with(connections_type)) {
        for (auto& fd : packet.fds) conversations.emplace_back(std::move(fd));
        log("has " + std::to_string(conversations.size()) + " connections");
    } else if (protocol < 2 || !packet.bytes.starts_with(end_type)) {
        fail("a message after go");
    }
}

[[noreturn]] void succeed(UniqueFd channel, const UniqueFd& listener) {
    constexpr int generation = 2;
    expect_hello(channel.get());
    send(channel.get(), hello);
    send(channel.get(), ready);
    expect(channel.get(), go, "go");
    say_serving(generation, listener);
    std::vector<Conversation> conversations;
    for (;;) {
        std::vector<pollfd> events{{channel.get(), POLLIN, 0}, {listener.get(), POLLIN, 0}};
        for (const auto& conversation : conversations)
            events.push_back({conversation.fd(), POLLIN, 0});
        if (::poll(events.data(), events.size(), -1) < 0) continue;
        const auto polled = conversations.size();
        if (events[0].revents != 0) {
            take_after_go(receive(channel.get()), channel, conversations);
        }
        for (std::size_t i = polled; i-- > 0;) {
            if (events[i + 2].revents == 0) continue;
            if (conversations[i].read_more())
                (void)conversations[i].answer_complete(generation);
            else
                conversations.erase(conversations.begin() + static_cast<std::ptrdiff_t>(i));
        }
        UniqueFd accepted(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
        if (accepted) conversations.emplace_back(std::move(accepted));
    }
}

// ---- the predecessor

UniqueFd bind_listener() {
    const auto wanted = Endpoint::parse("127.0.0.1:0");
    UniqueFd fd(::socket(wanted.family(), SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (::bind(fd.get(), wanted.address(), wanted.address_length()) != 0 ||
        ::listen(fd.get(), SOMAXCONN) != 0)
        fail("cannot listen");
    return fd;
}

/// Our end of the channel to the process that it starts.
UniqueFd start(char** argv, const UniqueFd& listener) {
    std::array<int, 2> ends{};
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0)
        fail("cannot make a channel");
    UniqueFd ours(ends[0]);
    const UniqueFd theirs(ends[1]);
    send(ours.get(), hello);
    const pid_t child = ::fork();
    if (child < 0) fail("cannot fork");
    if (child == 0) {
        // High first: what is inherited may stand where it shall go.
        constexpr int high = 100;
        ::dup2(listener.get(), high);
        ::dup2(theirs.get(), high + 1);
        ::dup2(high, 3);
        ::dup2(high + 1, 4);
        ::close(high);
        ::close(high + 1);
        ::setenv("LISTEN_FDS", "2", 1);
        ::setenv("LISTEN_FDNAMES", "http:channel", 1);
        ::setenv("LISTEN_PID", std::to_string(::getpid()).c_str(), 1);
        ::execv(argv[0], argv);
        ::_exit(127);
    }
    return ours;
}

int precede(char** argv) {
    auto listener = bind_listener();
    say_serving(our_generation, listener);
    pollfd client{listener.get(), POLLIN, 0};
    while (::poll(&client, 1, -1) != 1) continue;
    Conversation old(UniqueFd(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC)));
    if (!old.read_more()) fail("the client is gone");

    {
        const auto channel = start(argv, listener);
        expect_hello(channel.get());
        expect(channel.get(), ready, "ready");
        send(channel.get(), go);
        if (protocol >= 2) {
            send(channel.get(), one_connection, old.fd());
            send(channel.get(), no_more);
        }
    }
    listener.reset();
    log("generation " + std::to_string(our_generation) + " has said go");
    if (protocol >= 2) return 0;
    while (old.answer_complete(our_generation) == 0)
        if (!old.read_more()) fail("the client is gone");
    return 0;
}

}  // namespace

int main(int, char** argv) {
    auto fds = inherited();
    if (fds.contains("channel") && fds.contains("http"))
        succeed(std::move(fds["channel"]), fds["http"]);
    return precede(argv);
}
