// SPDX-License-Identifier: MIT
#include "support/fake_service_manager.h"

#include <fcntl.h>
#include <linux/kcmp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <system_error>
#include <utility>

namespace handover::test {
namespace {

/// What we send to ourselves; no line of sd_notify(3) looks like it.
constexpr std::string_view settle_message = "X_FAKE_SETTLE";
constexpr std::string_view end_message = "X_FAKE_END";

[[noreturn]] void fail(const char* what) {
    throw std::system_error(errno, std::generic_category(), what);
}

bool same_open_file(int a, int b) {
    const auto pid = ::getpid();
    const long order = ::syscall(SYS_kcmp, pid, pid, KCMP_FILE, a, b);
    if (order >= 0) return order == 0;
    // A kernel without kcmp(2): as systemd does then, compare the inodes.
    struct stat of_a {};
    struct stat of_b {};
    return ::fstat(a, &of_a) == 0 && ::fstat(b, &of_b) == 0 && of_a.st_dev == of_b.st_dev &&
           of_a.st_ino == of_b.st_ino;
}

bool send_to(const std::string& address, std::string_view text) noexcept {
    sockaddr_un un{};
    un.sun_family = AF_UNIX;
    std::memcpy(un.sun_path, address.data(), address.size());
    un.sun_path[0] = '\0';
    const UniqueFd fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    return ::sendto(fd.get(), text.data(), text.size(), MSG_NOSIGNAL,
                    reinterpret_cast<const sockaddr*>(&un),
                    static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + address.size())) >= 0;
}

}  // namespace

bool FakeServiceManager::Message::says(std::string_view assignment) const {
    const std::string lines = "\n" + text + "\n";
    return lines.find("\n" + std::string(assignment) + "\n") != std::string::npos;
}

std::optional<std::string> FakeServiceManager::Message::value(std::string_view name) const {
    const std::string lines = "\n" + text + "\n";
    const std::string key = "\n" + std::string(name) + "=";
    const auto at = lines.find(key);
    if (at == std::string::npos) return std::nullopt;
    const auto begin = at + key.size();
    return lines.substr(begin, lines.find('\n', begin) - begin);
}

FakeServiceManager::FakeServiceManager(std::size_t fd_store_max)
    : fd_store_max_(fd_store_max), socket_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    // Only the family: the kernel chooses a free abstract name (unix(7), autobind).
    sockaddr_un un{};
    un.sun_family = AF_UNIX;
    const int on = 1;
    socklen_t length = sizeof un;
    if (!socket_ ||
        ::bind(socket_.get(), reinterpret_cast<sockaddr*>(&un), sizeof un.sun_family) != 0 ||
        ::setsockopt(socket_.get(), SOL_SOCKET, SO_PASSCRED, &on, sizeof on) != 0 ||
        ::getsockname(socket_.get(), reinterpret_cast<sockaddr*>(&un), &length) != 0)
        fail("cannot make a notify socket");
    address_.assign(un.sun_path, length - offsetof(sockaddr_un, sun_path));
    address_[0] = '@';
    thread_ = std::thread([this] { receive_all(); });
}

FakeServiceManager::~FakeServiceManager() {
    // Nothing else would end the thread, and nothing a test does can keep it from getting through.
    if (!send_to(address_, end_message)) std::abort();
    thread_.join();
}

std::optional<FakeServiceManager::Message> FakeServiceManager::wait_for_message(
    const Predicate& predicate, std::chrono::milliseconds within) {
    std::unique_lock lock(mutex_);
    std::optional<Message> found;
    changed_.wait_for(lock, within, [&] {
        const auto at = std::find_if(messages_.begin(), messages_.end(), predicate);
        if (at != messages_.end()) found = *at;
        return found.has_value();
    });
    return found;
}

std::optional<FakeServiceManager::Message> FakeServiceManager::wait_for_message_saying(
    std::string_view assignment) {
    return wait_for_message(
        [assignment](const Message& message) { return message.says(assignment); });
}

std::vector<FakeServiceManager::Message> FakeServiceManager::messages() {
    settle();
    const std::lock_guard lock(mutex_);
    return messages_;
}

void FakeServiceManager::forget_messages() {
    settle();
    const std::lock_guard lock(mutex_);
    messages_.clear();
}

