// SPDX-License-Identifier: MIT
#include "support/resource_limit.h"

#include "support/file_content.h"
#include "support/processes.h"

#include <unistd.h>

#include <fstream>
#include <iostream>
#include <sstream>
#include <stdexcept>
#include <utility>

namespace handover::test {
namespace {

namespace fs = std::filesystem;

bool has_word(const std::string& text, std::string_view wanted) {
    std::istringstream words(text);
    for (std::string word; words >> word;)
        if (word == wanted) return true;
    return false;
}

/// Where a version 1 hierarchy with that controller is mounted; empty if nowhere.
fs::path mount_v1(std::string_view controller) {
    std::ifstream mounts("/proc/self/mountinfo");
    for (std::string line; std::getline(mounts, line);) {
        const auto type = line.find(" - cgroup ");
        if (type == std::string::npos) continue;
        // "... - cgroup SOURCE rw,cpu,cpuacct": the controllers are among the options.
        std::string options = line.substr(line.rfind(' ') + 1);
        for (char& c : options)
            if (c == ',') c = ' ';
        if (!has_word(options, controller)) continue;
        std::istringstream fields(line);
        std::string path;
        for (int i = 0; i < 5; ++i) fields >> path;
        return path;
    }
    return {};
}

}  // namespace

const ResourceLimit::Kind ResourceLimit::tasks{"pids", "TasksMax", "TasksCurrent", "pids.max"};
const ResourceLimit::Kind ResourceLimit::memory{"memory", "MemoryMax", "MemoryCurrent",
                                                "memory.limit_in_bytes"};

ResourceLimit ResourceLimit::no_new_task(const Container& container, const std::string& service) {
    return {container, service, tasks, 1, /*beyond_usage=*/false};
}

ResourceLimit ResourceLimit::more_memory(const Container& container, const std::string& service,
                                         std::int64_t bytes) {
    return {container, service, memory, bytes, /*beyond_usage=*/true};
}

ResourceLimit::ResourceLimit(const Container& container, std::string service, const Kind& kind,
                             std::int64_t limit, bool beyond_usage)
    : container_(container), service_(std::move(service)), kind_(kind) {
    if (has_word(container_.read_file("/sys/fs/cgroup/cgroup.controllers"), kind_.controller)) {
        if (beyond_usage)
            limit += std::stoll(container_.property(service_, std::string(kind_.usage)));
        set_property(std::to_string(limit));
        return;
    }
    parent_v1_ = mount_v1(kind_.controller);
    if (parent_v1_.empty())
        throw std::runtime_error("this machine has no cgroup controller '" +
                                 std::string(kind_.controller) + "' for its containers");
    make_group_v1(limit);  // pages stay with the group in which they were first touched
    std::cout << kind_.property << " stands for the version 1 controller of this machine\n";
}

ResourceLimit::~ResourceLimit() {
    try {
        group_v1_.empty() ? set_property("infinity") : remove_group_v1();
    } catch (const std::exception& error) {  // the container has ended: the limit with it
        std::cout << "a limit was not lifted: " << error.what() << '\n';
    }
}

void ResourceLimit::set_property(const std::string& value) const {
    container_.output_of("systemctl set-property --runtime " + service_ + " " +
                         std::string(kind_.property) + "=" + value);
}

void ResourceLimit::make_group_v1(std::int64_t limit) {
    static int count = 0;
    group_v1_ = parent_v1_ /
                ("handover-limit-" + std::to_string(::getpid()) + "-" + std::to_string(++count));
    fs::create_directory(group_v1_);
    const auto group = container_.property(service_, "ControlGroup");
    std::istringstream pids(container_.output_of("cat /sys/fs/cgroup" + group + "/cgroup.procs"));
    // They are the container's numbers, and mean its processes only to somebody in there.
    for (std::string pid; pids >> pid;)
        container_.run_among_processes("echo " + pid + " >" +
                                       (group_v1_ / "cgroup.procs").string());
    std::ofstream(group_v1_ / kind_.limit_v1) << limit << std::flush;
}

void ResourceLimit::remove_group_v1() const {
    // A process that is just being started comes later than the list of them.
    const bool removed = eventually([this] {
        std::istringstream pids(content_of(group_v1_ / "cgroup.procs"));
        for (std::string pid; pids >> pid;)
            std::ofstream(parent_v1_ / "cgroup.procs") << pid << std::flush;
        return ::rmdir(group_v1_.c_str()) == 0;
    });
    if (!removed) throw std::runtime_error(group_v1_.string() + " is still in use");
}

}  // namespace handover::test
