// SPDX-License-Identifier: MIT
#include "system/service_under_load.h"

#include <iostream>
#include <tuple>

namespace handover::test {
namespace {

using std::chrono::seconds;
using std::filesystem::perms;

/// A new binary that is no good, and a word that the reason must contain.
struct Fault {
    std::string name;
    std::string content;
    perms mode = perms(0755);
    std::string reason;
};

std::ostream& operator<<(std::ostream& out, const Fault& fault) {
    return out << fault.name;
}

// A script is as good as an ELF here: what counts is what the process does.
const std::vector<Fault> faults{
    {"missing", "", perms(0), "No such file"},
    {"not_executable", "#!/bin/sh\nexit 0\n", perms(0644), "Permission denied"},
    {"not_a_program", "this is not an ELF file\n", perms(0755), "Exec format error"},
    {"exits_0", "#!/bin/sh\nexit 0\n", perms(0755), "exit"},
    {"exits_1", "#!/bin/sh\nexit 1\n", perms(0755), "exit"},
    {"segfaults", "#!/bin/sh\nkill -SEGV $$\n", perms(0755), "SEGV"},
    {"hangs_before_ready", "#!/bin/sh\nexec sleep 1000\n", perms(0755), "ready"},
};

class SystemBrokenSuccessor : public ServiceUnderLoad,
                              public testing::WithParamInterface<std::tuple<Setting, Fault>> {
  protected:
    void SetUp() override { boot(std::get<Setting>(GetParam()), "--ready-timeout 2s"); }

    void break_binary(const Fault& fault) {
        if (fault.name == "missing")
            container().output_of(std::string("rm ") + program);
        else
            install_binary(fault.content, fault.mode);
    }
};
std::string name_of_case(const testing::TestParamInfo<SystemBrokenSuccessor::ParamType>& test) {
    return std::get<Fault>(test.param).name + "_" + name_of(std::get<Setting>(test.param));
}

INSTANTIATE_TEST_SUITE_P(, SystemBrokenSuccessor,
                         testing::Combine(testing::ValuesIn(all_settings()),
                                          testing::ValuesIn(faults)),
                         name_of_case);

TEST_P(SystemBrokenSuccessor, fails_the_reload_and_leaves_the_old_generation_serving) {
    const Fault& fault = std::get<Fault>(GetParam());
    auto clients = start_everybody();
    const Answer before = ask();

    break_binary(fault);
    const Finished reload_result = systemctl("reload handoverd.service");
    EXPECT_NE(reload_result.exit_status, 0);
    EXPECT_LT(reload_result.duration, seconds(15));
    const std::string journal = container().journal();
    EXPECT_NE(journal.find(fault.reason), std::string::npos)
        << "the journal gives no reason with \"" << fault.reason << '"';
    EXPECT_EQ(property("ActiveState"), "active");
    EXPECT_EQ(ask().pid, before.pid);
    EXPECT_EQ(main_pid(), before.pid);

    install_good_binary();
    reload();
    const Answer after = ask();
    EXPECT_NE(after.pid, before.pid);
    EXPECT_GT(after.generation, before.generation);
    await_answers(clients, 5);
    expect_nothing_lost(clients);
}

}  // namespace
}  // namespace handover::test
