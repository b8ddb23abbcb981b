// SPDX-License-Identifier: MIT
#pragma once

#include "process/process_fixture.h"
#include "support/fake_service_manager.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace handover::test {

/// A test with a service manager that keeps descriptors, and starts that are as if by it.
class ManagedTest : public ProcessTest {
  protected:
    explicit ManagedTest(std::size_t fd_store_max = 512) : manager_(fd_store_max) {}

    [[nodiscard]] DaemonOptions managed(std::vector<std::string> options = {}) const {
        return with_manager(with_options(std::move(options)));
    }
    [[nodiscard]] DaemonOptions with_manager(DaemonOptions start) const {
        start.process.environment["NOTIFY_SOCKET"] = manager_.address();
        return start;
    }

    /// The start with everything from the store, as the service manager's next one.
    DaemonOptions with_store(DaemonOptions start) {
        from_store_ = manager_.stored();
        for (const auto& [name, fd] : from_store_)
            start.process.inherited.push_back({name, fd.get()});
        return start;
    }

    /// Started with everything from the store; it alone has it then.
    [[nodiscard]] std::unique_ptr<Daemon> start_from_store(DaemonOptions start) {
        auto daemon = std::make_unique<Daemon>(directory_, with_store(std::move(start)));
        from_store_.clear();
        return daemon;
    }

    FakeServiceManager manager_;
    std::vector<FakeServiceManager::Entry> from_store_;
};

}  // namespace handover::test
