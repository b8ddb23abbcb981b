// SPDX-License-Identifier: MIT
// Files that take a while to be sent, and what happens meanwhile; and curl, somebody else's idea of
// how files are got.

#include "process/served_files_fixture.h"
#include "support/file_content.h"
#include "support/processes.h"

#include <list>
#include <string>
#include <vector>

namespace handover::test {
namespace {

namespace fs = std::filesystem;

class FileTransfers : public ServedFiles {
  protected:
    static constexpr std::size_t large = std::size_t{32} << 20U;

    /// Asks for the file and takes the beginning of the answer: the rest does not fit into the
    /// socket.
    static std::string begin(RawClient& client, const std::string& target) {
        client.send(request("GET", target, "Connection: close\r\n"));
        return client.receive_bytes(1000);
    }
    static std::string body_of(const std::string& response) {
        return response.substr(response.find("\r\n\r\n") + 4);
    }
};

TEST_F(FileTransfers, go_on_with_the_file_that_they_began_with) {
    write(root_ / "file", std::string(large, 'a'));
    const Daemon daemon(directory_, serving_root());
    RawClient client(daemon.address(), timeout);
    const auto first = begin(client, "/file");
    write(directory_ / "next", std::string(large / 2, 'b'));
    fs::rename(directory_ / "next", root_ / "file");
    EXPECT_EQ(ask(daemon, "/file").body.front(), 'b');
    EXPECT_TRUE(body_of(first + client.receive_to_end()) == std::string(large, 'a'));
}

TEST_F(FileTransfers, finish_in_the_generation_that_began_them) {
    write(root_ / "file", std::string(large, 'a'));
    Daemon daemon(directory_, serving_root());
    RawClient client(daemon.address(), timeout);
    const auto first = begin(client, "/file");
    fs::remove(root_ / "file");
    const auto told = daemon.reload();
    ASSERT_EQ(told.status, 0) << told.err;
    EXPECT_EQ(ask(daemon, "/file").status, 404) << "by the new one";
    EXPECT_TRUE(body_of(first + client.receive_to_end()) == std::string(large, 'a'));
}

TEST_F(FileTransfers, of_many_slow_clients_take_little_memory) {
    constexpr std::size_t clients = 60;
    const std::size_t kib_for_each = memory_is_watched() ? 4'000 : 400;
    write(root_ / "file", "begin");
    fs::resize_file(root_ / "file", std::size_t{1} << 30U);  // takes no room
    const Daemon daemon(directory_, serving_root());
    EXPECT_EQ(ask(daemon, "/hello").status, 200);
    const auto before = ProcessView{daemon.pid()}.resident_kib();
    std::list<RawClient> slow;
    for (std::size_t i = 0; i < clients; ++i)
        begin(slow.emplace_back(daemon.address(), timeout), "/file");
    EXPECT_EQ(ask(daemon, "/hello").status, 200) << "others are served";
    EXPECT_LT(ProcessView{daemon.pid()}.resident_kib(), before + clients * kib_for_each);
}

class FilesByCurl : public ServedFiles {
  protected:
    FilesByCurl() {
        fs::create_directory(root_ / "dir");
        write(root_ / "file.txt", text_);
        set_time(root_ / "file.txt", 1000000000);
        write(root_ / "dir" / "index.html", "index");
    }

    /// The body goes to got(); what --write-out writes is its output.
    [[nodiscard]] Finished curl(const Daemon& daemon, std::vector<std::string> options,
                                const std::string& target = "/file.txt") const {
        options.insert(options.begin(),
                       {"curl", "--silent", "--show-error", "--max-time", "60", "--output",
                        directory_ / "got", "--write-out", "%{http_code} %{size_download}"});
        options.push_back("http://127.0.0.1:" + std::to_string(daemon.address().port()) + target);
        auto finished = run_command(options, std::chrono::seconds(90));
        EXPECT_EQ(finished.exit_status, 0) << finished.err;
        return finished;
    }
    [[nodiscard]] std::string got() const { return content_of(directory_ / "got"); }

    const std::string text_ = std::string(99990, 'x') + "0123456789";
};

TEST_F(FilesByCurl, are_got_in_ranges) {
    const Daemon daemon(directory_, serving_root());
    EXPECT_EQ(curl(daemon, {"--range", "99990-99992"}).out, "206 3");
    EXPECT_EQ(got(), "012");
    EXPECT_EQ(curl(daemon, {"--range", "-4"}).out, "206 4");
    EXPECT_EQ(got(), "6789");
    EXPECT_TRUE(curl(daemon, {"--range", "0-0,99995-"}).out.starts_with("206 "));
    EXPECT_NE(got().find("\r\n\r\n56789\r\n--"), std::string::npos) << got();
}

TEST_F(FilesByCurl, are_resumed) {
    const Daemon daemon(directory_, serving_root());
    write(directory_ / "got", text_.substr(0, 5000));
    EXPECT_EQ(curl(daemon, {"--continue-at", "-"}).out, "206 95000");
    EXPECT_TRUE(got() == text_);
}

TEST_F(FilesByCurl, are_got_again_only_if_they_have_changed) {
    const Daemon daemon(directory_, serving_root());
    const auto tag = (directory_ / "tag").string();
    EXPECT_EQ(curl(daemon, {"--etag-save", tag}).out, "200 100000");
    EXPECT_EQ(curl(daemon, {"--etag-compare", tag}).out, "304 0");
    EXPECT_EQ(curl(daemon, {"--time-cond", "Sun, 09 Sep 2001 01:46:40 GMT"}).out, "304 0");
    EXPECT_EQ(curl(daemon, {"--time-cond", "-Sun, 09 Sep 2001 01:46:39 GMT"}).out.substr(0, 3),
              "412");
    set_time(root_ / "file.txt", 1000000001);
    EXPECT_EQ(curl(daemon, {"--etag-compare", tag}).out, "200 100000");
    EXPECT_EQ(curl(daemon, {"--time-cond", "Sun, 09 Sep 2001 01:46:40 GMT"}).out, "200 100000");
}

TEST_F(FilesByCurl, are_unpacked) {
    const Daemon daemon(directory_, serving_root());
    ASSERT_EQ(run_command({"gzip", "--keep", root_ / "file.txt"}, timeout).exit_status, 0);
    const auto packed = std::to_string(fs::file_size(root_ / "file.txt.gz"));
    EXPECT_EQ(curl(daemon, {"--compressed"}).out, "200 " + packed);
    EXPECT_TRUE(got() == text_);
    EXPECT_EQ(curl(daemon, {}).out, "200 100000");
}

TEST_F(FilesByCurl, have_a_head) {
    const Daemon daemon(directory_, serving_root());
    EXPECT_EQ(curl(daemon, {"--head"}).out, "200 0");
    EXPECT_NE(got().find("\r\nContent-Length: 100000\r\n"), std::string::npos) << got();
    EXPECT_NE(got().find("\r\nLast-Modified: Sun, 09 Sep 2001 01:46:40 GMT\r\n"), std::string::npos)
        << got();
}

TEST_F(FilesByCurl, are_found_where_a_directory_leads) {
    const Daemon daemon(directory_, serving_root());
    EXPECT_EQ(curl(daemon, {}, "/dir").out.substr(0, 3), "301");
    EXPECT_EQ(curl(daemon, {"--location"}, "/dir").out, "200 5");
    EXPECT_EQ(got(), "index");
}

}  // namespace
}  // namespace handover::test
