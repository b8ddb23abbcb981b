// SPDX-License-Identifier: MIT
#pragma once

#include "support/container.h"

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace handover::test {

/// A limit on all processes that a service in a container has now, and on their children.
///
/// Where the container has the controller, it is systemd's own TasksMax= or MemoryMax=. On a host
/// whose controllers are mounted as version 1, which no container sees, the processes are put into
/// a cgroup of that beside it; then what systemd starts later is not under the limit. Where there
/// is neither, the constructor throws std::runtime_error. The destructor lifts it. The service and
/// the container have to live longer.
class ResourceLimit {
  public:
    /// No process or thread can be started any more.
    [[nodiscard]] static ResourceLimit no_new_task(const Container& container,
                                                   const std::string& service);
    /// So many bytes more than they have now.
    [[nodiscard]] static ResourceLimit more_memory(const Container& container,
                                                   const std::string& service, std::int64_t bytes);
    ~ResourceLimit();
    ResourceLimit(const ResourceLimit&) = delete;
    ResourceLimit& operator=(const ResourceLimit&) = delete;

  private:
    /// What it is called where.
    struct Kind {
        std::string_view controller;
        std::string_view property;  ///< of the unit, in systemd
        std::string_view usage;     ///< of the unit, in systemd
        std::string_view limit_v1;  ///< a file
    };
    static const Kind tasks;
    static const Kind memory;

    ResourceLimit(const Container& container, std::string service, const Kind& kind,
                  std::int64_t limit, bool beyond_usage);
    void set_property(const std::string& value) const;
    void make_group_v1(std::int64_t limit);
    void remove_group_v1() const;

    const Container& container_;
    std::string service_;
    const Kind& kind_;
    std::filesystem::path parent_v1_;
    std::filesystem::path group_v1_;  ///< empty: it is systemd's
};

}  // namespace handover::test
