// SPDX-License-Identifier: MIT
// libhandover-dev as a developer uses it: an existing program is ported, built, and restarted.
#include "system/roots.h"
#include "system/service_under_load.h"

#include <gmock/gmock.h>

#include <sstream>

namespace handover::test {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;

constexpr auto port_directory = "/root/port";
constexpr auto ported_unit = "port.service";

/// A Debian with a compiler and CMake, and our library packages with what they depend on.
class DevelopmentPackage : public ServiceUnderLoad,
                           public testing::WithParamInterface<std::string> {
  protected:
    void SetUp() override {
        boot_empty(development_root_of(GetParam()));
        for (const auto& entry : fs::directory_iterator(packages_of(GetParam()) / "good"))
            if (const auto name = entry.path().filename().string();
                name.starts_with("libhandover") && name.find("dbgsym") == std::string::npos)
                container().copy_in(entry.path(), fs::path("/root") / name);
        container().output_of("apt-get install -q -y /root/libhandover*.deb");
        container().output_of(std::string("cp -r /usr/share/doc/libhandover-dev/examples ") +
                              port_directory);
    }

    /// These targets, by a project that knows of handover what its package says.
    void build_by_cmake(const std::string& targets, const std::string& options = "") {
        container().write_file(fs::path(port_directory) / "CMakeLists.txt",
                               "cmake_minimum_required(VERSION 3.20)\n"
                               "project(port LANGUAGES CXX)\n"
                               "find_package(handover REQUIRED)\n" +
                                   targets);
        container().output_of(std::string("cd ") + port_directory + " && cmake -B build " +
                              options + " && cmake --build build");
    }

    /// A program that was not written for us, with what the manual says to change in it.
    void port_stock_httplib() {
        const auto source = fs::path(port_directory) / "stock_httplib.cpp";
        container().copy_in(source_directory() / "tests/bench/stock_httplib.cpp", source);
        container().copy_in(source_directory() / "tests/packages/port.sed", "/root/port.sed");
        container().output_of("sed -i -f /root/port.sed " + source.string());
    }

    /// The program as a service, in a unit that has what the library asks for.
    void start(const std::string& command) {
        container().write_file(std::string("/etc/systemd/system/") + ported_unit,
                               "[Service]\nType=notify\nNotifyAccess=all\n"
                               "FileDescriptorStoreMax=16\nRestartKillSignal=SIGUSR1\n"
                               "KillMode=control-group\nExecStart=" +
                                   command + "\n");
        container().output_of("systemctl daemon-reload");
        container().output_of(std::string("systemctl start ") + ported_unit);
    }
    [[nodiscard]] pid_t ported_pid() { return container().main_pid(ported_unit); }

    /// kill -USR2, to the end of the probation.
    void hot_restart() {
        const auto before = ported_pid();
        container().output_of("kill -USR2 " + std::to_string(before));
        ASSERT_TRUE(eventually([&] { return ported_pid() != before; }));
    }

    /// Returns what the clients have counted.
    std::vector<LoadReport> expect_survival(const std::string& target, const std::string& path) {
        std::vector<Load> clients;
        clients.push_back(start_load("keep-alive", target,
                                     {"--connections", "16", "--keep-alive", "--path", path}));
        clients.push_back(start_load("a connection per request", target,
                                     {"--connections", "4", "--rate", "300", "--path", path}));
        await_answers(clients, 50);
        hot_restart();
        await_answers(clients, 50);
        container().output_of(std::string("systemctl restart ") + ported_unit);
        await_answers(clients, 50);
        return expect_nothing_lost(clients);
    }
    void expect_survival_of_stock_httplib() {
        for (const auto& report : expect_survival("127.0.0.1:9999", "/hello"))
            EXPECT_EQ(report.pids.size(), 3U) << "each run of it has answered: " << report;
    }
};

TEST_P(DevelopmentPackage, ports_a_program_by_cmake) {
    build_by_cmake(
        "add_executable(hello_http hello_http.cpp)\n"
        "target_link_libraries(hello_http PRIVATE handover::http)\n"
        "add_executable(echo_tcp echo_tcp.cpp)\n"
        "target_link_libraries(echo_tcp PRIVATE handover::handover)\n",
        "-G Ninja");
    start(std::string(port_directory) + "/build/hello_http [::]:8080");
    expect_survival("127.0.0.1:8080", "/hi");
}

TEST_P(DevelopmentPackage, ports_a_program_by_pkg_config) {
    container().output_of(std::string("cd ") + port_directory +
                          " && c++ -std=c++20 -Wall -Wextra -Werror -o hello_http hello_http.cpp "
                          "$(pkg-config --cflags --libs handover-http)"
                          " && c++ -std=c++20 -Wall -Wextra -Werror -o echo_tcp echo_tcp.cpp "
                          "$(pkg-config --cflags --libs handover)");
    start(std::string(port_directory) + "/hello_http 127.0.0.1:8080");
    expect_survival("127.0.0.1:8080", "/hi");
}

TEST_P(DevelopmentPackage, ports_a_program_of_somebody_else_by_cmake) {
    port_stock_httplib();
    build_by_cmake(
        "add_executable(stock_httplib stock_httplib.cpp)\n"
        "target_link_libraries(stock_httplib PRIVATE handover::http)\n");
    start(std::string(port_directory) + "/build/stock_httplib");
    expect_survival_of_stock_httplib();
}

TEST_P(DevelopmentPackage, ports_a_program_of_somebody_else_by_pkg_config) {
    port_stock_httplib();
    container().output_of(std::string("cd ") + port_directory +
                          " && c++ -std=c++20 -o stock_httplib stock_httplib.cpp "
                          "$(pkg-config --cflags --libs handover-http)");
    start(std::string(port_directory) + "/stock_httplib");
    expect_survival_of_stock_httplib();
}

TEST_P(DevelopmentPackage, passes_its_own_test) {
    container().copy_in(source_directory() / "debian/tests/develop", "/root/develop");
    const auto finished = container().run("/root/develop", std::chrono::minutes(2));
    EXPECT_EQ(finished.exit_status, 0) << finished.out << finished.err;
}

TEST_P(DevelopmentPackage, takes_the_cpp_httplib_that_it_was_built_with_and_no_later_one) {
    int major = 0;
    int minor = 0;
    char dot = 0;
    std::istringstream version(container().output_of("pkg-config --modversion cpp-httplib"));
    ASSERT_TRUE(version >> major >> dot >> minor);
    const auto release = [&](int number) {
        return std::to_string(major) + "." + std::to_string(number);
    };
    EXPECT_THAT(container().output_of("dpkg-query -W -f '${Depends}' libhandover-dev"),
                AllOf(HasSubstr("libcpp-httplib-dev (>= " + release(minor) + ")"),
                      HasSubstr("libcpp-httplib-dev (<< " + release(minor + 1) + "~)")));
}

INSTANTIATE_TEST_SUITE_P(, DevelopmentPackage, testing::ValuesIn(all_suites()),
                         [](const auto& test) { return name_of_suite(test.param); });

}  // namespace
}  // namespace handover::test
