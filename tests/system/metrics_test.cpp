// SPDX-License-Identifier: MIT
// A real Prometheus, Debian's, watches the service.
#include "system/roots.h"
#include "system/service_under_load.h"

#include <nlohmann/json.hpp>

#include <string>
#include <vector>

namespace handover::test {
namespace {

using std::chrono::minutes;

// As system.prepare_prometheus has it.
const std::vector<std::string> prometheus_packages{"prometheus"};

class SystemMetrics : public ServiceUnderLoad {
  protected:
    void SetUp() override {
        boot({all_suites().front(), false, prometheus_packages},
             "--metrics 127.0.0.1:9998 --probation 1s");
        container().write_file("/etc/prometheus/prometheus.yml",
                               "global:\n  scrape_interval: 200ms\n  scrape_timeout: 200ms\n"
                               "scrape_configs:\n  - job_name: handoverd\n    static_configs:\n"
                               "      - targets: ['127.0.0.1:9998']\n");
        container().output_of("systemctl daemon-reload && systemctl restart prometheus.service");
        ASSERT_TRUE(eventually([this] { return value_of("handover_generation") == 1; }));
    }

    /// What Prometheus answers to a question that has one number as an answer; -1 if it has none.
    [[nodiscard]] double value_of(const std::string& expression) {
        const auto told = container().run("promtool query -o json instant http://127.0.0.1:9090 '" +
                                          expression + "'");
        if (!told.ok()) return -1;
        const auto results = nlohmann::json::parse(told.out);
        return results.size() == 1 ? std::stod(results.at(0).at("value").at(1).get<std::string>())
                                   : -1;
    }
    bool wait_for(double value, const std::string& expression) {
        return eventually([&] { return value_of(expression) == value; });
    }
};

TEST_F(SystemMetrics, of_a_reload_and_a_restart_under_load_are_those_of_one_service) {
    std::vector<Load> clients;
    clients.push_back(start_load("a connection per request", tcp4, {"--rate", "200"}));
    clients.push_back(start_load("keep-alive", tcp4, {"--rate", "200", "--keep-alive"}));
    await_answers(clients, 50);
    reload();
    await_answers(clients, 50);
    EXPECT_TRUE(wait_for(2, "handover_generation"));
    EXPECT_TRUE(wait_for(1, "handover_handovers_total{kind=\"reload\",result=\"ok\"}"));
    EXPECT_EQ(systemctl("restart handoverd.service").exit_status, 0);
    await_answers(clients, 50);
    EXPECT_TRUE(wait_for(3, "handover_generation"));
    EXPECT_TRUE(wait_for(1, "handover_handovers_total{kind=\"restart\",result=\"ok\"}"));

    double answered = 0;
    for (auto& client : clients) {
        const auto report = stop_and_print(client);
        EXPECT_EQ(report.failed(), 0) << client.name();
        answered += static_cast<double>(report.answered());
    }
    EXPECT_TRUE(wait_for(answered, "handover_requests_total{code=\"200\"}"))
        << answered << " were answered, and there are "
        << value_of("handover_requests_total{code=\"200\"}");
    for (const std::string name :
         {"handovers_total", "handover_duration_seconds_bucket", "drain_duration_seconds_count",
          "connections_total", "connections_opened_total", "requests_total",
          "request_duration_seconds_bucket", "request_duration_seconds_sum"})
        EXPECT_EQ(value_of("sum(resets(handover_" + name + "[10m]))"), 0) << name;
    EXPECT_GT(value_of("count_over_time(handover_requests_total{code=\"200\"}[10m])"), 10)
        << "it has not looked while all this happened";
    EXPECT_EQ(value_of("handover_fd_store_entries"), 5)
        << "two of http, admin, metrics, the ledger";
}

TEST_F(SystemMetrics, satisfy_promtool) {
    EXPECT_EQ(ask().generation, 1);
    const auto told = container().run(
        "bash -c 'exec 3<>/dev/tcp/127.0.0.1/9998; printf \"GET /metrics HTTP/1.0\\r\\n\\r\\n\" "
        ">&3;"
        " sed \"1,/^\\r$/d\" <&3' >/tmp/metrics && grep -q handover_build_info /tmp/metrics && "
        "promtool check metrics </tmp/metrics");
    EXPECT_EQ(told.exit_status, 0) << told.err;
    EXPECT_EQ(told.out + told.err, "") << "it has nothing to say";
}

/// The example that is shipped, as its head says.
class SystemMetricsSocket : public ServiceUnderLoad, public testing::WithParamInterface<Setting> {};
INSTANTIATE_TEST_SUITE_P(, SystemMetricsSocket, testing::ValuesIn([] {
                             std::vector<Setting> settings;
                             for (const auto& suite : all_suites())
                                 settings.push_back({suite, /*socket_unit=*/true});
                             return settings;
                         }()),
                         name_of_parameter);

TEST_P(SystemMetricsSocket, gives_metrics_to_everybody_in_the_sandbox) {
    boot_configured(GetParam(), "");
    container().copy_in(source_directory() / "units/handoverd-metrics.socket",
                        "/etc/systemd/system/handoverd-metrics.socket");
    configure("metrics=127.0.0.1:9998\n");
    auto clients = start_everybody();
    EXPECT_EQ(systemctl("daemon-reload").exit_status, 0);
    EXPECT_EQ(systemctl("enable handoverd-metrics.socket").exit_status, 0);
    const auto restarted = systemctl("restart handoverd.service");
    EXPECT_EQ(restarted.exit_status, 0) << restarted.err;
    reload();
    const auto metrics =
        start_load("for metrics", "127.0.0.1:9998", {"--path", "/metrics", "--requests", "1"})
            .finish();
    EXPECT_EQ(metrics.answered(), 1) << metrics;
    await_answers(clients, 10);
    expect_nothing_lost(clients);
}

}  // namespace
}  // namespace handover::test
