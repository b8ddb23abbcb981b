// SPDX-License-Identifier: MIT
// The facts of a report, as the journal has them.
#include "handoverd/log/journal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>

namespace handoverd {
namespace {

using handover::CloseReason;
using handover::HandoverKind;
using handover::HandoverOutcome;
using handover::Report;
using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::StartsWith;

TEST(JournalFields, are_the_facts_that_are_known) {
    Report report{.event = Report::Event::took_over,
                  .generation = 3,
                  .from = 3,
                  .to = 4,
                  .pid = 812,
                  .version = "0.2",
                  .kind = HandoverKind::reload,
                  .duration = std::chrono::milliseconds(31)};
    EXPECT_THAT(
        journal_fields(report),
        ElementsAre("MESSAGE_ID=ce53012d4dbc4fa58e0ded48834f0edc", "HANDOVER_EVENT=took_over",
                    "HANDOVER_GENERATION=3", "HANDOVER_FROM=3", "HANDOVER_TO=4", "HANDOVER_PID=812",
                    "HANDOVER_VERSION=0.2", "HANDOVER_KIND=reload", "HANDOVER_DURATION_MS=31"));
    EXPECT_THAT(journal_fields({.text = "a warning"}), IsEmpty());
}

TEST(JournalFields, tell_why_a_handover_failed_in_one_printable_line) {
    Report report{.event = Report::Event::rolled_back,
                  .reason = "no\nMESSAGE=forged\x1b[2J",
                  .result = HandoverOutcome::rolled_back};
    const auto fields = journal_fields(report);
    EXPECT_THAT(fields, Contains("HANDOVER_RESULT=rolled_back"));
    EXPECT_THAT(fields, Contains(R"(HANDOVER_REASON=no\x0aMESSAGE=forged\x1b[2J)"));
}

TEST(JournalFields, have_one_for_each_listener_and_each_end_of_a_connection) {
    Report report{.listeners = {{"http", "[::]:80"}, {"admin", "unix:/run/a"}}};
    EXPECT_THAT(journal_fields(report), ElementsAre("HANDOVER_LISTENER=http on [::]:80",
                                                    "HANDOVER_LISTENER=admin on unix:/run/a"));
    handover::ConnectionCounts account;
    account.opened = 3;
    account[CloseReason::moved] = 2;
    account[CloseReason::cut_at_deadline] = 1;
    const auto fields = journal_fields({.account = account});
    EXPECT_THAT(fields, Contains("HANDOVER_HELD=3"));
    EXPECT_THAT(fields, Contains("HANDOVER_MOVED=2"));
    EXPECT_THAT(fields, Contains("HANDOVER_CUT_AT_DEADLINE=1"));
    EXPECT_EQ(fields.size(), 1 + handover::close_reason_count);
}

TEST(JournalFields, have_a_MESSAGE_ID_of_its_own_for_each_event) {
    std::set<std::string> ids;
    int events = 0;
    for (int event = 1; event <= static_cast<int>(Report::Event::ended); ++event, ++events) {
        const auto fields = journal_fields({.event = static_cast<Report::Event>(event)});
        ASSERT_THAT(fields.at(0), StartsWith("MESSAGE_ID="));
        const auto id = fields[0].substr(sizeof "MESSAGE_ID=" - 1);
        EXPECT_EQ(id.size(), 32U) << id;
        ids.insert(id);
    }
    EXPECT_EQ(ids.size(), static_cast<std::size_t>(events));
}

TEST(JournalFields, have_names_that_the_journal_takes) {
    Report report{.event = Report::Event::ended, .generation = 1, .from = 1, .to = 2, .pid = 3};
    report.version = report.reason = "x";
    report.kind = HandoverKind::crash;
    report.result = HandoverOutcome::ok;
    report.duration = std::chrono::milliseconds(-1);
    report.account.emplace();
    report.listeners.push_back({"a", "b"});
    for (const auto& field : journal_fields(report)) {
        const auto name = field.substr(0, field.find('='));
        EXPECT_TRUE(std::all_of(name.begin(), name.end(), [](char c) {
            return c == '_' || (c >= 'A' && c <= 'Z');
        })) << name;
        EXPECT_GT(field.size(), name.size() + 1) << "it has no value: " << field;
    }
}

}  // namespace
}  // namespace handoverd
