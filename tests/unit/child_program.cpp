// SPDX-License-Identifier: MIT
// A program for tests to start: what it does, its first argument says.

#include "handover/build_id.h"
#include "handover/error.h"
#include "handover/ledger/ledger.h"
#include "handover/listeners/inherited_state.h"
#include "handover/peer/channel.h"
#include "handover/peer/program.h"
#include "handover/systemd/listen_fds.h"
#include "support/open_descriptors.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

namespace handover::test {
namespace {

using Arguments = std::vector<std::string>;
using Mode = int (*)(const Arguments& rest);

// ---- how it was started

/// Where a test that uses SuccessorProcess listens: standard output is its own.
constexpr int report_fd = 3;

void write_report(const std::string& text) {
    for (std::size_t done = 0; done < text.size();) {
        const auto count = ::write(report_fd, text.data() + done, text.size() - done);
        if (count <= 0) return;
        done += static_cast<std::size_t>(count);
    }
}

std::string line_of(const std::string& file, const std::string& key) {
    std::ifstream in(file);
    for (std::string line; std::getline(in, line);)
        if (line.starts_with(key)) return line;
    return {};
}

int report_self(const Arguments& rest) {
    const auto descriptors = open_descriptors();
    std::ostringstream out;
    out << "pid " << ::getpid() << "\nparent " << ::getppid() << "\n";
    for (const auto& argument : rest) out << "argument " << argument << "\n";
    out << "directory " << Program::remember().directory << "\ndescriptors";
    for (const int fd : descriptors) out << " " << fd;
    out << "\n";
    out << line_of("/proc/self/status", "SigBlk:") << "\n";
    for (char** entry = environ; *entry != nullptr; ++entry) out << "env " << *entry << "\n";
    write_report(out.str());
    return 0;
}

/// Lives until the other end of the passed descriptor goes: no test leaves one behind.
int wait_for_hangup(const Arguments& /*rest*/) {
    write_report("alive\n");
    pollfd other_end{report_fd, 0, 0};
    ::poll(&other_end, 1, -1);
    return 0;
}

int exit_with(const Arguments& rest) {
    return std::stoi(rest.at(0));
}

int die_of(const Arguments& rest) {
    ::signal(std::stoi(rest.at(0)), SIG_DFL);
    ::raise(std::stoi(rest.at(0)));
    return 0;
}

void print(const Program& program) {
    std::cout << "executable " << program.executable << "\ndirectory " << program.directory << "\n";
    for (const auto& argument : program.arguments) std::cout << "argument " << argument << "\n";
    // Not all of it: a test's output is read by others than the one who runs it.
    for (const auto& entry : program.environment)
        if (entry.starts_with("TEST_")) std::cout << "env " << entry << "\n";
    std::cout << "usr1 " << (::sigismember(&program.signal_mask, SIGUSR1) == 1 ? "blocked" : "free")
              << "\n";
}

int remember(const Arguments& rest) {
    // An upgrade may come between exec and main().
    if (!rest.empty()) ::unlink(rest.at(0).c_str());
    print(Program::remember());
    return 0;
}

/// As systemd starts a service: the kernel is given a descriptor of the file, not its path.
int exec_by_descriptor(const Arguments& rest) {
    const int self = ::open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    auto argv0 = rest.at(0);
    std::string mode = "remember";
    char* const argv[] = {argv0.data(), mode.data(), nullptr};
    ::fexecve(self, argv, environ);
    return 127;
}

int print_build_id(const Arguments& /*rest*/) {
    std::cout << build_id() << "\n";
    return 0;
}

// ---- descriptors, as somebody would pass them

UniqueFd listening_tcp() {
    UniqueFd fd(::socket(AF_INET, SOCK_STREAM, 0));
    sockaddr_in loopback{};
    loopback.sin_family = AF_INET;
    loopback.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::bind(fd.get(), reinterpret_cast<sockaddr*>(&loopback), sizeof loopback) != 0 ||
        ::listen(fd.get(), 1) != 0)
        return UniqueFd();
    return fd;
}

/// Of a predecessor, or out of the fd store, or with nothing in it that makes sense. Nobody is at
/// the other end any more.
UniqueFd make_channel(const std::string& kind) {
    auto [theirs, ours] = Channel::make_pair();
    auto hello = Message::of(Message::Type::hello);
    if (kind == "channel-stored") hello.fields.emplace_back(Message::Tag::stored, "1");
    if (kind == "channel-nonsense") hello.type = Message::Type::go;
    (void)theirs.send(hello);
    return std::move(ours).release();
}

UniqueFd make_descriptor(const std::string& kind) {
    if (kind == "tcp") return listening_tcp();
    if (kind == "datagram") return UniqueFd(::socket(AF_UNIX, SOCK_DGRAM, 0));
    if (kind == "seqpacket") return UniqueFd(::socket(AF_UNIX, SOCK_SEQPACKET, 0));
    if (kind.starts_with("channel")) return make_channel(kind);
    if (kind == "memory") return UniqueFd(::memfd_create("test", 0));
    if (kind == "file") return UniqueFd(::open("/proc/self/status", O_RDONLY));
    if (kind == "ledger" || kind == "newer-ledger") {
        Ledger ledger;
        ledger.set_last_generation(kind == "ledger" ? 41 : 42);
        return UniqueFd(::fcntl(ledger.fd(), F_DUPFD, 3));
    }
    if (kind == "same") return UniqueFd(::dup(report_fd));
    return UniqueFd();
}

/// "tcp", "none" and so on become the descriptors 3, 4, ...; "NAME=value" sets a variable, where
/// the value "self" is our pid.
void arrange(const Arguments& items) {
    // Whoever runs the tests may have left something open for everybody.
    for (const int fd : open_descriptors())
        if (fd >= report_fd) ::close(fd);
    int place = report_fd;
    for (const auto& item : items) {
        if (const auto equals = item.find('='); equals != std::string::npos) {
            const auto value = item.substr(equals + 1);
            const auto text = value == "self" ? std::to_string(::getpid()) : value;
            ::setenv(item.substr(0, equals).c_str(), text.c_str(), 1);
            continue;
        }
        constexpr int out_of_the_way = 64;
        auto made = make_descriptor(item);
        const UniqueFd high(::fcntl(made.get(), F_DUPFD, out_of_the_way));
        made.reset();
        if (high) ::dup2(high.get(), place);
        ++place;
    }
}

const char* name_of(Descriptor::Kind kind) {
    switch (kind) {
        case Descriptor::Kind::closed:
            return "closed";
        case Descriptor::Kind::stream_listener:
            return "stream_listener";
        case Descriptor::Kind::stream:
            return "stream";
        case Descriptor::Kind::seqpacket:
            return "seqpacket";
        case Descriptor::Kind::other_socket:
            return "other_socket";
        case Descriptor::Kind::memory:
            return "memory";
        case Descriptor::Kind::other:
            return "other";
    }
    return "";
}

void print(const InheritedFd& inherited) {
    const int fd = inherited.fd.get();
    std::cout << fd << " " << inherited.name << " " << name_of(inherited.what.kind)
              << (is_cloexec(fd) ? " cloexec" : "") << (is_nonblocking(fd) ? " nonblock" : "")
              << "\n";
}

/// What an error leaves behind is of interest too.
void print_what_is_left() {
    std::cout << "open";
    for (const int fd : open_descriptors()) std::cout << " " << fd;
    std::cout << "\nvariables";
    for (char** entry = environ; *entry != nullptr; ++entry)
        if (std::string(*entry).starts_with("LISTEN_")) std::cout << " " << *entry;
    std::cout << "\n";
}

int adopt(const Arguments& rest) {
    arrange(rest);
    InheritedFds inherited;
    try {
        inherited = take_inherited_fds();
    } catch (const Error& error) {
        std::cout << "error " << error.exit_status() << " " << error.what() << "\n";
    }
    for (const auto& one : inherited.fds) print(one);
    for (const auto& name : inherited.duplicate_names) std::cout << "duplicate " << name << "\n";
    print_what_is_left();
    return 0;
}

int discover(const Arguments& rest) {
    arrange(rest);
    const auto inheritance = InheritedState::discover();
    for (const auto& one : inheritance.listeners) print(one);
    for (const auto& name : inheritance.duplicate_names) std::cout << "duplicate " << name << "\n";
    for (const auto& warning : inheritance.warnings) std::cout << "warning " << warning << "\n";
    if (inheritance.ledger) std::cout << "ledger " << inheritance.ledger->last_generation() << "\n";
    if (inheritance.stale_ledgers) std::cout << "stale ledgers\n";
    if (inheritance.predecessor)
        std::cout << "predecessor " << inheritance.predecessor->fd() << "\n";
    if (!inheritance.stored_channels.empty())
        std::cout << "stored channels " << inheritance.stored_channels.size() << "\n";
    if (inheritance.unknown_channels) std::cout << "unknown channels\n";
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    std::cout << "limit " << limit.rlim_cur << "\n";
    sigset_t blocked;
    ::pthread_sigmask(SIG_SETMASK, nullptr, &blocked);
    for (const int number : {SIGHUP, SIGUSR1, SIGUSR2, SIGTERM, SIGINT})
        if (::sigismember(&blocked, number) == 1) std::cout << "blocked " << number << "\n";
    print(inheritance.program);
    print_what_is_left();
    return 0;
}

// ---- a successor, as it should and should not be

void wait_for_event(int fd) {
    pollfd waiting{fd, POLLIN, 0};
    ::poll(&waiting, 1, -1);
}

Message hello() {
    Message message;
    message.fields = {{Message::Tag::protocol, "1"},
                      {Message::Tag::generation, "8"},
                      {Message::Tag::version, "2.0 (test)"},
                      {Message::Tag::build_id, "c0ffee"}};
    return message;
}

Message of_type(Message::Type type) {
    Message message;
    message.type = type;
    return message;
}

/// Until the predecessor says that or is gone.
bool await(const Channel& channel, Message::Type wanted) {
    while (true) {
        Message message;
        switch (channel.receive(message)) {
            case Channel::Received::message:
                if (message.type == wanted) return true;
                break;
            case Channel::Received::nothing:
                wait_for_event(channel.fd());
                break;
            case Channel::Received::closed:
            case Channel::Received::refused:
                return false;
        }
    }
}

/// On probation: says what it is told to say, and waits for the end of it.
int serve_on_probation(const Channel& channel, const std::string& how) {
    if (how == "unread") return 42;
    if (how == "stopping") {
        (void)channel.send(of_type(Message::Type::stopping));
        return 42;
    }
    if (how == "well-on-probation" && await(channel, Message::Type::health_check))
        (void)channel.send(of_type(Message::Type::healthy));
    if (how == "wanting-promotion") (void)channel.send(of_type(Message::Type::promote_me));
    return await(channel, Message::Type::promoted) ? 43 : 1;
}

/// Says all that could be taken for the word of the successor.
void let_a_stranger_speak(const Channel& channel) {
    const pid_t stranger = ::fork();
    if (stranger == 0) {
        auto its_hello = hello();
        its_hello.fields[1].second = "666";
        (void)channel.send(its_hello);
        (void)channel.send(of_type(Message::Type::ready));
        (void)::send(channel.fd(), "", 0, MSG_NOSIGNAL);
        (void)::send(channel.fd(), "garbage", 7, MSG_NOSIGNAL);
        (void)channel.send(Message::failed("the stranger says so"));
        (void)channel.send(of_type(Message::Type::promote_me));
        ::_exit(0);
    }
    ::waitpid(stranger, nullptr, 0);
}

int succeed(const Arguments& rest) {
    const auto inheritance = InheritedState::discover();
    const auto& channel = inheritance.predecessor.value();
    const auto& how = rest.at(0);
    if (how == "refusing-at-once") {
        inheritance.refuse("no such option '--frobnicate'");
        return 78;
    }
    Message its_hello;
    if (channel.receive(its_hello) != Channel::Received::message) return 2;
    if (how.starts_with("stranger")) let_a_stranger_speak(channel);
    if (how == "stranger-and-gone") return 7;
    (void)channel.send(hello());
    if (how == "failed") {
        auto failed = of_type(Message::Type::failed);
        failed.fields.emplace_back(Message::Tag::reason, "the disk is full");
        (void)channel.send(failed);
    } else if (how == "garbage") {
        (void)::send(channel.fd(), "garbage", 7, MSG_NOSIGNAL);
    } else if (how != "hanging") {
        (void)channel.send(of_type(Message::Type::ready));
    }
    if (how == "ready-and-gone" || how == "stranger-first") return 3;
    if (how == "ready-twice") (void)channel.send(of_type(Message::Type::ready));
    if (!await(channel, Message::Type::go)) return 1;
    return how == "well" || how == "ready-twice" ? 42 : serve_on_probation(channel, how);
}

int run(const Arguments& arguments) {
    const std::map<std::string, Mode> modes = {
        {"report-self", report_self}, {"wait", wait_for_hangup},
        {"exit", exit_with},          {"die", die_of},
        {"remember", remember},       {"exec-by-descriptor", exec_by_descriptor},
        {"build-id", print_build_id}, {"adopt", adopt},
        {"discover", discover},       {"succeed", succeed}};
    const auto mode = modes.find(arguments.empty() ? "" : arguments.front());
    if (mode == modes.end()) {
        std::cerr << "child_program: what shall I do?\n";
        return 64;
    }
    return mode->second({arguments.begin() + 1, arguments.end()});
}

}  // namespace
}  // namespace handover::test

int main(int argc, char** argv) {
    return handover::test::run({argv + 1, argv + argc});
}
