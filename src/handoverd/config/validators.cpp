// SPDX-License-Identifier: MIT
#include "handoverd/config/validators.h"

#include "handover/endpoint.h"
#include "handover/error.h"
#include "handoverd/config/duration.h"
#include "handoverd/config/parse_number.h"
#include "handoverd/files/cache_control.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>

namespace handoverd {
namespace {

namespace fs = std::filesystem;

std::string fault_of_endpoint(const std::string& text) {
    try {
        (void)handover::Endpoint::parse(text);
        return {};
    } catch (const handover::Error& error) {
        return error.what();
    }
}

std::string fault_of_cache_rule(const std::string& text) {
    try {
        (void)CacheControl({text});
        return {};
    } catch (const std::invalid_argument& fault) {
        return fault.what();
    }
}

/// A directory to which PrivateTmp= gives a service one of its own.
bool is_private_tmp(const fs::path& directory) {
    std::ifstream mounts("/proc/self/mountinfo");
    for (std::string line; std::getline(mounts, line);) {
        std::istringstream words(line);
        std::string id;
        std::string parent;
        std::string device;
        std::string root;
        std::string place;
        words >> id >> parent >> device >> root >> place;
        if (place == directory && root.find("/systemd-private-") != std::string::npos) return true;
    }
    return false;
}

/// What keeps this directory from us in the service's sandbox (systemd.exec(5)), empty if nothing
/// does. It shows a directory without any permission in the place of what it hides.
std::string hidden_by(const std::string& path) {
    for (auto place = fs::path(path); place.has_relative_path(); place = place.parent_path()) {
        struct stat status {};
        if (::stat(place.c_str(), &status) != 0) continue;
        const bool home = place == "/home" || place == "/root" || place == "/run/user";
        if (S_ISDIR(status.st_mode) && (status.st_mode & ALLPERMS) == 0)
            return place.string() + (home ? " (ProtectHome=)" : " (InaccessiblePaths=)");
        if (is_private_tmp(place)) return place.string() + " (PrivateTmp=)";
    }
    return {};
}

std::string fault_of_directory(const std::string& path) {
    struct stat status {};
    if (::stat(path.c_str(), &status) == 0)
        return S_ISDIR(status.st_mode) ? "" : "not a directory, write the one that the file is in";
    const int error = errno;
    if (const auto hidden = hidden_by(path); !hidden.empty())
        return "the sandbox of the service hides what is below " + hidden +
               ", put it below /srv or /var";
    if (error == ENOENT) return "there is no such directory, make it or write another";
    return std::string("cannot be reached: ") + ::strerrordesc_np(error);
}

std::string fault_of_number(const std::string& text, std::uint64_t least, std::uint64_t most) {
    const auto range = " from " + std::to_string(least) + " to " + std::to_string(most);
    const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
    if (text.empty() || !std::all_of(text.begin(), text.end(), is_digit))
        return "not a whole number, write one" + range;
    const auto number = parse_number<std::uint64_t>(text);
    return number && *number >= least && *number <= most ? ""
                                                         : "out of range, write a number" + range;
}

}  // namespace

CLI::Validator is_endpoint() {
    return {[](const std::string& text) { return fault_of_endpoint(text); }, "ADDRESS"};
}

CLI::Validator is_cache_rule() {
    return {[](const std::string& text) { return fault_of_cache_rule(text); }, "RULE"};
}

CLI::Validator is_duration() {
    return {[](const std::string& text) { return fault_of_duration(text); }, "TIME"};
}

CLI::Validator is_directory() {
    return {[](const std::string& text) { return fault_of_directory(text); }, "DIR"};
}

CLI::Validator is_number_within(std::uint64_t least, std::uint64_t most) {
    return {[least, most](const std::string& text) { return fault_of_number(text, least, most); },
            "from " + std::to_string(least) + " to " + std::to_string(most)};
}

CLI::Validator is_one_of(const std::vector<std::string>& words) {
    return {[words](const std::string& text) -> std::string {
                if (std::find(words.begin(), words.end(), text) != words.end()) return {};
                return "not known, write " + CLI::detail::join(words, " or ");
            },
            "{" + CLI::detail::join(words, ",") + "}"};
}

}  // namespace handoverd
