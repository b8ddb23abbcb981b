// SPDX-License-Identifier: MIT
// The engine and curl: somebody else's idea of HTTP. What needs a say in every byte is in
// unit/http/requests_test.cpp.

#include "support/child_process.h"
#include "support/file_content.h"
#include "support/temporary_directory.h"
#include "unit/http/server_fixture.h"

#include <gtest/gtest.h>

#include <fstream>
#include <string>
#include <vector>

namespace handover::http {
namespace {

constexpr std::size_t upload_size = std::size_t{20} << 20U;

std::string text_of(std::size_t size) {
    std::string text(size, 'x');
    for (std::size_t i = 0; i < size; i += 997) text[i] = static_cast<char>('a' + i % 26);
    return text;
}

class Curl : public testing::Test {
  protected:
    Curl() {
        server_->Get("/chunks", [](const httplib::Request&, httplib::Response& response) {
            response.set_chunked_content_provider(
                "text/plain", [](std::size_t offset, httplib::DataSink& sink) {
                    if (offset < upload_size)
                        return sink.write(std::string(65536, 'c').data(), 65536);
                    sink.done();
                    return true;
                });
        });
        server_.start();
        std::ofstream(upload(), std::ios::binary) << text_of(upload_size);
    }

    /// curl says its own things on stderr and the body on stdout.
    [[nodiscard]] test::Finished run(std::vector<std::string> options,
                                     const std::string& path = "/hello") const {
        options.insert(options.begin(), {"curl", "--silent", "--show-error", "--verbose",
                                         "--max-time", "60", "--output", download()});
        // Of forms, which is what curl would call it, httplib takes 8 KiB and no more.
        options.insert(options.end(), {"--header", "Content-Type: text/plain", url(path)});
        return test::run_command(options, std::chrono::seconds(90));
    }
    [[nodiscard]] std::string url(const std::string& path) const {
        return "http://127.0.0.1:" + std::to_string(server_.listener().endpoint.port()) + path;
    }
    [[nodiscard]] std::string upload() const { return directory_ / "upload"; }
    [[nodiscard]] std::string download() const { return directory_ / "download"; }
    [[nodiscard]] std::string downloaded() const { return test::content_of(download()); }
    void expect_upload_comes_back(const test::Finished& finished) const {
        EXPECT_EQ(finished.exit_status, 0) << finished.err;
        EXPECT_TRUE(downloaded() == text_of(upload_size)) << finished.err;
    }
    /// How often curl's talk has this in it.
    static std::size_t count(const test::Finished& finished, const std::string& part) {
        std::size_t found = 0;
        for (auto at = finished.err.find(part); at != std::string::npos;
             at = finished.err.find(part, at + part.size()))
            ++found;
        return found;
    }

