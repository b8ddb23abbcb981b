// SPDX-License-Identifier: MIT
// What the journal has of handovers: three lines each, with fields.
#include "system/service_under_load.h"

#include <nlohmann/json.hpp>

#include <sstream>
#include <string>
#include <vector>

namespace handover::test {
namespace {

using nlohmann::json;

class SystemLogs : public ServiceUnderLoad, public testing::WithParamInterface<Setting> {
  protected:
    void SetUp() override { boot(GetParam(), "--probation 1s"); }

    /// All that the service has told since the last call, whoever of it; not what systemd has.
    std::vector<json> story() {
        container().output_of("journalctl --sync");
        std::istringstream out(container().output_of(
            "journalctl -u handoverd.service -o json --no-pager" +
            (cursor_.empty() ? std::string() : " --after-cursor='" + cursor_ + "'")));
        std::vector<json> entries;
        for (std::string line; std::getline(out, line);) {
            if (line.empty()) continue;
            auto entry = json::parse(line);
            cursor_ = entry.at("__CURSOR");
            if (entry.value("_PID", "") != "1") entries.push_back(entry);
        }
        return entries;
    }
    static std::vector<std::string> events_of(const std::vector<json>& story) {
        std::vector<std::string> events;
        events.reserve(story.size());
        for (const auto& entry : story)
            events.push_back(entry.value("HANDOVER_EVENT", entry.value("MESSAGE", "")));
        return events;
    }
    static json of_event(const std::vector<json>& story, const std::string& event) {
        for (const auto& entry : story)
            if (entry.value("HANDOVER_EVENT", "") == event) return entry;
        ADD_FAILURE() << "no line is of " << event << ": " << json(story);
        return {};
    }
    using Events = std::vector<std::string>;

    std::string cursor_;
};
INSTANTIATE_TEST_SUITE_P(, SystemLogs, testing::ValuesIn(all_settings()), name_of_parameter);

TEST_P(SystemLogs, of_a_reload_and_a_restart_are_three_lines_with_fields) {
    EXPECT_EQ(events_of(story()), Events{"serving"});
    reload();
    ASSERT_TRUE(becomes_main(ask().pid));
    auto told = story();
    auto events = events_of(told);
    EXPECT_EQ(events.size(), 3U) << json(told);
    const auto took_over = of_event(told, "took_over");
    EXPECT_EQ(took_over.value("HANDOVER_FROM", ""), "1");
    EXPECT_EQ(took_over.value("HANDOVER_TO", ""), "2");
    EXPECT_EQ(took_over.value("HANDOVER_KIND", ""), "reload");
    EXPECT_EQ(took_over.value("MESSAGE_ID", ""), "ce53012d4dbc4fa58e0ded48834f0edc");
    EXPECT_EQ(took_over.value("PRIORITY", ""), "6");
    EXPECT_EQ(took_over.value("HANDOVER_PID", ""), std::to_string(ask().pid));
    EXPECT_FALSE(took_over.value("HANDOVER_DURATION_MS", "").empty());
    EXPECT_EQ(of_event(told, "serving").value("HANDOVER_GENERATION", ""), "2");
    const auto ended = of_event(told, "ended");
    EXPECT_EQ(ended.value("HANDOVER_GENERATION", ""), "1");
    EXPECT_FALSE(ended.value("HANDOVER_HELD", "").empty());

    EXPECT_EQ(systemctl("restart handoverd.service").exit_status, 0);
    told = story();
    EXPECT_EQ(events_of(told), (Events{"restarting", "ended", "serving"}));
    EXPECT_EQ(of_event(told, "serving").value("HANDOVER_KIND", ""), "restart");

    EXPECT_EQ(systemctl("stop handoverd.service").exit_status, 0);
    EXPECT_EQ(events_of(story()), (Events{"stopping", "ended"}));
}

TEST_P(SystemLogs, of_a_failed_reload_and_a_crash_say_so) {
    (void)story();
    break_binary(binary_faults().at(0));
    EXPECT_NE(systemctl("reload handoverd.service").exit_status, 0);
    const auto told = story();
    EXPECT_EQ(events_of(told), Events{"handover_failed"});
    const auto failed = of_event(told, "handover_failed");
    EXPECT_EQ(failed.value("PRIORITY", ""), "3");
    EXPECT_EQ(failed.value("HANDOVER_RESULT", ""), "failed");
    EXPECT_FALSE(failed.value("HANDOVER_REASON", "").empty());
    EXPECT_EQ(failed.value("MESSAGE_ID", ""), "ad3e8fbd230d4cdd91a990b18fc6d366");

    install_good_binary();
    container().write_file("/etc/handoverd/handoverd.conf",
                           "drain-timeout=soon\nthreads=none\nno-such-key=1\n");
    EXPECT_NE(systemctl("reload handoverd.service").exit_status, 0);
    EXPECT_EQ(events_of(story()), Events{"handover_failed"}) << "however many faults it has";
    container().write_file("/etc/handoverd/handoverd.conf", "");

    const auto before = ask();
    kill({before.pid});
    ASSERT_TRUE(eventually([&] { return main_pid() != 0 && main_pid() != before.pid; }));
    EXPECT_EQ(ask().generation, before.generation + 1);
    const auto serving = of_event(story(), "serving");
    EXPECT_EQ(serving.value("HANDOVER_KIND", ""), "crash");
    EXPECT_TRUE(serving.value("MESSAGE", "").ends_with("; the one before it crashed"));
}

TEST_P(SystemLogs, of_access_go_to_the_journal_or_into_a_directory_of_the_service) {
    const auto serve = [&](const std::string& options) {
        add_drop_in("zz-log", "LogsDirectory=handoverd\nExecStart=\nExecStart=" +
                                  std::string(program) + " serve " + arguments(options) + "\n");
        EXPECT_EQ(systemctl("daemon-reload").exit_status, 0);
        EXPECT_EQ(systemctl("restart handoverd.service").exit_status, 0);
        (void)ask();
    };
    serve("--access-log combined");
    EXPECT_TRUE(eventually([&] {
        return container()
                   .output_of("journalctl --sync; journalctl -t handoverd-access -o cat")
                   .find("GET /hello HTTP/1.1\" 200 ") != std::string::npos;
    }));
    serve("--access-log json --access-log-file /var/log/handoverd/access.log");
    container().output_of("mv /var/log/handoverd/access.log /var/log/handoverd/access.log.1");
    reload();
    (void)ask();
    for (const std::string file : {"access.log", "access.log.1"})
        EXPECT_TRUE(eventually([&] {
            return container().output_of("cat /var/log/handoverd/" + file).find("\"status\":200") !=
                   std::string::npos;
        })) << file;
    const auto report =
        container().output_of("systemd-analyze security --no-pager handoverd.service");
    EXPECT_NE(report.find(GetParam().socket_unit ? ": 0.5 " : ": 1.4 "), std::string::npos)
        << report;
}

}  // namespace
}  // namespace handover::test
