// SPDX-License-Identifier: MIT
#include "system/service_under_load.h"

#include <tuple>

namespace handover::test {
namespace {

using std::chrono::seconds;

class SystemBrokenSuccessor : public ServiceUnderLoad,
                              public testing::WithParamInterface<std::tuple<Setting, BinaryFault>> {
  protected:
    void SetUp() override { boot(std::get<Setting>(GetParam()), "--ready-timeout 2s"); }
};
std::string name_of_case(const testing::TestParamInfo<SystemBrokenSuccessor::ParamType>& test) {
    return std::get<BinaryFault>(test.param).name + "_" + name_of(std::get<Setting>(test.param));
}

INSTANTIATE_TEST_SUITE_P(, SystemBrokenSuccessor,
                         testing::Combine(testing::ValuesIn(all_settings()),
                                          testing::ValuesIn(binary_faults())),
                         name_of_case);

TEST_P(SystemBrokenSuccessor, fails_the_reload_and_leaves_the_old_generation_serving) {
    const BinaryFault& fault = std::get<BinaryFault>(GetParam());
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