std::vector<std::string> FakeServiceManager::stored_names() {
    settle();
    const std::lock_guard lock(mutex_);
    std::vector<std::string> names;
    for (const auto& entry : store_) names.push_back(entry.name);
    return names;
}

std::vector<FakeServiceManager::Entry> FakeServiceManager::stored() {
    settle();
    const std::lock_guard lock(mutex_);
    std::vector<Entry> copies;
    for (const auto& entry : store_)
        copies.push_back({entry.name, UniqueFd(::fcntl(entry.fd.get(), F_DUPFD_CLOEXEC, 3))});
    return copies;
}

UniqueFd FakeServiceManager::stored(std::string_view name) {
    settle();
    const std::lock_guard lock(mutex_);
    for (const auto& entry : store_)
        if (entry.name == name) return UniqueFd(::fcntl(entry.fd.get(), F_DUPFD_CLOEXEC, 3));
    return UniqueFd();
}

void FakeServiceManager::drop_stored(std::string_view name) {
    settle();
    const std::lock_guard lock(mutex_);
    const auto found = std::find_if(store_.begin(), store_.end(),
                                    [name](const Entry& entry) { return entry.name == name; });
    if (found != store_.end()) store_.erase(found);
}

void FakeServiceManager::settle() {
    std::unique_lock lock(mutex_);
    const unsigned before = settled_;
    lock.unlock();
    if (!send_to(address_, settle_message)) fail("sendto");
    lock.lock();
    changed_.wait(lock, [&] { return settled_ != before; });
}

void FakeServiceManager::receive_all() {
    while (true) {
        std::array<char, 65536> text{};
        alignas(cmsghdr) std::array<char, CMSG_SPACE(253 * sizeof(int)) + CMSG_SPACE(sizeof(ucred))>
            control{};
        iovec part{text.data(), text.size()};
        msghdr packet{};
        packet.msg_iov = &part;
        packet.msg_iovlen = 1;
        packet.msg_control = control.data();
        packet.msg_controllen = control.size();
        const auto size = ::recvmsg(socket_.get(), &packet, MSG_CMSG_CLOEXEC);
        if (size < 0) continue;
        pid_t sender = -1;
        std::vector<UniqueFd> fds;
        for (cmsghdr* item = CMSG_FIRSTHDR(&packet); item != nullptr;
             item = CMSG_NXTHDR(&packet, item)) {
            if (item->cmsg_type == SCM_CREDENTIALS) {
                ucred credentials{};
                std::memcpy(&credentials, CMSG_DATA(item), sizeof credentials);
                sender = credentials.pid;
            } else if (item->cmsg_type == SCM_RIGHTS) {
                const std::size_t count = (item->cmsg_len - CMSG_LEN(0)) / sizeof(int);
                for (std::size_t i = 0; i < count; ++i) {
                    int fd = -1;
                    std::memcpy(&fd, CMSG_DATA(item) + i * sizeof fd, sizeof fd);
                    fds.emplace_back(fd);
                }
            }
        }
        const std::string message(text.data(), static_cast<std::size_t>(size));
        if (message == end_message) return;
        receive(message, sender, std::move(fds));
    }
}

void FakeServiceManager::receive(const std::string& text, pid_t sender, std::vector<UniqueFd> fds) {
    const std::lock_guard lock(mutex_);
    if (text == settle_message) {
        ++settled_;
        return changed_.notify_all();
    }
    Message message{text, sender, fds.size()};
    const auto name = message.value("FDNAME").value_or("stored");
    if (message.says("FDSTOREREMOVE=1"))
        std::erase_if(store_, [&name](const Entry& entry) { return entry.name == name; });
    if (message.says("FDSTORE=1"))
        for (auto& fd : fds) store(name, std::move(fd));
    fds.clear();  // a barrier's among them
    messages_.push_back(std::move(message));
    changed_.notify_all();
}

void FakeServiceManager::store(const std::string& name, UniqueFd fd) {
    const bool known = std::any_of(store_.begin(), store_.end(), [&fd](const Entry& entry) {
        return same_open_file(entry.fd.get(), fd.get());
    });
    if (known || store_.size() >= fd_store_max_) return;
    store_.insert(store_.begin(), Entry{name, std::move(fd)});
}

}  // namespace handover::test
