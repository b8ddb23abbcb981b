// SPDX-License-Identifier: MIT
// What --root gives away: the regular files below it, and nothing else, whatever a client asks for
// and whatever lies there.

#include "process/served_files_fixture.h"
#include "support/listening.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

namespace handover::test {
namespace {

namespace fs = std::filesystem;

/// The text of what must never be seen, and its name beside the root.
constexpr const char* secret = "secret";

class StaticFiles : public ServedFiles {
  protected:
    StaticFiles() {
        fs::create_directories(root_ / "dir" / "deeper");
        write(root_ / "page.txt", "page");
        write(root_ / "dir" / "index.html", "index");
        write(root_ / "with space.txt", "space");
        write(directory_ / "secret.txt", secret);
        fs::create_directory(directory_ / "private");
        write(directory_ / "private" / "secret.txt", secret);
        fs::create_symlink("page.txt", root_ / "link");
        fs::create_symlink("../page.txt", root_ / "dir" / "link-up");
        fs::create_directory_symlink("dir", root_ / "link-to-dir");
        fs::create_symlink("link", root_ / "link-to-link");
        fs::create_symlink("loop", root_ / "loop");
        fs::create_symlink("../secret.txt", root_ / "out");
        fs::create_symlink(directory_ / "secret.txt", root_ / "out-absolute");
        fs::create_symlink(root_ / "page.txt", root_ / "absolute");
        fs::create_directory_symlink("../private", root_ / "out-dir");
        fs::create_directory_symlink("..", root_ / "up");
        fs::create_directory_symlink("/proc/self/root", root_ / "magic");
        fs::create_directory_symlink("../../www", root_ / "dir" / "around");
        EXPECT_EQ(::mkfifo((root_ / "fifo").c_str(), 0666), 0);
    }
};

struct Asked {
    std::string target;
    int status;
    std::string body = {};  ///< of a 200
};

void expect_answers(const std::vector<Asked>& table, const Daemon& daemon) {
    for (const auto& [target, status, body] : table) {
        SCOPED_TRACE(target.substr(0, 100));
        const auto response = RawClient(daemon.address(), timeout).get(target);
        EXPECT_EQ(response.status, status);
        EXPECT_EQ(response.body.find(secret), std::string::npos) << response.body;
        if (status == 200) {
            EXPECT_EQ(response.body, body);
        }
    }
}

TEST_F(StaticFiles, are_the_regular_files_below_the_root) {
    const Daemon daemon(directory_, serving_root());
    expect_answers({{"/page.txt", 200, "page"},
                    {"//page.txt", 200, "page"},
                    {"/dir/index.html", 200, "index"},
                    {"/dir/", 200, "index"},
                    {"/dir", 301},
                    {"/dir/deeper", 404},
                    {"/dir/deeper/", 404},
                    {"/", 404},
                    {"/page.txt/", 404},
                    {"/with%20space.txt", 200, "space"},
                    {"/page.txt?query=/../../secret.txt", 200, "page"},
                    {"/dir/../page.txt", 200, "page"},
                    {"/link", 200, "page"},
                    {"/dir/link-up", 200, "page"},
                    {"/link-to-dir/", 200, "index"},
                    {"/link-to-link", 200, "page"},
                    {"/loop", 404}},
                   daemon);
}

TEST_F(StaticFiles, are_not_what_a_name_may_reach_outside_the_root) {
    const Daemon daemon(directory_, serving_root());
    const auto absolute = (directory_ / "secret.txt").string();
    expect_answers({{"/../secret.txt", 404},
                    {"/dir/../../secret.txt", 404},
                    {"/./../secret.txt", 404},
                    {"/%2e%2e/secret.txt", 404},
                    {"/%2E%2E%2Fsecret.txt", 404},
                    {"/..%2fsecret.txt", 404},
                    {"/dir/..%2f..%2fsecret.txt", 404},
                    {"/%252e%252e%252fsecret.txt", 404},
                    {"/%u002e%u002e%u002fsecret.txt", 404},
                    {"/..\\secret.txt", 404},
                    {"/..%5csecret.txt", 404},
                    {"/%c0%ae%c0%ae/secret.txt", 404},
                    {"/%c0%ae%c0%ae%c0%afsecret.txt", 404},
                    {"/%e0%80%ae%e0%80%ae/secret.txt", 404},
                    {"/..;/secret.txt", 404},
                    {"/page.txt/../../secret.txt", 404},
                    {"/" + absolute, 404},
                    {"//" + absolute, 404},
                    {absolute, 404},
                    {"/%2f" + absolute, 404},
                    {"//../secret.txt", 404},
                    {"/../www/page.txt", 404}},
                   daemon);
    // No path; which fault that is, the versions of httplib do not agree about.
    for (const auto& target : {std::string("../secret.txt"), absolute.substr(1),
                               std::string("http://test/../secret.txt"), "http://test" + absolute,
                               "file://" + absolute, std::string("*")}) {
        const auto response = ask(daemon, target);
        EXPECT_GE(response.status, 400) << target;
        EXPECT_EQ(response.body.find(secret), std::string::npos) << response.body;
    }
}

TEST_F(StaticFiles, are_not_what_a_symbolic_link_reaches_outside_the_root) {
    const Daemon daemon(directory_, serving_root());
    expect_answers({{"/out", 404},
                    {"/out-absolute", 404},
                    {"/absolute", 404},
                    {"/out-dir/secret.txt", 404},
                    {"/up/secret.txt", 404},
                    {"/up/www/page.txt", 404},
                    {"/dir/around/page.txt", 404},
                    {"/magic/etc/passwd", 404},
                    {"/magic" + (directory_ / "secret.txt").string(), 404}},
                   daemon);
}

TEST_F(StaticFiles, are_not_named_by_a_part_of_what_was_asked_for) {
    const Daemon daemon(directory_, serving_root());
    expect_answers({{"/page.txt%00", 404},
                    {"/page.txt%00.html", 404},
                    {"/%00page.txt", 404},
                    {"/%00", 404},
                    {"/page.txt%0a", 404},
                    {"/" + std::string(255, 'a'), 404},
                    {"/" + std::string(256, 'a'), 404},
                    {"/" + std::string(5000, 'a'), 404},
                    {"/dir" + std::string(4000, '/') + "index.html", 200, "index"},
                    {"/dir" + std::string(4100, '/') + "index.html", 404}},
                   daemon);
    EXPECT_EQ(ask(daemon, "/" + std::string(10000, 'a')).status, 414);
    EXPECT_EQ(ask(daemon, "/page.txt").body, "page");
}

TEST_F(StaticFiles, are_no_fifos_and_no_sockets) {
    const ListeningSocket socket("unix:" + (root_ / "socket").string());
    fs::create_symlink("fifo", root_ / "link-to-fifo");
    const Daemon daemon(directory_, serving_root());
    expect_answers({{"/fifo", 404}, {"/link-to-fifo", 404}, {"/socket", 404}, {"/dir/.", 404}},
                   daemon);
    const UniqueFd writer(::open((root_ / "fifo").c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC));
    EXPECT_FALSE(writer) << "somebody reads";
}

TEST_F(StaticFiles, that_are_hidden_are_not_there) {
    fs::create_directories(root_ / ".git");
    fs::create_directories(root_ / ".well-known");
    fs::create_directories(root_ / "..2026");
    write(root_ / ".git" / "config", secret);
    write(root_ / ".htpasswd", secret);
    write(root_ / "dir" / ".env", secret);
    write(root_ / ".well-known" / "security.txt", "contact");
    write(root_ / "..2026" / "page.txt", "of today");
    fs::create_symlink("..2026/page.txt", root_ / "today.txt");
    const Daemon daemon(directory_, serving_root());
    expect_answers({{"/.git/config", 404},
                    {"/%2egit/config", 404},
                    {"/dir/../.git/config", 404},
                    {"/.htpasswd", 404},
                    {"/dir/.env", 404},
                    {"/.git", 404},
                    {"/..2026/page.txt", 404},
                    {"/today.txt", 200, "of today"},
                    {"/.well-known/security.txt", 200, "contact"}},
                   daemon);
}

TEST_F(StaticFiles, that_may_not_be_read_are_forbidden) {
    fs::permissions(root_ / "page.txt", fs::perms::none);
    fs::permissions(root_ / "dir", fs::perms::none);
    const Daemon daemon(directory_, from_copy_as(nobody, {"--root", root_}));
    expect_answers(
        {{"/page.txt", 403}, {"/link", 403}, {"/dir/", 403}, {"/with%20space.txt", 200, "space"}},
        daemon);
}

TEST_F(StaticFiles, follow_a_link_where_it_leads_now) {
    const Daemon daemon(directory_, serving_root());
    EXPECT_EQ(ask(daemon, "/link").body, "page");
    const auto switch_to = [&](const fs::path& target) {
        fs::create_symlink(target, root_ / "fresh");
        fs::rename(root_ / "fresh", root_ / "link");
    };
    switch_to("../secret.txt");
    EXPECT_EQ(ask(daemon, "/link").status, 404);
    switch_to("dir/index.html");
    EXPECT_EQ(ask(daemon, "/link").body, "index");
}

TEST_F(StaticFiles, are_never_outside_also_while_links_are_exchanged) {
    fs::create_directory_symlink("dir", root_ / "now");
    write(root_ / "dir" / "secret.txt", "harmless");
    const Daemon daemon(directory_, serving_root());
    std::atomic<bool> enough{false};
    std::thread exchanging([&] {
        while (!enough)
            for (const auto* target : {"../private", "dir"}) {
                fs::create_directory_symlink(target, root_ / "next");
                fs::rename(root_ / "next", root_ / "now");
            }
    });
    RawClient client(daemon.address(), timeout);
    int found = 0;
    int refused = 0;
    EXPECT_TRUE(eventually([&] {
        const auto response = client.get("/now/secret.txt");
        EXPECT_EQ(response.body.find(secret), std::string::npos) << response.body;
        ++(response.status == 200 ? found : refused);
        return testing::Test::HasFailure() || (found >= 100 && refused >= 100);
    }));
    enough = true;
    exchanging.join();
}

TEST_F(StaticFiles, come_from_where_the_root_leads_now) {
    fs::create_directory_symlink("www", directory_ / "current");
    auto start = with_options({"--root", directory_ / "current"});
    const Daemon daemon(directory_, start);
    EXPECT_EQ(ask(daemon, "/page.txt").body, "page");
    fs::create_directory(directory_ / "next");
    write(directory_ / "next" / "page.txt", "next page");
    fs::create_directory_symlink("next", directory_ / "fresh");
    fs::rename(directory_ / "fresh", directory_ / "current");
    EXPECT_EQ(ask(daemon, "/page.txt").body, "next page");
    fs::remove(directory_ / "current");
    EXPECT_EQ(ask(daemon, "/page.txt").status, 404);
    EXPECT_EQ(ask(daemon, "/hello").status, 200);
}

TEST_F(StaticFiles, are_sent_without_being_in_memory_as_a_whole) {
    constexpr std::size_t size = std::size_t{256} << 20U;
    write(root_ / "large", "begin");
    fs::resize_file(root_ / "large", size);  // takes no room
    const Daemon daemon(directory_, serving_root());
    EXPECT_EQ(ask(daemon, "/page.txt").body, "page");
    const auto before = ProcessView{daemon.pid()}.resident_kib();
    RawClient client(daemon.address(), timeout);
    client.send("GET /large HTTP/1.1\r\nHost: test\r\n\r\n");
    const auto first = client.receive_bytes(std::size_t{64} << 20U);
    EXPECT_NE(first.find("\r\n\r\nbegin"), std::string::npos);
    EXPECT_LT(ProcessView{daemon.pid()}.resident_kib(), before + size / 1024 / 8);
}

TEST_F(StaticFiles, that_are_cut_short_meanwhile_end_the_connection) {
    constexpr std::size_t size = std::size_t{64} << 20U;
    write(root_ / "large", "");
    fs::resize_file(root_ / "large", size);
    Daemon daemon(directory_, serving_root());
    RawClient client(daemon.address(), timeout);
    client.send("GET /large HTTP/1.1\r\nHost: test\r\n\r\n");
    const auto first = client.receive_bytes(1000);  // it has begun
    fs::resize_file(root_ / "large", size / 2);
    EXPECT_LT(first.size() + client.receive_to_end().size(), size);
    daemon.await_line("the file 'large' was cut short while it was sent");
    EXPECT_TRUE(eventually([&] {
        const auto metrics = RawClient(daemon.admin(), timeout).get("/metrics").body;
        return metrics.find("handover_connections_total{ending=\"last_response\"} 1\n") !=
               std::string::npos;
    })) << "it is not counted";
    EXPECT_EQ(ask(daemon, "/page.txt").body, "page");
}

}  // namespace
}  // namespace handover::test
