// SPDX-License-Identifier: MIT
#include "handover/systemd/listen_fds.h"

#include "handover/base/parse_number.h"
#include "handover/error.h"

#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

namespace handover {
namespace {

constexpr int first_inherited_fd = 3;  // SD_LISTEN_FDS_START
constexpr std::size_t most_fds = 1
                                 << 16;  // far above any fd store; a typo must not mean a long loop
constexpr std::size_t longest_name = 255;  // FDNAME_MAX of systemd
constexpr const char* variables[] = {"LISTEN_PID", "LISTEN_PIDFDID", "LISTEN_FDS",
                                     "LISTEN_FDNAMES"};

/// All of this was said by whoever started us, so the remedy is the same.
[[noreturn]] void refuse(const std::string& what) {
    throw Error(Error::Kind::config,
                what + ": unset the LISTEN_* variables or start it where they are set right");
}

std::string assignment(const std::string& variable, const std::string& value) {
    constexpr std::size_t shown_max = 100;
    return variable + "='" +
           (value.size() <= shown_max ? value : value.substr(0, shown_max) + "...") + "'";
}

std::uint64_t parse_number(const char* variable, const std::string& text) {
    const auto number = to_number<std::uint64_t>(text);
    if (!number) refuse(assignment(variable, text) + " is not a number");
    return *number;
}

/// As systemd has it, but for characters beyond ASCII, which do no harm here.
void check(const std::string& name, const std::string& names) {
    if (name.size() > longest_name)
        refuse(assignment("LISTEN_FDNAMES", names) + " has a name of more than " +
               std::to_string(longest_name) + " bytes");
    if (std::any_of(name.begin(), name.end(), [](unsigned char c) { return c < ' ' || c == 0x7f; }))
        refuse(assignment("LISTEN_FDNAMES", names) + " has a control character in a name");
}

std::vector<std::string> split_names(const std::string& text) {
    std::vector<std::string> names;
    std::size_t begin = 0;
    for (std::size_t colon; (colon = text.find(':', begin)) != std::string::npos; begin = colon + 1)
        names.push_back(text.substr(begin, colon - begin));
    names.push_back(text.substr(begin));
    return names;
}

/// The inode of our pidfd identifies this process for ever, unlike a pid (systemd 259 and newer).
std::optional<std::uint64_t> own_pidfd_id() {
    constexpr long pidfs_magic = 0x50494446;
    UniqueFd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, ::getpid(), 0)));
    struct statfs filesystem {};
    struct stat status {};
    if (!pidfd || ::fstatfs(pidfd.get(), &filesystem) != 0 || filesystem.f_type != pidfs_magic ||
        ::fstat(pidfd.get(), &status) != 0)
        return std::nullopt;
    return status.st_ino;
}

std::optional<std::string> environment(const char* variable) {
    const char* value = std::getenv(variable);
    return value ? std::optional<std::string>(value) : std::nullopt;
}

/// Owns all of them before any is judged, so that an error leaves none behind.
std::vector<InheritedFd> own_all(const ListenEnvironment& announced) {
    std::vector<InheritedFd> fds;
    int fd = first_inherited_fd;
    for (const auto& name : announced.names) fds.push_back({name, UniqueFd(fd++), {}});
    return fds;
}

bool seen_before(const std::vector<InheritedFd>& fds, std::uint64_t cookie) {
    return cookie != 0 && std::any_of(fds.begin(), fds.end(), [cookie](const InheritedFd& other) {
               return other.what.cookie == cookie;
           });
}

}  // namespace

ListenEnvironment ListenEnvironment::parse(const Lookup& lookup, pid_t pid,
                                           std::optional<std::uint64_t> pidfd_id) {
    ListenEnvironment result;
    const auto count_text = lookup("LISTEN_FDS");
    const auto pid_text = lookup("LISTEN_PID");
    const auto names_text = lookup("LISTEN_FDNAMES");
    if (!count_text && !pid_text && !names_text) return result;
    if (!count_text || !pid_text)
        refuse(std::string(count_text ? "LISTEN_FDS"
                           : pid_text ? "LISTEN_PID"
                                      : "LISTEN_FDNAMES") +
               " is set but " + (count_text ? "LISTEN_PID" : "LISTEN_FDS") + " is not");
    if (parse_number("LISTEN_PID", *pid_text) != static_cast<std::uint64_t>(pid))
        refuse("LISTEN_PID=" + *pid_text + " means another process than this one, " +
               std::to_string(pid));
    const auto id_text = lookup("LISTEN_PIDFDID");
    if (id_text && pidfd_id && parse_number("LISTEN_PIDFDID", *id_text) != *pidfd_id)
        refuse("LISTEN_PIDFDID=" + *id_text + " means another process than this one, " +
               std::to_string(*pidfd_id));
    const auto count = parse_number("LISTEN_FDS", *count_text);
    if (count > most_fds)
        refuse("LISTEN_FDS=" + *count_text + " is more than " + std::to_string(most_fds));
    if (!names_text) {
        result.names.assign(count, "unknown");  // as sd_listen_fds_with_names(3) calls them
        return result;
    }
    if (count > 0 || !names_text->empty()) result.names = split_names(*names_text);
    if (result.names.size() != count)
        refuse("LISTEN_FDS=" + *count_text + " but " + assignment("LISTEN_FDNAMES", *names_text) +
               " has " + std::to_string(result.names.size()) + " names");
    for (const auto& name : result.names) check(name, *names_text);
    return result;
}

InheritedFds take_inherited_fds() {
    const auto announced = ListenEnvironment::parse(environment, ::getpid(), own_pidfd_id());
    for (const char* variable : variables) ::unsetenv(variable);

    InheritedFds result;
    auto fds = own_all(announced);
    for (auto& inherited : fds) {
        const int fd = inherited.fd.get();
        inherited.what = Descriptor::examine(fd);
        if (inherited.what.kind == Descriptor::Kind::closed)
            refuse("LISTEN_FDS=" + std::to_string(fds.size()) + " announces descriptor " +
                   std::to_string(fd) + " ('" + inherited.name + "'), but it is not open");
        set_cloexec(fd);
        if (seen_before(result.fds, inherited.what.cookie)) {
            result.duplicate_names.push_back(inherited.name);
            continue;  // closed at the end of this function
        }
        result.fds.push_back(std::move(inherited));
    }
    return result;
}

}  // namespace handover