    TestServer server_;
    const test::TemporaryDirectory directory_;
};

TEST_F(Curl, gets_twice_over_one_connection) {
    const auto finished = run({url("/hello"), "--output", "/dev/null"});
    EXPECT_EQ(finished.exit_status, 0) << finished.err;
    EXPECT_EQ(downloaded(), "Hello\n");
    EXPECT_EQ(count(finished, "Re-using existing"), 1U) << finished.err;
}

TEST_F(Curl, asks_for_the_head_and_the_connection_goes_on) {
    const auto finished = run({"--head", url("/hello"), "--output", "/dev/null"});
    EXPECT_EQ(finished.exit_status, 0) << finished.err;
    EXPECT_EQ(count(finished, "< HTTP/1.1 200"), 2U) << finished.err;
    EXPECT_EQ(count(finished, "< Content-Length: 6"), 2U) << finished.err;
    EXPECT_EQ(count(finished, "Re-using existing"), 1U) << finished.err;
}

TEST_F(Curl, waits_for_100_continue_before_a_big_upload) {
    const auto finished = run({"--expect100-timeout", "50", "--header", "Expect: 100-continue",
                               "--data-binary", "@" + upload()},
                              "/echo");
    EXPECT_EQ(count(finished, "< HTTP/1.1 100"), 1U) << finished.err;
    expect_upload_comes_back(finished);
}

TEST_F(Curl, is_told_that_an_upload_is_too_large_before_it_begins) {
    const auto path = directory_ / "large";
    std::ofstream(path).close();
    std::filesystem::resize_file(path, (std::size_t{100} << 20U) + 1);  // takes no room
    const auto finished =
        run({"--expect100-timeout", "50", "--header", "Expect: 100-continue", "--data-binary",
             "@" + path.string(), "--write-out", "%{http_code} %{size_upload}"},
            "/echo");
    EXPECT_EQ(finished.out, "413 0") << finished.err;
}

TEST_F(Curl, uploads_in_chunks) {
    expect_upload_comes_back(run({"--header", "Transfer-Encoding: chunked", "--header",
                                  "Expect:", "--data-binary", "@" + upload()},
                                 "/echo"));
}

TEST_F(Curl, uploads_in_chunks_after_100_continue) {
    const auto finished =
        run({"--expect100-timeout", "50", "--header", "Expect: 100-continue", "--header",
             "Transfer-Encoding: chunked", "--data-binary", "@" + upload()},
            "/echo");
    EXPECT_EQ(count(finished, "< HTTP/1.1 100"), 1U) << finished.err;
    expect_upload_comes_back(finished);
}

TEST_F(Curl, downloads_in_chunks) {
    const auto finished = run({}, "/chunks");
    EXPECT_EQ(finished.exit_status, 0) << finished.err;
    EXPECT_EQ(count(finished, "< Transfer-Encoding: chunked"), 1U) << finished.err;
    EXPECT_TRUE(downloaded() == std::string(upload_size, 'c'));
}

TEST_F(Curl, of_HTTP_1_0_gets_a_response_that_ends_with_the_connection) {
    const auto finished = run({"--http1.0"});
    EXPECT_EQ(finished.exit_status, 0) << finished.err;
    EXPECT_EQ(downloaded(), "Hello\n");
    EXPECT_EQ(count(finished, "< Connection: close"), 1U) << finished.err;
}

TEST_F(Curl, of_HTTP_1_0_may_keep_its_connection) {
    const auto finished = run({"--http1.0", "--header", "Connection: keep-alive", url("/hello"),
                               "--output", "/dev/null"});
    EXPECT_EQ(finished.exit_status, 0) << finished.err;
    EXPECT_EQ(count(finished, "< Connection: keep-alive"), 2U) << finished.err;
    EXPECT_EQ(count(finished, "Re-using existing"), 1U) << finished.err;
}

TEST_F(Curl, of_HTTP_1_0_is_not_sent_chunks) {
    const auto finished = run({"--http1.0", "--raw"}, "/chunks");
    EXPECT_EQ(finished.exit_status, 0) << finished.err;
    EXPECT_EQ(count(finished, "chunked"), 0U) << finished.err;
    EXPECT_TRUE(downloaded() == std::string(upload_size, 'c')) << downloaded().substr(0, 100);
}

TEST_F(Curl, never_gets_HTTP_0_9) {
    // Curl speaks no 0.9 itself, but would take a response without a head; there is none.
    const auto finished = run({"--http0.9", "--request-target", "/hello"});
    EXPECT_EQ(finished.exit_status, 0) << finished.err;
    EXPECT_EQ(count(finished, "< HTTP/1.1 200"), 1U);
    auto client = server_.connect();
    client.send("GET /hello\r\n");
    EXPECT_EQ(client.receive().status, 400);
    EXPECT_TRUE(client.closed_by_server());
}

TEST_F(Curl, that_compresses_its_upload_is_told_not_to) {
    const auto finished =
        run({"--header", "Content-Encoding: gzip", "--data", "x", "--write-out", "%{http_code}"},
            "/echo");
    EXPECT_EQ(finished.out, "415") << finished.err;
    EXPECT_EQ(count(finished, "< Accept-Encoding: identity"), 1U) << finished.err;
}

}  // namespace
}  // namespace handover::http
