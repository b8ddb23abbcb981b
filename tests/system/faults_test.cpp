// SPDX-License-Identifier: MIT
// One test for each row of the fault table: whatever happens, the service is up, the next reload
// works, and nothing is left over.
#include "system/fault_table.h"

#include <iostream>

namespace handover::test {

std::ostream& operator<<(std::ostream& out, const Fault& fault) {
    return out << fault.name;
}

namespace {

struct Row {
    Setting setting;
    Fault fault;
};

std::ostream& operator<<(std::ostream& out, const Row& row) {
    return out << row.fault << " on " << row.setting;
}

std::string name_of_row(const testing::TestParamInfo<Row>& test) {
    return test.param.fault.name + "_" + name_of(test.param.setting);
}

/// Every fault on every release; with the socket unit on one and without on the next, for all four
/// would take twice the time and differ little.
std::vector<Row> in_turns(const std::vector<Fault>& faults) {
    std::vector<Row> rows;
    const auto settings = all_settings();
    bool socket_unit = true;
    for (const auto& fault : faults) {
        bool wanted = socket_unit;
        for (std::size_t i = 0; i < settings.size(); i += 2) {
            const auto& setting = settings[i + (settings[i].socket_unit == wanted ? 0 : 1)];
            rows.push_back({setting, fault});
            wanted = !wanted;
        }
        socket_unit = !socket_unit;
    }
    return rows;
}

class SystemFaults : public FaultyService, public testing::WithParamInterface<Row> {
  protected:
    void SetUp() override {
        const Fault& fault = GetParam().fault;
        boot(GetParam().setting, "ready-timeout=2s\nprobation=" + fault.probation + "\n");
    }

    void expect_no_other_loss() {
        const Fault& fault = GetParam().fault;
        if (fault.loss == Loss::nothing) {
            (void)expect_nothing_lost(clients());
            return;
        }
        for (auto& client : clients()) {
            const LoadReport report = stop_and_print(client);
            EXPECT_EQ(report.count(Outcome::timed_out), 0) << client.name();
            if (fault.loss == Loss::newcomers) {
                // Whoever got a connection got an answer.
                EXPECT_EQ(report.failed(), report.not_connected()) << client.name() << report;
                continue;
            }
            EXPECT_EQ(report.not_connected(), 0) << client.name();
            // Each client has 8 connections, so no more can have been inside at each death.
            EXPECT_LE(report.failed(), fault.deaths * 8) << client.name();
        }
    }

    void expect_nothing_left_over(const Belongings& before) {
        Belongings now;
        const bool same = eventually([&] { return (now = belongings()) == before; });
        EXPECT_TRUE(same) << "before: " << before << "\nnow: " << now << '\n' << list_descriptors();
    }
};
INSTANTIATE_TEST_SUITE_P(BeforeReady, SystemFaults,
                         testing::ValuesIn(in_turns(faults_before_ready())), name_of_row);
INSTANTIATE_TEST_SUITE_P(AfterReady, SystemFaults,
                         testing::ValuesIn(in_turns(faults_after_ready())), name_of_row);
INSTANTIATE_TEST_SUITE_P(DuringReload, SystemFaults, testing::ValuesIn(in_turns(interruptions())),
                         name_of_row);
INSTANTIATE_TEST_SUITE_P(Around, SystemFaults, testing::ValuesIn(in_turns(faults_around())),
                         name_of_row);

TEST_P(SystemFaults, cost_no_more_than_they_must_and_leave_nothing_behind) {
    const Belongings before = belongings();
    start_clients();

    GetParam().fault.strike(*this);
    await_answers(5);
    // A reload whose command has given up may still have been in the queue.
    EXPECT_TRUE(eventually([&] { return property("ActiveState") == "active"; }));
    EXPECT_EQ(property("SubState"), "running");

    const Answer survivor = ask();
    reload();
    const Answer next = ask();
    EXPECT_GT(next.generation, survivor.generation);
    EXPECT_NE(next.pid, survivor.pid);
    await_answers(5);
    EXPECT_TRUE(becomes_main(next.pid));
    expect_no_other_loss();
    expect_nothing_left_over(before);
}

}  // namespace
}  // namespace handover::test
