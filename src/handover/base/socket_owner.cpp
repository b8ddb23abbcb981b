// SPDX-License-Identifier: MIT
#include "handover/base/socket_owner.h"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <system_error>
#include <vector>

namespace handover {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> words(const std::string& line) {
    std::istringstream in(line);
    std::vector<std::string> result;
    for (std::string word; in >> word;) result.push_back(word);
    return result;
}

/// /proc/net/tcp and tcp6 (proc(5)): "sl local:port remote:port state ... inode"; 0A is LISTEN.
void collect_tcp(const char* table, std::uint16_t port, std::vector<std::string>& inodes) {
    char suffix[8];
    std::snprintf(suffix, sizeof suffix, ":%04X", port);
    std::ifstream in(table);
    for (std::string line; std::getline(in, line);) {
        const auto fields = words(line);
        if (fields.size() > 9 && fields[3] == "0A" && fields[1].ends_with(suffix))
            inodes.push_back(fields[9]);
    }
}

/// /proc/net/unix: "Num RefCount Protocol Flags Type St Inode Path".
void collect_unix(const std::string& name, std::vector<std::string>& inodes) {
    std::ifstream in("/proc/net/unix");
    for (std::string line; std::getline(in, line);) {
        const auto fields = words(line);
        if (fields.size() > 7 && fields[7] == name) inodes.push_back(fields[6]);
    }
}

std::vector<std::string> inodes_of(const Endpoint& endpoint) {
    std::vector<std::string> inodes;
    if (endpoint.family() == AF_UNIX) {
        collect_unix(endpoint.to_string().substr(std::string("unix:").size()), inodes);
    } else {
        collect_tcp("/proc/net/tcp", endpoint.port(), inodes);
        collect_tcp("/proc/net/tcp6", endpoint.port(), inodes);
    }
    return inodes;
}

bool holds_one_of(const fs::path& process, const std::vector<std::string>& inodes) {
    std::error_code denied;
    for (fs::directory_iterator fd(process / "fd", denied), end; !denied && fd != end;
         fd.increment(denied)) {
        std::error_code gone;
        const auto target = fs::read_symlink(fd->path(), gone).string();
        if (std::any_of(inodes.begin(), inodes.end(), [&target](const std::string& inode) {
                return target == "socket:[" + inode + "]";
            }))
            return true;
    }
    return false;
}

}  // namespace

std::string holder_of(const Endpoint& endpoint) {
    const auto inodes = inodes_of(endpoint);
    if (inodes.empty()) return {};
    std::error_code fault;
    for (fs::directory_iterator process("/proc", fault), end; !fault && process != end;
         process.increment(fault)) {
        const auto pid = process->path().filename().string();
        if (pid.find_first_not_of("0123456789") != std::string::npos) continue;
        if (!holds_one_of(process->path(), inodes)) continue;
        std::string command;
        std::getline(std::ifstream(process->path() / "comm"), command);
        return command.append(", pid ").append(pid);
    }
    return {};
}

}  // namespace handover
