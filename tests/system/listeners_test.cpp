// SPDX-License-Identifier: MIT
// Listeners that a changed configuration adds and drops, while load is on the one that stays.
#include "system/service_under_load.h"

namespace handover::test {
namespace {

/// Each suite, where the service binds its listeners itself.
std::vector<Setting> own_listeners() {
    std::vector<Setting> settings;
    for (const auto& suite : all_suites()) settings.push_back({suite, /*socket_unit=*/false});
    return settings;
}

class SystemChangedListeners : public ServiceUnderLoad,
                               public testing::WithParamInterface<Setting> {
  protected:
    static constexpr auto other = "[::]:9998";
    static constexpr auto other4 = "127.0.0.1:9998";

    void SetUp() override { boot_configured(GetParam(), "probation=1s\n"); }

    [[nodiscard]] LoadReport try_other() const {
        return start_load("one request to the other", other4,
                          {"--requests", "1", "--connections", "1"})
            .finish();
    }
};
INSTANTIATE_TEST_SUITE_P(, SystemChangedListeners, testing::ValuesIn(own_listeners()),
                         name_of_parameter);

TEST_P(SystemChangedListeners, come_and_go_by_a_reload_and_nobody_is_lost) {
    auto clients = start_everybody();
    EXPECT_EQ(try_other().not_connected(), 1);
    configure("probation=1s\n", other);
    reload();
    EXPECT_EQ(try_other().answered(), 1);
    const auto added = ask();
    EXPECT_TRUE(becomes_main(added.pid));

    Load leaving = start_load("to the one that is dropped", other4, {"--rate", "200"});
    leaving.await_answers(20);
    configure("probation=1s\n");
    reload();
    EXPECT_TRUE(becomes_main(ask().pid)) << "its probation is over";
    EXPECT_TRUE(eventually([&] { return try_other().not_connected() == 1; }));
    await_answers(clients, 10);
    expect_nothing_lost(clients);
    const auto report = stop_and_print(leaving);
    EXPECT_EQ(report.failed(), report.not_connected()) << "somebody was reset";

    // It is not in the fd store either, from which a restart would bring it back.
    EXPECT_EQ(systemctl("restart handoverd.service").exit_status, 0);
    EXPECT_EQ(try_other().not_connected(), 1);
}

TEST_P(SystemChangedListeners, wrong_configuration_fails_the_reload_with_file_line_and_fault) {
    auto clients = start_everybody();
    const auto before = ask();
    configure("drain-timeout=20x\n", other);
    const auto failed = systemctl("reload handoverd.service");
    EXPECT_NE(failed.exit_status, 0);
    EXPECT_NE(property("StatusText").find("/etc/handoverd.conf:4: drain-timeout=20x: not a time"),
              std::string::npos)
        << property("StatusText");
    EXPECT_EQ(try_other().not_connected(), 1) << "something was bound";
    EXPECT_EQ(ask().pid, before.pid);
    await_answers(clients, 10);
    expect_nothing_lost(clients);
}

}  // namespace
}  // namespace handover::test
